"""`permissions:` what a task's own role may do besides what Penstock needs, and what is too much to ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from pydantic import Field

from penstock.aws import arns
from penstock.problem import Problem
from penstock.project.document.literals import references
from penstock.project.iam.conditions import beyond_latin, unknown_variable, wrong_conditions
from penstock.project.schema.model import Strict
from penstock_runtime.fill import PLACEHOLDER
from penstock_runtime.plan import task_definition as planned

MAX_CHARACTERS = 8_000
"""Of all permissions of a task, as JSON. IAM: the inline policies of a role have 10,240 characters ("IAM and AWS STS
quotas"); ours take up to 2,000."""
NEVER_ANY = frozenset({"iam", "sts", "ecs", "kms", "secretsmanager", "organizations", "account"})
"""Services whose actions are never for any resource: who has these has everything."""
_ACTION = re.compile(r"[a-z0-9-]{2,}:[A-Za-z][A-Za-z0-9]*\*?")
_WITH_WILDCARD = re.compile(r"[a-z0-9-]{2,}:[A-Za-z0-9*?]+")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9*-]+:[a-z0-9*-]*:([0-9]{12}|aws|\*|):\S+")
_UNTYPED = frozenset({"s3", "sns", "sqs", "codecommit", "execute-api"})
"""Services whose ARNs have a name where others have a type: a wildcard in it leaves much out (`arn:aws:s3:::acme-*`).
Service Authorization Reference, "Resource types defined by …"."""
_WILDCARDS = ("*", "?")


class Permission(Strict):
    """Something that a role of a task, or Airflow's, may do besides: an Allow statement of IAM."""

    actions: list[str] = Field(min_length=1, max_length=100)
    """`service:Action`, such as `glue:GetTables`; a `*` may stand at the end (`glue:Get*`)."""
    resources: list[str] = Field(min_length=1, max_length=100)
    """ARNs, `*` in them included; `${NAME}` of a variable is filled. Any of a service's (`*`, `arn:aws:s3:::*/*`) needs
    a `reason`."""
    conditions: dict[str, dict[str, str | list[str]]] = Field(default_factory=dict)
    """IAM's conditions: operator → key → value or values; `${NAME}` of a variable is filled in these."""
    reason: str | None = Field(None, min_length=1, max_length=500)
    """Why it must be for `*`: some actions know no resource."""


def filled(permission: Permission, variables: Mapping[str, str]) -> planned.Permission:
    """The permission with its variables filled."""

    def fill(text: str) -> str:
        return PLACEHOLDER.sub(lambda match: variables.get(match[1], match[0]), text)

    conditions = {
        operator: {
            key: [fill(value) for value in ([values] if isinstance(values, str) else values)]
            for key, values in keys.items()
        }
        for operator, keys in permission.conditions.items()
    }
    resources = tuple(fill(resource) for resource in permission.resources)
    return planned.Permission(tuple(permission.actions), resources, conditions, permission.reason or "")


def wrong_permission(permission: Permission, variables: Mapping[str, str], region: str) -> Iterator[Problem]:
    """All that is wrong with a permission of a role that is for a region."""
    resolved = filled(permission, variables)
    for index, action in enumerate(resolved.actions):
        if not _ACTION.fullmatch(action):
            yield _wrong_action(action).at("actions", index)
    services = {action.partition(":")[0] for action in resolved.actions}
    for index, resource in enumerate(resolved.resources):
        path = ("resources", index)
        if names := references(resource):
            yield unknown_variable(names[0], variables, path)
        elif wrong := beyond_latin(resource):
            yield wrong.at(*path)
        elif resource != "*" and not _ARN.fullmatch(resource):
            yield Problem(
                f"{resource[:80]!r} is not an ARN", "write arn:aws:<service>:<region>:<account>:<resource>", path
            )
        elif resource != "*" and (wrong := arns.wrong_partition(resource, region)):
            yield wrong.at(*path)
        elif is_whole(resource) and services & NEVER_ANY:
            service = min(services & NEVER_ANY)
            yield Problem(
                f"{service} actions on any resource ({resource[:60]}): whoever has that role could do much more",
                "name the resources, such as the ARN of one role",
                path,
            )
        elif is_any(resource) and not resolved.reason:
            what = f"a permission for any resource ({resource[:60]}) has no reason"
            yield Problem(what, "name the resources, or add reason: …", path)
    yield from wrong_conditions(resolved.conditions, variables)


def _wrong_action(action: str) -> Problem:
    """What is wrong with an action that does not fit: IAM takes more wildcards than Penstock does, on purpose."""
    service, colon, name = action.partition(":")
    if action == "*" or (colon and name == "*"):
        whose = "of every service" if service == "*" else f"of {service[:40]}"
        example = (
            "s3:GetObject, s3:PutObject, s3:ListBucket" if service == "s3" else f"{service.strip('*') or 'glue'}:Get*"
        )
        what = f"{action[:60]!r} is every action {whose}, on policies and permissions too: Penstock does not grant it"
        return Problem(what, f"name those that it needs, such as {example}")
    if _WITH_WILDCARD.fullmatch(action):
        what = f"{action[:60]!r}: IAM takes a wildcard anywhere, Penstock only a * behind the start of an action's name"
        return Problem(what, "write the start of the name, such as glue:Get*, or name each action")
    return Problem(f"{action[:60]!r} is not an action", "write service:Action, such as glue:GetTables or glue:Get*")


def too_many(permissions: Iterable[planned.Permission]) -> int | None:
    """How many characters the permissions of a task take, where that is more than a role has room for."""
    size = sum(
        len(json.dumps([permission.actions, permission.resources, permission.conditions], separators=(",", ":"))) + 60
        for permission in permissions
    )
    return size if size > MAX_CHARACTERS else None


def is_any(resource: str) -> bool:
    """Whether a resource is any of a service's: `*`, `arn:aws:s3:::*/*`, `arn:aws:glue:…:t*`."""
    service, kind, _ = _named(resource)
    return kind.startswith(_WILDCARDS) or (service not in _UNTYPED and any(wildcard in kind for wildcard in _WILDCARDS))


def is_whole(resource: str) -> bool:
    """Whether a resource is all there is of a kind, or much of it: `arn:aws:iam::…:role/*`, `role/?*`, `r*`."""
    return is_any(resource) or _named(resource)[2].startswith(_WILDCARDS)


def _named(resource: str) -> tuple[str, str, str]:
    """Service, type and name of a resource: `iam`, `role`, `team/x`; where there is no type, the name's first part."""
    parts = re.split("[/:]", resource.split(":", 5)[-1].lstrip("/"), maxsplit=1)
    return "".join(resource.split(":")[2:3]), parts[0], "".join(parts[1:])
