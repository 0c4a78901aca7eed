"""Starting Fargate tasks within a try: one for a call however often it is repeated, and others in its place."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from penstock_runtime.airflow.operators.limits import SPOT_INTERRUPTIONS
from penstock_runtime.diagnosis import reasons
from penstock_runtime.errors import FailedForGood, PenstockError
from tests.unit.runtime.airflow.operators.fake_aws import FakeAws, refused, timed_out, unreachable
from tests.unit.runtime.airflow.operators.one_try import (
    ENI_END,
    IMAGE_END,
    PACE,
    RETRY,
    RUN,
    SPOT_END,
    TASK,
    execute,
    execute_rest,
    one_try,
)


@pytest.mark.parametrize(
    "error",
    [
        timed_out(),
        unreachable(),
        refused("ServerException", status=500),
        refused("InternalFailure", status=503),
        refused("ThrottlingException", "Rate exceeded"),
        refused("InvalidParameterException", "Error creating network interface: Rate exceeded"),
    ],
    ids=str,
)
@pytest.mark.parametrize("moment", ["faults", "lost"])
def test_run_task_is_repeated_and_starts_one(aws: FakeAws, error: Exception, moment: str) -> None:
    """Whether the call never arrived or its answer was lost: the same token, so the same task."""
    setattr(aws, moment, {"run_task": [error, error]})

    execute(one_try(aws))

    assert len(aws.tasks) == 1
    assert len({call["clientToken"] for call in aws.of("run_task")}) == 1


@pytest.mark.parametrize("code", ["AccessDeniedException", "ClientException", "InvalidParameterException"])
def test_what_ecs_refuses_is_not_repeated(aws: FakeAws, code: str) -> None:
    """Nor does another try help."""
    aws.faults = {"run_task": [refused(code, "no")]}

    with pytest.raises(FailedForGood, match=f"{code}: no"):
        execute(one_try(aws))

    assert aws.tasks == {}


def test_spot_without_room_is_on_demand(aws: FakeAws) -> None:
    """At once, in the same try."""
    aws.failures = ["Capacity is unavailable at this time. Please try again later or in a different zone"]

    execute(one_try(aws, task=dataclasses.replace(TASK, spot=True)))

    assert ["launchType" in call for call in aws.of("run_task")] == [False, True]


def test_an_interrupted_task_begins_anew(aws: FakeAws) -> None:
    """Within its try: on Spot once more, then on demand."""
    aws.endings = [SPOT_END, SPOT_END]

    execute(one_try(aws, task=dataclasses.replace(TASK, spot=True)))

    assert ["launchType" in call for call in aws.of("run_task")] == [False, False, True]
    assert SPOT_INTERRUPTIONS == 2


def test_what_did_not_start_is_started_again(aws: FakeAws) -> None:
    """An interface that did not come, room that was not there: nothing has run, so nothing runs twice."""
    aws.endings = [ENI_END, ENI_END]
    aws.failures = ["RESOURCE:MEMORY", "RESOURCE:CPU"]

    execute(one_try(aws))

    assert len(aws.tasks) == 3


def test_there_is_an_end_to_that(aws: FakeAws) -> None:
    """By number, and by time."""
    aws.endings = [ENI_END] * 100
    with pytest.raises(PenstockError, match="did not attach network or storage in time"):
        execute(one_try(aws))
    assert len(aws.tasks) == 6

    aws.failures = ["RESOURCE:MEMORY"] * 1000
    with pytest.raises(PenstockError, match="RESOURCE:MEMORY"):
        execute(
            one_try(aws, dataclasses.replace(RETRY, run_id="other"), pace=dataclasses.replace(PACE, start_again=0.2))
        )


def test_a_mistake_is_not_tried_again(aws: FakeAws) -> None:
    """An image that does not exist: neither in this try nor in another."""
    aws.endings = [IMAGE_END]

    with pytest.raises(FailedForGood, match="the image is not in its registry"):
        execute(one_try(aws))

    assert len(aws.tasks) == 1


@pytest.mark.parametrize(
    "ending",
    [
        {"code": 137, "stoppedReason": "Essential container in task exited"},
        {"code": 137, "stoppedReason": "OutOfMemoryError: Container killed due to memory usage"},
    ],
)
def test_memory_grows_with_each_shortage(aws: FakeAws, ending: dict[str, Any]) -> None:
    """From one try to the next, up to the largest; another failure does not count."""
    aws.endings = [ending, {"code": 1}, ending, ending]
    task = dataclasses.replace(TASK, larger_memory_mib=(2048, 4096))
    for number in range(1, 5):
        with pytest.raises(PenstockError, match="exit code"):
            execute(one_try(aws, dataclasses.replace(RUN, try_number=number), task))

    assert [call["overrides"]["memory"] for call in aws.of("run_task")] == ["1024", "2048", "2048", "4096"]


def test_a_shortage_before_a_clear_does_not_count(aws: FakeAws) -> None:
    """A run that is wanted anew begins with the memory of the first try."""
    aws.endings = [{"code": 137}]
    task = dataclasses.replace(TASK, larger_memory_mib=(2048,))
    with pytest.raises(PenstockError, match="exit code 137"):
        execute(one_try(aws, RUN, task))

    execute(one_try(aws, dataclasses.replace(RETRY, first_try=2), task))

    assert [call["overrides"]["memory"] for call in aws.of("run_task")] == ["1024", "1024"]


def test_memory_stays_for_what_goes_on_elsewhere(aws: FakeAws) -> None:
    """A task that Spot takes away after a deferral begins anew with what the try had."""
    aws.endings = [{"code": 137}, SPOT_END]
    task = dataclasses.replace(TASK, larger_memory_mib=(2048,), spot=True)
    with pytest.raises(PenstockError, match="exit code 137"):
        execute(one_try(aws, RUN, task))
    retry = one_try(aws, RETRY, task)
    retry.begin()

    execute_rest(one_try(aws, RETRY, task, state=json.loads(json.dumps(retry.state()))))

    assert [call["overrides"]["memory"] for call in aws.of("run_task")] == ["1024", "2048", "2048"]


def test_spot_takes_an_image_of_ones_own_that_ends_with_0(aws: FakeAws) -> None:
    """With half of its work done, it has not succeeded."""
    aws.endings = [{**SPOT_END, "code": 0}]

    execute(one_try(aws, task=dataclasses.replace(TASK, spot=True, runtime=False)))

    assert len(aws.tasks) == 2


def test_an_older_process_stops_the_task_that_a_retry_has_adopted(aws: FakeAws) -> None:
    """Airflow gave it up, but it still ran: the retry starts another, twice at most."""
    ending = {"code": 143, "stopCode": "UserInitiated", "stoppedReason": reasons.KILLED}
    aws.endings = [ending]
    execute(one_try(aws))
    assert len(aws.tasks) == 2

    aws.endings = [ending] * 10
    with pytest.raises(PenstockError, match="exit code 143"):
        execute(one_try(aws, dataclasses.replace(RUN, run_id="other")))
    assert len(aws.tasks) == 2 + 3


def test_credentials_that_are_being_renewed_end_no_try(aws: FakeAws) -> None:
    """They come by themselves."""
    expired = refused("ExpiredTokenException", "The security token included in the request is expired")
    aws.faults = {"list_tasks": [expired], "run_task": [expired, refused("UnrecognizedClientException")]}

    execute(one_try(aws))

    assert len(aws.tasks) == 1


def test_a_refused_token_names_its_task(aws: FakeAws) -> None:
    """Also one that has ended: ECS gives the ARN with the error."""
    one_try(aws).begin()
    (arn,) = aws.tasks
    aws.end(arn, 0)
    conflict = refused("ConflictException", resourceIds=[arn])
    aws.faults = {"run_task": [conflict], "list_tasks": [None, None]}
    fargate = one_try(aws)
    aws.tasks[arn]["startedBy"] = "not listed yet"

    execute(fargate)

    assert (fargate.arn, len(aws.tasks)) == (arn, 1)


def test_a_task_that_ecs_does_not_list_yet_is_found_by_its_token(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """ListTasks may lag: ECS refuses the token, and shows the task a little later."""
    aws.looks = 10
    one_try(aws).begin()
    listed = aws.list_tasks
    late = iter([{"taskArns": []}] * 4)
    monkeypatch.setattr(aws, "list_tasks", lambda **given: next(late, None) or listed(**given))
    aws.faults = {"run_task": [refused("ConflictException")]}

    execute(one_try(aws))

    assert len(aws.tasks) == 1
