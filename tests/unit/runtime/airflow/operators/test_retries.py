"""What a try does about the Fargate tasks that earlier tries left, from the look to the result."""

from __future__ import annotations

import dataclasses
import logging

import pytest

from penstock_runtime.errors import FailedForGood, PenstockError
from tests.unit.runtime.airflow.operators.fake_aws import FakeAws, refused
from tests.unit.runtime.airflow.operators.one_try import RETRY, TASK, execute, one_try, shown


def test_a_retry_adopts_what_still_runs(aws: FakeAws) -> None:
    """Airflow's worker was killed: one task, to its end."""
    aws.looks = 10
    one_try(aws).begin()

    execute(one_try(aws, RETRY))

    assert len(aws.tasks) == 1
    assert aws.of("stop_task") == []


def test_a_retry_takes_a_result_that_nobody_saw(aws: FakeAws, caplog: pytest.LogCaptureFixture) -> None:
    """The task ended with 0 while Airflow was away: it does not run again, and its log is shown."""
    caplog.set_level(logging.INFO)
    first = one_try(aws)
    first.begin()
    first.wait()
    caplog.clear()

    execute(one_try(aws, RETRY))

    assert len(aws.tasks) == 1
    assert [line for line in shown(caplog) if line in aws.lines] == aws.lines


def test_a_retry_of_what_failed_runs_anew(aws: FakeAws) -> None:
    """With a token of its own."""
    aws.endings = [{"code": 1, "stoppedReason": "Essential container in task exited"}]
    with pytest.raises(PenstockError, match="exit code 1"):
        execute(one_try(aws))

    execute(one_try(aws, RETRY))

    assert [aws.facts(number)["try"] for number in range(2)] == [1, 2]


def test_a_task_without_reattach_is_stopped_first(aws: FakeAws) -> None:
    """Two never run side by side."""
    aws.looks = 10
    task = dataclasses.replace(TASK, reattach=False)
    one_try(aws, task=task).begin()

    execute(one_try(aws, RETRY, task))

    operations = [name for name, _ in aws.calls if name in ("run_task", "stop_task")]
    assert operations == ["run_task", "stop_task", "run_task"]


def test_the_same_try_again_goes_on(aws: FakeAws) -> None:
    """Airflow may start a try twice, after its process was lost; a failed task of it does not count."""
    aws.endings = [{"code": 1}]
    with pytest.raises(PenstockError, match="exit code 1"):
        execute(one_try(aws))
    aws.looks = 5
    one_try(aws).begin()

    execute(one_try(aws))

    assert len(aws.tasks) == 2


def test_a_store_of_airflow_s_names_a_task(aws: FakeAws) -> None:
    """From Airflow 3.3 on: found also where ListTasks shows nothing."""
    aws.looks = 10
    started: list[str] = []
    one_try(aws, on_start=started.append).begin()
    aws.tasks[started[0]]["startedBy"] = "somebody else"

    execute(one_try(aws, RETRY, known=started))

    assert len(aws.tasks) == 1


def test_a_role_that_may_not_list(aws: FakeAws, caplog: pytest.LogCaptureFixture) -> None:
    """A first try has nothing to look for; a retry must not start a second task beside a first one."""
    denied = refused("AccessDeniedException", "not authorized to perform: ecs:ListTasks")
    aws.faults = {"list_tasks": [denied]}
    execute(one_try(aws))
    assert "ecs:ListTasks" in caplog.text

    aws.faults = {"list_tasks": [denied]}
    with pytest.raises(PenstockError, match="not known whether an earlier try's task still runs") as caught:
        execute(one_try(aws, RETRY))
    assert len(aws.tasks) == 1
    # Permissions take a while to arrive: the next try may look again.
    assert not isinstance(caught.value, FailedForGood)


def test_what_stops_may_have_succeeded(aws: FakeAws) -> None:
    """A try looks again once nothing of the ones before it runs."""
    aws.looks = 3
    one_try(aws).begin()
    (task,) = aws.tasks.values()
    task |= {"desiredStatus": "STOPPED", "lastStatus": "DEACTIVATING"}

    execute(one_try(aws, RETRY))

    assert len(aws.tasks) == 1
