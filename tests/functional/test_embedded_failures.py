"""A failing Fargate task's message, all the way: ECS event, EventBridge's rules, SNS, and a queue that listens."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from penstock_runtime.contract import Exit
from penstock_runtime.diagnosis.diagnose import diagnose
from penstock_runtime.plan.observability import Alarms, Observability
from stacks.observability.stack import ObservabilityStack
from tests.functional.embedded import ACCOUNT, REGION, Aws, aws, delete, deploy, heard, listen, until, upload_functions
from tests.stacks import plans

__all__ = ["aws"]

PLAN = dataclasses.replace(
    plans.PLAN,
    account=ACCOUNT,
    region=REGION,
    cluster="main",
    # Its function has a test of its own.
    observability=Observability(alarms=Alarms(overdue=False)),
)


def template(aws: Aws, folder: Path) -> dict[str, Any]:
    """The stack that is deployed, without CDK's check of the bootstrap version."""
    app = plans.application(folder / "cdk.out")
    ObservabilityStack(
        app,
        "watch",
        plan=PLAN,
        artifacts="acme-artifacts",
        airflow_name="acme-dev",
        env=cdk.Environment(account=ACCOUNT, region=REGION),
    )
    made: dict[str, Any] = app.synth().get_stack_by_name("watch").template
    upload_functions(aws.endpoint, made, folder / "cdk.out")
    return {"Resources": made["Resources"], "Outputs": made["Outputs"]}


@pytest.fixture(scope="module")
def queue(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a queue that hears what the topic of the deployed stack says."""
    outputs = deploy(aws.endpoint, "watch", template(aws, tmp_path_factory.mktemp("watch")))
    return listen(aws, outputs["FailureTopic"])


def received(aws: Aws, queue: str) -> list[dict[str, Any]]:
    """What arrives, and what arrives within a second more: nothing, if each failure is told once."""
    first = until(lambda: heard(aws, queue))
    time.sleep(1)
    return [*first, *heard(aws, queue)]


@pytest.mark.parametrize("code", [Exit.FAILED, Exit.ARTIFACT, Exit.TIMED_OUT, 3])
def test_a_task_that_fails_is_told_once_with_its_diagnosis(aws: Aws, queue: str, code: int) -> None:
    arn = aws.start(f"exit {int(code)}", startedBy="penstock/daily/load/1/ab12")
    diagnosis = diagnose(aws.stopped(arn))
    (message,) = received(aws, queue)

    assert message["what"] == f"a Fargate task of acme-dev failed: {diagnosis.cause}"
    assert (message["fix"], message["may_succeed_if_tried_again"]) == (diagnosis.fix, diagnosis.transient)
    assert message["task"] == arn
    assert message["started_by"] == "penstock/daily/load/1/ab12"
    assert message["ecs_says"] == "Essential container in task exited"


def test_a_task_that_never_starts_is_told_with_ecs_s_own_words(aws: Aws, queue: str) -> None:
    """A secret that is gone."""
    aws.client("secretsmanager").update_secret(SecretId=aws.outputs["Secret"], SecretString="{}")
    try:
        arn = aws.start()
        task = aws.stopped(arn)
        (message,) = received(aws, queue)
    finally:
        aws.client("secretsmanager").update_secret(SecretId=aws.outputs["Secret"], SecretString='{"token": "s3cret"}')

    assert task["stopCode"] == "TaskFailedToStart"
    assert message["ecs_says"] == task["stoppedReason"]
    assert message["fix"] == diagnose(task).fix
    assert "after #" in message["fix"]


def test_a_task_that_somebody_stops_is_told_so(aws: Aws, queue: str) -> None:
    arn = aws.start("echo up; sleep 60")
    aws.wait_for(arn, "up")
    aws.client("ecs").stop_task(cluster="main", task=arn, reason="no longer wanted")
    aws.stopped(arn)
    (message,) = received(aws, queue)

    assert "somebody" in message["what"]
    assert message["ecs_says"] == "no longer wanted"


def test_of_a_success_nobody_hears(aws: Aws, queue: str) -> None:
    aws.stopped(aws.start("exit 0"))
    time.sleep(1)

    assert heard(aws, queue) == []


def test_alarms_and_dashboard_are_made_and_go_with_the_stack(aws: Aws, queue: str) -> None:
    """And a second deploy of the same changes nothing that they are named by."""
    cloudwatch = aws.client("cloudwatch")
    alarms = {one["AlarmName"]: one for one in cloudwatch.describe_alarms()["MetricAlarms"]}
    (board,) = cloudwatch.list_dashboards()["DashboardEntries"]

    names = ("failed-tasks", "failed-tasks-watch", "out-of-memory", "scheduler", "queue", "dag-files", "reaper")
    assert set(alarms) == {f"acme-dev-{name}" for name in names}
    assert board["DashboardName"] == f"acme-dev-{REGION}"
    assert json.loads(cloudwatch.get_dashboard(DashboardName=board["DashboardName"])["DashboardBody"])["widgets"]
    rule = alarms["acme-dev-failed-tasks"]["Dimensions"][0]["Value"]
    assert aws.client("events").describe_rule(Name=rule)["State"] == "ENABLED"

    assert delete(aws.endpoint, "watch") == "DELETE_COMPLETE"
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []
