"""What time it is at AWS."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest

from penstock_runtime.airflow.operators.aws_clock import AwsClock
from penstock_runtime.airflow.operators.earlier import variable
from penstock_runtime.contract import DEADLINE
from tests.unit.runtime.airflow.operators.fake_aws import FakeAws, refused
from tests.unit.runtime.airflow.operators.one_try import RETRY, RUN, execute_rest, one_try

HOUR = 3600.0
START = 45 * 60
"""From asking for a task to its deadline: its limit, and the time for its start."""


def answer(date: str) -> dict[str, Any]:
    return {"ResponseMetadata": {"HTTPHeaders": {"date": date}}}


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, 40.0])
def test_an_answer_says_what_time_it_is(ahead: float) -> None:
    """However far off the machine's own clock is."""
    clock = AwsClock()
    clock.hear(answer(formatdate(time.time() + ahead)))

    assert clock.now() == pytest.approx(time.time() + ahead, abs=2)


@pytest.mark.parametrize("small", [5.0, -20.0])
def test_a_small_difference_is_the_way_of_the_answer(small: float) -> None:
    """A clock that was off and has come right is the machine's again."""
    clock = AwsClock()
    clock.hear(answer(formatdate(time.time() + HOUR)))
    clock.hear(answer(formatdate(time.time() + small)))

    assert clock.now() == pytest.approx(time.time(), abs=0.5)


@pytest.mark.parametrize("silent", [{}, {"ResponseMetadata": {}}, answer("yesterday"), answer("")], ids=repr)
def test_an_answer_without_a_time_changes_nothing(silent: dict[str, Any]) -> None:
    """Nor does one that cannot be read."""
    clock = AwsClock()
    clock.hear(answer(formatdate(time.time() + HOUR)))
    clock.hear(silent)

    assert clock.now() == pytest.approx(time.time() + HOUR, abs=2)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_deadline_is_by_the_clock_of_ecs(aws: FakeAws, ahead: float) -> None:
    """What stops a task after its deadline runs at AWS."""
    aws.ahead = ahead
    fargate = one_try(aws)
    fargate.begin()
    (task,) = aws.tasks.values()

    assert fargate.deadline == pytest.approx(time.time() + ahead + START, abs=3)
    assert variable(task, DEADLINE) == str(int(fargate.deadline))


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_retry_whose_clock_is_off_stops_nothing(aws: FakeAws, ahead: float) -> None:
    """It goes on with the task, which has most of its time left; an error of AWS says what time it is, too."""
    one_try(aws, RUN).begin()
    (arn,) = aws.tasks
    aws.tasks[arn]["createdAt"] = time.time()
    # ECS has the right time: to a clock that is off, it is ahead or behind.
    (container,) = aws.tasks[arn]["overrides"]["containerOverrides"]
    for one in container["environment"]:
        if one["name"] == DEADLINE:
            one["value"] = str(int(time.time() + ahead + START))
    aws.ahead = ahead
    aws.tasks[arn]["looks"] = 5
    fargate = one_try(aws, RETRY)
    fargate.begin()
    execute_rest(fargate)

    assert aws.of("stop_task") == []
    assert len(aws.tasks) == 1


def test_an_error_says_what_time_it_is(aws: FakeAws) -> None:
    """ListTasks may be refused to a role, and then RunTask is the next call."""
    error = refused("AccessDeniedException")
    error.response["ResponseMetadata"]["HTTPHeaders"] = {"date": formatdate(time.time() + HOUR)}
    aws.faults = {"list_tasks": [error]}
    fargate = one_try(aws)
    fargate.begin()

    assert fargate.deadline == pytest.approx(time.time() + HOUR + START, abs=3)
