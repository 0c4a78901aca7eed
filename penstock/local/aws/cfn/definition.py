"""AWS::ECS::TaskDefinition, through RegisterTaskDefinition and its checks. A change registers the next revision, and
the revision before it becomes INACTIVE when the update has succeeded. ministack's own loses half of the properties."""

from __future__ import annotations

import json
from typing import Any

from penstock.local.aws import compat, definition

Properties = dict[str, Any]
Made = tuple[str, Properties]

_MAPS = ("options", "dockerLabels", "driverOpts", "labels")
"""Members whose keys are the user's."""
_NUMBERS = ("stopTimeout", "containerPort", "hostPort", "startTimeout", "sizeInGiB", "softLimit", "hardLimit")


def _api(value: Any) -> Any:
    """CloudFormation's PascalCase keys as the API's camelCase."""
    if isinstance(value, list):
        return [_api(member) for member in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, member in value.items():
        key = name[:1].lower() + name[1:]
        found[key] = dict(member) if key in _MAPS else int(member) if key in _NUMBERS else _api(member)
    return found


def _create(logical_id: str, properties: Properties, stack: str) -> Made:
    call = {"family": f"{stack}{logical_id}", **_api(properties)}
    for name in ("cpu", "memory"):
        if name in call:
            call[name] = str(call[name])
    wrong = definition.problem(call)
    if wrong:
        raise ValueError(f"Invalid request provided: Create TaskDefinition: {wrong} (Service: AmazonECS)")
    status, _, body = compat.ecs._register_task_definition(call)
    answer = json.loads(body)
    if status != 200:
        raise ValueError(f"Invalid request provided: Create TaskDefinition: {answer['message']} (Service: AmazonECS)")
    arn = answer["taskDefinition"]["taskDefinitionArn"]
    return arn, {"TaskDefinitionArn": arn}


def _update(arn: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None) -> Made:
    if {**old, "Tags": None} != {**new, "Tags": None}:
        return _create(logical_id or "", new, stack)
    compat.ecs._tags[arn] = _api(new.get("Tags") or [])
    return arn, {"TaskDefinitionArn": arn}


def _delete(arn: str, _properties: Properties) -> None:
    compat.ecs._ACTION_MAP["DeregisterTaskDefinition"]({"taskDefinition": arn})


HANDLERS: dict[str, dict[str, Any]] = {
    "AWS::ECS::TaskDefinition": {
        "create": _create,
        "update": _update,
        "update_with_logical_id": True,
        "delete": _delete,
    }
}
