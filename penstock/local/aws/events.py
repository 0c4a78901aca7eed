"""ECS Task State Change events, sent to the rules of the default event bus."""

from __future__ import annotations

import datetime
import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from penstock.local.aws import compat

log = logging.getLogger(__name__)


def task_state_change(record: Mapping[str, Any]) -> None:
    """Tell the event bus of the task's account and region that a task has changed.

    `record` is the task as DescribeTasks shows it; in the event its times are ISO 8601 (AWS, "Amazon ECS task state
    change events").
    """
    detail = {name: _iso(value) if name.endswith("At") else value for name, value in record.items()}
    now = datetime.datetime.now(datetime.UTC)
    detail["updatedAt"] = _iso(now.timestamp())
    try:
        compat.eventbridge._dispatch_event(
            {
                "EventId": str(uuid.uuid4()),
                "Source": "aws.ecs",
                "DetailType": "ECS Task State Change",
                "Detail": json.dumps(detail),
                "EventBusName": "default",
                "Time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "Resources": [record["taskArn"]],
                "Account": compat.responses.get_account_id(),
                "Region": compat.responses.get_region(),
            }
        )
    except Exception:  # a target of a rule, whatever it is, may not stop a task
        log.exception("the event of %s was not delivered", record["taskArn"])


def _iso(value: Any) -> Any:
    if not isinstance(value, int | float):
        return value
    moment = datetime.datetime.fromtimestamp(value, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
