"""Events that AWS's services send to the default event bus, and the roles with which its rules reach their targets."""

from __future__ import annotations

import datetime
import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from penstock.local.aws import compat, iam

log = logging.getLogger(__name__)

_TARGETS = {"states": "states:StartExecution", "events": "events:PutEvents"}
"""Service of a target → what EventBridge needs there of the role that the target names (Amazon EventBridge User Guide,
"Using IAM roles … for targets")."""
_SESSION_SECONDS = 60


def install() -> None:
    """Ask for the permission of a target's role before ministack delivers an event to it."""
    invoke = compat.eventbridge._invoke_target

    def invoke_target(target: Mapping[str, Any], *more: Any, **options: Any) -> None:
        refused = _refusal(target)
        if refused is None:
            invoke(target, *more, **options)
        else:
            log.warning("EventBridge: %s is not told: %s", target["Arn"], refused)

    compat.eventbridge._invoke_target = invoke_target


def _refusal(target: Mapping[str, Any]) -> str | None:
    action = _TARGETS.get(str(target.get("Arn")).split(":")[2])
    if action is None:
        return None
    if not target.get("RoleArn"):
        return "the target names no role"
    try:
        keys = iam.session(target["RoleArn"], "rule", "events.amazonaws.com", _SESSION_SECONDS)
    except iam.RoleError as error:
        return str(error)
    try:
        return iam.denial(keys.access_key_id, action, target["Arn"])
    finally:
        iam.forget(keys)


def resource_status_change(stack: str, logical_id: str, physical_id: str, kind: str, status: str) -> None:
    """Tell the event bus that CloudFormation has come to a status with a resource.

    Source: AWS CloudFormation User Guide, "Resource Status Change event detail".
    """
    known = compat.cloudformation._stacks.get(stack) or {}
    detail = {
        "stack-id": known.get("StackId", stack),
        "logical-resource-id": logical_id,
        "physical-resource-id": physical_id,
        "status-details": {"status": status, "status-reason": ""},
        "resource-type": kind,
        "client-request-token": "",
    }
    _send("aws.cloudformation", "CloudFormation Resource Status Change", detail, [detail["stack-id"]])


def task_state_change(record: Mapping[str, Any]) -> None:
    """Tell the event bus of the task's account and region that a task has changed.

    `record` is the task as DescribeTasks shows it; in the event its times are ISO 8601 (AWS, "Amazon ECS task state
    change events").
    """
    detail = {name: _iso(value) if name.endswith("At") else value for name, value in record.items()}
    now = datetime.datetime.now(datetime.UTC)
    detail["updatedAt"] = _iso(now.timestamp())
    _send("aws.ecs", "ECS Task State Change", detail, [record["taskArn"]])


def _send(source: str, kind: str, detail: Mapping[str, Any], resources: list[str]) -> None:
    now = datetime.datetime.now(datetime.UTC)
    try:
        compat.eventbridge._dispatch_event(
            {
                "EventId": str(uuid.uuid4()),
                "Source": source,
                "DetailType": kind,
                "Detail": json.dumps(detail),
                "EventBusName": "default",
                "Time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "Resources": resources,
                "Account": compat.responses.get_account_id(),
                "Region": compat.responses.get_region(),
            }
        )
    except Exception:  # a target of a rule, whatever it is, may not stop whom the event is about
        log.exception("the event of %s was not delivered", ", ".join(resources))


def _iso(value: Any) -> Any:
    if not isinstance(value, int | float):
        return value
    moment = datetime.datetime.fromtimestamp(value, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
