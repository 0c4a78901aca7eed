"""One try of an Airflow task, from its Fargate task's start to the verdict, whatever goes wrong on the way."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Any

import pytest

from penstock_runtime.airflow.operators import ecs_calls
from penstock_runtime.errors import FailedForGood, PenstockError
from tests.unit.runtime.airflow.operators.fake_aws import FakeAws, refused, timed_out, unreachable
from tests.unit.runtime.airflow.operators.one_try import SPOT_END, TASK, execute, one_try, shown

STOPS = [
    ("EssentialContainerExited", True, True),
    ("EssentialContainerExited", False, True),
    ("UserInitiated", True, True),
    ("UserInitiated", False, False),
    ("ServiceSchedulerInitiated", False, False),
    ("TaskFailedToStart", True, False),
]


def test_a_task_runs_once_and_its_log_is_shown(aws: FakeAws, caplog: pytest.LogCaptureFixture) -> None:
    """Every line, once and in order."""
    caplog.set_level(logging.INFO)
    execute(one_try(aws))

    assert len(aws.tasks) == 1
    assert [line for line in shown(caplog) if line in aws.lines] == aws.lines


def test_no_error_ends_the_wait(aws: FakeAws, caplog: pytest.LogCaptureFixture) -> None:
    """Of the network, of AWS, of IAM; each is mentioned once."""
    errors = [unreachable(), timed_out(), refused("ServerException", status=500), refused("AccessDeniedException")]
    aws.faults = {"describe_tasks": [error for error in errors for _ in range(2)], "get_log_events": [*errors]}
    caplog.set_level(logging.INFO)

    execute(one_try(aws))

    assert len(aws.tasks) == 1
    assert aws.of("stop_task") == []
    assert [line for line in shown(caplog) if line in aws.lines] == aws.lines
    warnings = [record.getMessage() for record in caplog.records if "cannot look at" in record.getMessage()]
    assert len(warnings) == len(set(warnings)) == len(errors)


def test_the_deadline_ends_the_wait(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is stopped, and the message has its ARN."""
    aws.looks = 10_000
    fargate = one_try(aws)
    fargate.begin()
    monkeypatch.setattr(fargate, "deadline", 1.0)

    with pytest.raises(PenstockError, match="15 minutes after its time limit") as caught:
        fargate.settle(fargate.wait())

    (stop,) = aws.of("stop_task")
    assert stop["task"] == fargate.arn
    assert str(fargate.arn) in str(caught.value)


def test_an_engine_s_failure_may_pass(aws: FakeAws) -> None:
    """Airflow's retries are for it; the last lines of the log are in the error, the metric line is not."""
    aws.endings = [{"code": 1, "stoppedReason": "Essential container in task exited"}]

    with pytest.raises(PenstockError, match="exit code 1") as caught:
        execute(one_try(aws))

    assert not isinstance(caught.value, FailedForGood)
    assert "| last" in str(caught.value)
    assert "_aws" not in str(caught.value)


def test_a_new_task_may_be_unknown_for_a_while(aws: FakeAws) -> None:
    """ECS's answers may lag behind what it has done."""
    fargate = one_try(aws)
    fargate.begin()
    task = aws.tasks.pop(str(fargate.arn))
    described, looks = aws.describe_tasks, iter(range(100))

    def late(**given: Any) -> dict[str, Any]:
        if next(looks) == 5:
            aws.tasks[task["taskArn"]] = task
        return described(**given)

    aws.describe_tasks = late  # type: ignore[method-assign]  for this object

    assert fargate.wait()["lastStatus"] == "STOPPED"


@pytest.mark.parametrize("code", [0, 3, None])
def test_a_task_that_ecs_has_forgotten_ends_as_its_log_says(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    """A triggerer may have been away for longer than the hour for which ECS knows what has stopped."""
    monkeypatch.setattr(ecs_calls, "UNSEEN_SECONDS", 0.0)
    aws.lines = ["a line", json.dumps({"_aws": {"Timestamp": 1}, "ExitCode": code, "EndedBy": "engine"})]
    fargate = one_try(aws)
    fargate.begin()
    aws.tasks.clear()

    if code is None:
        with pytest.raises(PenstockError, match="ECS no longer knows arn:"):
            fargate.wait()
        return
    ended = fargate.wait()
    if code == 0:
        assert fargate.settle(ended)
    else:
        with pytest.raises(PenstockError, match="exit code 3"):
            fargate.settle(ended)


def test_another_process_goes_on(aws: FakeAws) -> None:
    """What it needs is plain data; its interruptions and attempts count on."""
    aws.endings = [SPOT_END, SPOT_END]
    spot = dataclasses.replace(TASK, spot=True)
    fargate = one_try(aws, task=spot)
    fargate.begin()
    while True:
        fargate = one_try(aws, task=spot, state=json.loads(json.dumps(fargate.state())))
        if fargate.settle(fargate.wait()):
            break

    assert ["launchType" in call for call in aws.of("run_task")] == [False, False, True]
    assert len({call["clientToken"] for call in aws.of("run_task")}) == 3


@pytest.mark.parametrize(("stop_code", "runtime", "succeeded"), STOPS)
def test_exit_code_0_is_a_success_of_what_ended_by_itself(
    aws: FakeAws, stop_code: str, runtime: bool, succeeded: bool
) -> None:
    """The runtime has a code of its own for what was stopped; a program of the user's may end with 0 then."""
    aws.endings = [{"code": 0, "stopCode": stop_code, "stoppedReason": "somebody"}] * 10
    fargate = one_try(aws, task=dataclasses.replace(TASK, runtime=runtime))

    if succeeded:
        execute(fargate)
    else:
        with pytest.raises(PenstockError, match="exit code 0"):
            execute(fargate)
