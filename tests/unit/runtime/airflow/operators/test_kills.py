"""A kill at any moment stops the Fargate task, in the seconds that Airflow gives it."""

from __future__ import annotations

import logging

import pytest

from penstock_runtime.airflow.operators import kill
from penstock_runtime.errors import PenstockError
from tests.unit.runtime.airflow.operators.fake_aws import FakeAws, refused, timed_out, unreachable
from tests.unit.runtime.airflow.operators.one_try import RETRY, execute, one_try


@pytest.mark.parametrize("tries", [0, 3], ids=["at once", "after errors"])
def test_a_kill_while_the_answer_is_on_its_way(aws: FakeAws, tries: int) -> None:
    """The ARN is not known yet: the same call tells it, also while ECS does not list the task."""
    fargate = one_try(aws)
    aws.list_tasks = lambda **_: {"taskArns": []}  # type: ignore[method-assign,misc,assignment]  for this object
    aws.during = {"run_task": fargate.kill}
    aws.lost = {"run_task": [None, *[timed_out()] * tries]}
    aws.faults = {"stop_task": [unreachable()] * tries}
    aws.looks = 10_000

    with pytest.raises(PenstockError, match="Airflow stopped the task"):
        execute(fargate)

    assert len(aws.tasks) == 1
    assert all(task["lastStatus"] == "STOPPED" for task in aws.tasks.values())


def test_a_kill_of_a_running_task(aws: FakeAws) -> None:
    """It is stopped, with a reason that says why."""
    fargate = one_try(aws)
    aws.looks = 10_000
    fargate.begin()

    fargate.kill()

    assert [call["task"] for call in aws.of("stop_task")] == [fargate.arn]
    assert "Airflow ended this try" in aws.of("stop_task")[0]["reason"]
    with pytest.raises(PenstockError, match="Airflow stopped the task"):
        fargate.wait()


def test_a_kill_before_anything_was_asked_for(aws: FakeAws) -> None:
    """Nothing is started any more."""
    fargate = one_try(aws)
    aws.during = {"list_tasks": fargate.kill}
    aws.faults = {"list_tasks": [None, unreachable()]}

    with pytest.raises(PenstockError, match="no Fargate task had started"):
        execute(fargate)

    assert aws.tasks == {}


def test_a_kill_while_a_try_looks_stops_what_it_was_about_to_adopt(aws: FakeAws) -> None:
    """The Airflow task was marked: nothing of it goes on."""
    aws.looks = 10_000
    one_try(aws).begin()
    retry = one_try(aws, RETRY)
    aws.during = {"describe_tasks": retry.kill}

    with pytest.raises(PenstockError, match="Airflow stopped the task"):
        retry.begin()

    assert [task["lastStatus"] for task in aws.tasks.values()] == ["STOPPED"]


def test_a_kill_says_nothing(aws: FakeAws, caplog: pytest.LogCaptureFixture) -> None:
    """Its signal may come while the log's lock is held: a line would never return."""
    caplog.set_level(logging.DEBUG)
    fargate = one_try(aws)
    fargate.begin()
    caplog.clear()
    aws.faults = {"stop_task": [unreachable(), timed_out()]}

    fargate.kill()

    assert caplog.text == ""


def test_a_kill_that_ecs_does_not_answer_raises_in_time(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow 3 leaves five seconds; the operator hands the rest to a process of its own."""
    monkeypatch.setattr(kill, "KILL_SECONDS", 0.05)
    fargate = one_try(aws)
    fargate.begin()
    aws.faults = {"stop_task": [unreachable()] * 1_000_000}

    with pytest.raises(PenstockError, match="could not stop"):
        fargate.kill()
    # What the try's log says then: not that the task was stopped.
    with pytest.raises(PenstockError, match="may run on: could not stop arn:"):
        fargate.wait()


def test_a_kill_that_ecs_refuses_is_told(aws: FakeAws) -> None:
    """The role may have lost the permission."""
    fargate = one_try(aws)
    fargate.begin()
    aws.faults = {"stop_task": [refused("AccessDeniedException", "not authorized to perform: ecs:StopTask")]}

    with pytest.raises(PenstockError, match="could not be stopped"):
        fargate.kill()

    assert "not authorized to perform: ecs:StopTask" in fargate.kill_trouble
