"""One try of an Airflow task: exactly one Fargate task does the work, whatever goes wrong on the way."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Any

import pytest

from penstock_runtime.airflow.operators import ecs_calls, fargate_run
from penstock_runtime.airflow.operators.airflow_run import AirflowRun
from penstock_runtime.airflow.operators.fargate_run import FargateRun
from penstock_runtime.airflow.operators.limits import SPOT_INTERRUPTIONS, Pace
from penstock_runtime.diagnosis import reasons
from penstock_runtime.errors import FailedForGood, PenstockError
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources
from tests.unit.runtime.airflow.operators.fake_aws import FakeAws, refused, timed_out, unreachable

RESOURCES = Resources("eu-west-1", "acme", ("subnet-1",), ("sg-1",), False, "/penstock/acme", "artifacts")
RUN = AirflowRun("daily", "manual__1", "load", -1, try_number=1, first_try=1)
RETRY = dataclasses.replace(RUN, try_number=2)
TASK = FargateTask(
    name="load",
    after=(),
    engine="meltano",
    operator="ecs",
    family="acme-meltano-1a2b",
    cpu_units=512,
    memory_mib=1024,
    ephemeral_storage_gib=20,
    timeout_minutes=30,
    spot=False,
    environment={},
    names=(),
    command=("run",),
)
METRIC = json.dumps({"_aws": {"Timestamp": 1}, "ExitCode": 0, "EndedBy": "engine"})
PACE = Pace(poll=0.001, least=0.001, restart=0.001, drain=0.001)
LOG = logging.getLogger("the try")

SPOT_END = {"code": 143, "stopCode": "SpotInterruption", "stoppedReason": "Your Spot Task was interrupted."}
ENI_END = {"stopCode": "TaskFailedToStart", "stoppedReason": "Timeout waiting for network interface provisioning"}
IMAGE_END = {"stopCode": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: manifest unknown"}


@pytest.fixture
def aws() -> FakeAws:
    fake = FakeAws()
    fake.lines = ["first", "last", METRIC]
    return fake


def one_try(aws: FakeAws, run: AirflowRun = RUN, task: FargateTask = TASK, **arguments: Any) -> FargateRun:
    return FargateRun(task, RESOURCES, run, {}, **{"clients": aws.client, "logger": LOG, "pace": PACE, **arguments})


def execute(fargate: FargateRun) -> None:
    """As the operator does."""
    fargate.begin()
    execute_rest(fargate)


def execute_rest(fargate: FargateRun) -> None:
    while not fargate.settle(fargate.wait()):
        pass


def shown(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]


def test_a_task_runs_once_and_its_log_is_shown(aws: FakeAws, caplog: pytest.LogCaptureFixture) -> None:
    """Every line, once and in order."""
    caplog.set_level(logging.INFO)
    execute(one_try(aws))

    assert len(aws.tasks) == 1
    assert [line for line in shown(caplog) if line in aws.lines] == aws.lines


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
        if next(looks) == 50:
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


STOPS = [
    ("EssentialContainerExited", True, True),
    ("EssentialContainerExited", False, True),
    ("UserInitiated", True, True),
    ("UserInitiated", False, False),
    ("ServiceSchedulerInitiated", False, False),
    ("TaskFailedToStart", True, False),
]


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
    monkeypatch.setattr(fargate_run, "KILL_SECONDS", 0.05)
    fargate = one_try(aws)
    fargate.begin()
    aws.faults = {"stop_task": [unreachable()] * 1_000_000}

    with pytest.raises(PenstockError, match="could not stop"):
        fargate.kill()


def test_what_stops_may_have_succeeded(aws: FakeAws) -> None:
    """A try looks again once nothing of the ones before it runs."""
    aws.looks = 3
    one_try(aws).begin()
    (task,) = aws.tasks.values()
    task |= {"desiredStatus": "STOPPED", "lastStatus": "DEACTIVATING"}

    execute(one_try(aws, RETRY))

    assert len(aws.tasks) == 1


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
