"""What Airflow's role must be permitted where one of AWS's secrets backends gives Airflow its connections.

Source: the amazon provider, `airflow/providers/amazon/aws/secrets/{secrets_manager,systems_manager}.py`, 8.24 to 9.34:
what they call, the prefixes that they look below, and what they take for a session of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from penstock.aws.endpoints import BACKEND_STORES
from penstock_runtime.plan.task_definition import Permission

_CALLS = {"secretsmanager": "secretsmanager:GetSecretValue", "ssm": "ssm:GetParameter"}
_PREFIXES = {"connections_prefix": "airflow/connections", "variables_prefix": "airflow/variables"}
"""What each looks below unless told otherwise; SSM's with a slash in front."""
_NAMED_THERE = "_secret"
_OPTION_PREFIX = {"config_prefix": "airflow/config"}
"""For options with such an ending, whose values are there. Airflow, "Setting Configuration Options"."""
_OTHER_KEYS = ("aws_access_key_id", "profile_name")
"""With one of these a backend works with other credentials than those of Airflow's role."""


def lacking(
    options: Mapping[str, str], permissions: Iterable[Permission], *, partition: str, region: str, account: str | None
) -> str | None:
    """The permission, as one writes it, that the role does not have and the backend needs; None: nothing is lacking.

    Args:
        options: Airflow's.
        permissions: what the role has. One for a part of what is looked up, such as a single connection, is meant to be
            that; a kind of entries that none is for is lacking.
        account: None: not known, and left open in the ARNs.
    """
    name = options.get("secrets.backend", "")
    service = next((service for part, service in BACKEND_STORES.items() if part in name), None)
    given = _given(options.get("secrets.backend_kwargs", ""))
    if service is None or any(given.get(key) for key in _OTHER_KEYS):
        return None
    role = given.get("role_arn")
    action = "sts:AssumeRole" if role else _CALLS[service]
    granted = [
        resource
        for permission in permissions
        if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in permission.actions)
        for resource in permission.resources
    ]
    where = f"arn:{partition}:{service}:{given.get('region_name') or region}:{account or '*'}:"
    needed = [str(role)] if role else [f"{where}{resource}" for resource in _looked_up(service, given, options)]
    resources = [resource for resource in needed if not any(_meet(resource, other) for other in granted)]
    return json.dumps({"actions": [action], "resources": resources}) if resources else None


def _meet(needed: str, granted: str) -> bool:
    """Whether a resource pattern that is granted is for the one that is needed, or for some part of it."""
    if granted == "*":
        return True
    ours, theirs = needed.split(":", 5), granted.split(":", 5)
    # An account that is not known is `*` in `needed`; the name of a single secret or parameter, `<name>`.
    return len(ours) == len(theirs) and all(
        fnmatchcase(our_part, their_part) or fnmatchcase(their_part, re.sub("<name>.*", "*", our_part))
        for our_part, their_part in zip(ours, theirs, strict=True)
    )


def _given(text: str) -> dict[str, Any]:
    """`secrets.backend_kwargs`; what cannot be read counts as nothing, as it does in Airflow."""
    try:
        arguments = json.loads(text)
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _looked_up(service: str, given: Mapping[str, Any], options: Iterable[str]) -> list[str]:
    """Patterns of the resources that are looked up; a prefix that is null is never."""
    resources = []
    has_options = any(option.endswith(_NAMED_THERE) for option in options)
    for name, usual in (_PREFIXES | _OPTION_PREFIX if has_options else _PREFIXES).items():
        prefix = given.get(name, usual)
        if prefix is None:
            continue
        if service == "ssm":
            resources.append(f"parameter/{str(prefix).strip('/')}/*" if prefix else "parameter/<name>")
        else:
            between = str(given.get("sep", "/"))
            resources.append(f"secret:{str(prefix).rstrip(between)}{between}*" if prefix else "secret:<name>-??????")
    return list(dict.fromkeys(resources))
