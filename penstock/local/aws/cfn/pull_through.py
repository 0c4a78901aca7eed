"""AWS::ECR::PullThroughCacheRule: which registries the account's ECR pulls through, and under which prefix.

Source: Amazon ECR API Reference, CreatePullThroughCacheRule and its errors. Nothing is pulled here: an image is what
stands for it on this machine, whatever its registry.
"""

from __future__ import annotations

import re
from typing import Any

from penstock.local.aws import compat

Properties = dict[str, Any]
Made = tuple[str, Properties]

_RULES: dict[tuple[str, str], set[str]] = {}
"""Account and region → prefixes."""
_WANT_LOG_IN = re.compile(r"registry-1\.docker\.io|ghcr\.io|registry\.gitlab\.com|.*\.azurecr\.io")


def cached(repository: str) -> bool:
    """Whether a repository of the caller's ECR is one that a rule fills."""
    return any(repository.startswith(f"{prefix}/") for prefix in _here())


def _here() -> set[str]:
    return _RULES.setdefault((compat.responses.get_account_id(), compat.responses.get_region()), set())


def _create(_logical_id: str, properties: Properties, _stack: str) -> Made:
    prefix, upstream = str(properties["EcrRepositoryPrefix"]), str(properties["UpstreamRegistryUrl"])
    if prefix in _here():
        raise ValueError(f"A pull through cache rule with repository prefix '{prefix}' already exists.")
    if _WANT_LOG_IN.fullmatch(upstream) and not properties.get("CredentialArn"):
        raise ValueError(f"The upstream registry {upstream} needs credentials.")
    _here().add(prefix)
    return prefix, {}


def _update(prefix: str, old: Properties, new: Properties, stack: str) -> Made:
    # All of it is fixed at creation: another prefix makes another rule, and `refusals` refuses the rest.
    return (prefix, {}) if old["EcrRepositoryPrefix"] == new["EcrRepositoryPrefix"] else _create("", new, stack)


def _delete(prefix: str, _properties: Properties) -> None:
    _here().discard(prefix)


HANDLERS: dict[str, dict[str, Any]] = {
    "AWS::ECR::PullThroughCacheRule": {"create": _create, "update": _update, "delete": _delete}
}
