"""A message for each Fargate task that failed, with its cause and what to do: a Lambda function.

EventBridge calls it with each ECS Task State Change event of a failure on the environment's cluster. A rule alone
cannot do this: EventBridge refuses the patterns that would be needed to sort ECS's words ("Rule is too complex"), and
cannot publish to an encrypted topic whose key restricts its use.

A message can be lost. If the call fails, Lambda retries it twice, within minutes; if the account has no capacity for
the call, for six hours (AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous
invocation"). After that nothing repeats it: the failure is still shown in Airflow, and an alarm counts the failed
calls. A queue would only help somebody who looks there, and who can look at the tasks instead.

Besides the standard library it needs `diagnose` with its imports, and Lambda's boto3.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from penstock_runtime.contract import CONTAINER_NAME
from penstock_runtime.diagnosis import reasons
from penstock_runtime.diagnosis.diagnose import diagnose, reason_of

OUT_OF_MEMORY = "OutOfMemory"
"""Metric: 1 if a task ran out of memory, 0 if it failed otherwise; by project and environment."""
MOST_CHARACTERS = 2_000
"""Of ECS's own words in a message."""


def message(detail: Mapping[str, Any], at: str, *, of: Mapping[str, str], log_group: str) -> tuple[str, str]:
    """Subject and text of the message about a failed task.

    Args:
        detail: the event's, which is the task as DescribeTasks shows it.
        at: when, ISO 8601.
        of: project and environment.
    """
    diagnosis = diagnose(detail)
    prefix = f"{of['Project']}-{of['Environment']}"
    arn = str(detail.get("taskArn", ""))
    text = {
        "what": f"a Fargate task of {prefix} failed: {diagnosis.cause}",
        "fix": diagnosis.fix,
        "may_succeed_if_tried_again": diagnosis.transient,
        "summary": diagnosis.summary[:MOST_CHARACTERS],
        "ecs_says": str(detail.get("stoppedReason", ""))[:MOST_CHARACTERS],
        "started_by": detail.get("startedBy"),
        "task": arn,
        "at": at,
        "log_group": log_group,
        # As the awslogs driver names it: prefix, container, task.
        "log_stream": f"penstock/{CONTAINER_NAME}/{arn.rpartition('/')[2]}",
    }
    # SNS: a subject has at most 100 characters of ASCII, and no line break.
    subject = f"Penstock {prefix}: task failed, {reason_of(detail).name}".encode("ascii", "replace").decode()[:100]
    return subject, json.dumps(text, indent=2)


def handler(event: Mapping[str, Any], _context: Any) -> None:
    """Report one failure. Its settings are in its environment, see `stacks.observability.stopped_tasks`.

    Raises:
        Exception: any error of AWS. Lambda retries twice, then the message is lost; an alarm counts the errors.
    """
    setting, detail = os.environ, event["detail"]
    of = {"Project": setting["PROJECT"], "Environment": setting["ENVIRONMENT"]}
    memory = int(reason_of(detail) is reasons.OUT_OF_MEMORY)
    metric = {"Name": OUT_OF_MEMORY, "Unit": "Count"}
    directive = {"Namespace": setting["NAMESPACE"], "Dimensions": [list(of)], "Metrics": [metric]}
    written = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    subject, text = message(detail, str(event.get("time", "")), of=of, log_group=setting["LOG_GROUP"])
    if setting["TOPIC"]:
        import boto3

        boto3.client("sns").publish(TopicArn=setting["TOPIC"], Subject=subject, Message=text)
    # Last: a call that is retried counts once.
    print(json.dumps({"_aws": written, **of, OUT_OF_MEMORY: memory, "task": detail.get("taskArn"), "told": subject}))
