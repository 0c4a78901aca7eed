"""The message about a Fargate task that failed, and the metric that the alarm on memory reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock_runtime import contract
from penstock_runtime.functions import stopped_tasks
from tests.unit.runtime.diagnosis.stopped_task import stopped

TASK = "arn:aws:ecs:eu-west-1:111122223333:task/acme-dev/0a1b2c"
OF = {"Project": "acme", "Environment": "dev"}
OUT_OF_MEMORY = {"code": 137, "container_reason": "OutOfMemoryError: Container killed due to memory usage"}
BY_SOMEBODY = {"code": 143, "stop_code": "UserInitiated", "reason": "Task stopped by user"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the function, without a topic: nothing is published."""
    for name, value in {"PROJECT": "acme", "ENVIRONMENT": "dev", "NAMESPACE": "Penstock", "LOG_GROUP": "/x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TOPIC", "")


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("task", "count"), [(OUT_OF_MEMORY, 1), ({"code": 137}, 0), ({"code": 1}, 0), (BY_SOMEBODY, 0)]
)
def test_only_a_task_that_ran_out_of_memory_counts(
    task: dict[str, Any], count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """As 1; every other failure as 0, so that the metric has data."""
    stopped_tasks.handler({"detail": {**stopped(**task), "taskArn": TASK}, "time": "2026-11-21T12:00:00Z"}, None)
    line = json.loads(capsys.readouterr().out)

    assert line[stopped_tasks.OUT_OF_MEMORY] == count
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Project", "Environment"]]


def test_message_says_where_the_log_is() -> None:
    """The stream as the log driver names it."""
    subject, text = stopped_tasks.message({**stopped(**OUT_OF_MEMORY), "taskArn": TASK}, "now", of=OF, log_group="/x")
    data = json.loads(text)

    assert subject == "Penstock acme-dev: task failed, OutOfMemory"
    assert data["log_stream"] == contract.log_stream(TASK) == f"penstock/{contract.CONTAINER_NAME}/0a1b2c"
    assert data["task"] == TASK


def test_message_says_that_somebody_stopped_the_task() -> None:
    """Exit code 143 alone would say no more than that it was asked to stop."""
    subject, text = stopped_tasks.message({**stopped(**BY_SOMEBODY), "taskArn": TASK}, "now", of=OF, log_group="/x")

    assert subject == "Penstock acme-dev: task failed, StoppedBySomebody"
    assert "stopped the task" in json.loads(text)["what"]
