"""ECS's stop reasons, in the words that ECS uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock_runtime.contract import Exit
from penstock_runtime.diagnosis import reasons
from penstock_runtime.diagnosis.diagnose import diagnose, is_metric_line, reason_of
from tests.unit.runtime.diagnosis.stopped_task import CASES, metric_line, stopped


@pytest.mark.parametrize("program", ["python3", "etl", "/opt/etl"])
@pytest.mark.parametrize(
    "words",
    ['exec: "{}": executable file not found in $PATH: unknown', 'exec: "{}": stat {}: no such file or directory'],
)
def test_a_missing_program_of_an_own_image_is_the_command_s(words: str, program: str) -> None:
    """There nobody but the user named it, also where it is Python: no word of the runtime or of its key."""
    reason = "CannotStartContainerError: failed to create shim task: " + words.format(program, program)
    diagnosis = diagnose(stopped(stop_code="TaskFailedToStart", reason=reason, alone=True))

    assert "correct the command in penstock.yaml" in diagnosis.fix
    assert "runtime" not in diagnosis.cause + diagnosis.fix
    assert "python: true" not in diagnosis.cause + diagnosis.fix


@pytest.mark.parametrize("code", [Exit.WRONG_INPUT, Exit.ARTIFACT, Exit.TIMED_OUT])
def test_exit_codes_of_an_own_image_are_the_command_s(code: int) -> None:
    """What a code means in our runtime, it does not mean there: `ls` ends with 2 where a file is missing."""
    diagnosis = diagnose(stopped(code=code, alone=True))

    assert (diagnosis.cause, diagnosis.fix) == (
        "the engine ended with an exit code of its own",
        "read the end of the task's log",
    )


@pytest.mark.parametrize("code", [137, 143, 124, None])
def test_the_time_of_an_own_image_is_airflow_s(code: int | None) -> None:
    """It stopped the task by `on_kill`; somebody else stops it in other words."""
    words = "Task killed by the user"
    diagnosis = diagnose(stopped(code=code, stop_code="UserInitiated", reason=words, alone=True))
    others = diagnose(stopped(code=code, stop_code="UserInitiated", reason="enough", alone=True))

    assert "raise timeout_minutes" in diagnosis.fix
    assert others.cause.startswith("somebody stopped the task, or Airflow")


@pytest.mark.parametrize(("reason", "code", "fix", "transient"), CASES)
def test_knows_what_ecs_says(reason: str, code: int | None, fix: str, transient: bool) -> None:
    """Each known reason has its fix, and whether trying again helps; ECS's own words are kept."""
    diagnosis = diagnose(stopped(code=code, stop_code="TaskFailedToStart", reason=reason))

    assert fix in diagnosis.fix + diagnosis.cause
    assert diagnosis.transient is transient
    assert reason in diagnosis.summary


def test_reads_the_containers_reason_first() -> None:
    """The container reports out of memory; the task says only that it exited."""
    diagnosis = diagnose(
        stopped(
            code=137, reason="Essential container in task exited", container_reason="OutOfMemoryError: Container killed"
        )
    )

    assert "memory" in diagnosis.cause
    assert "exit code 137: OutOfMemoryError" in diagnosis.summary


@pytest.mark.parametrize("code", [code for code in Exit if code is not Exit.DONE])
def test_knows_every_exit_code_of_ours(code: Exit) -> None:
    """Each documented code has a cause and a fix of its own."""
    diagnosis = diagnose(stopped(code=code, reason="Essential container in task exited"))
    unknown = diagnose(stopped(code=99, reason="Essential container in task exited"))

    assert diagnosis.cause != unknown.cause
    assert f"exit code {code:d}" in diagnosis.summary


COLLIDING = [Exit.WRONG_INPUT, Exit.ARTIFACT, Exit.TIMED_OUT, Exit.KILLED, Exit.STOPPED]


@pytest.mark.parametrize("code", COLLIDING)
def test_says_whose_an_exit_code_is(code: Exit) -> None:
    """The engine's own 2, 65, 124, 137 or 143 counts as its own if the log says so, and as Penstock's if it is;
    without a log both readings are given."""
    task = stopped(code=code, reason="Essential container in task exited")
    diagnoses = {by: diagnose(task, ["some line", metric_line(by)]) for by in ("penstock", "signal", "engine")}
    unknown = diagnose(task)

    assert "refused" not in diagnoses["engine"].cause
    assert "time limit" not in diagnoses["engine"].cause
    assert "exit code" in diagnoses["engine"].cause
    assert len({one.cause for one in (*diagnoses.values(), unknown)}) >= 3
    assert " or " in unknown.cause
    assert diagnose(task, [metric_line("of a later runtime"), "{"]).cause == unknown.cause


def test_an_error_of_the_container_at_the_end_of_the_log_is_its_own() -> None:
    """What refuses to start has written no metric line; what else is in the log does not decide."""
    task = stopped(code=2, reason="Essential container in task exited")
    refused = ["penstock: the environment variable PENSTOCK_RUN is not set", "  fix: deploy again", ""]

    assert reason_of(task, refused).name == "WrongInput"
    assert reason_of(task, [*refused, "usage: load [-h]"]).name == "WrongInputOrOwnExit"


@pytest.mark.parametrize("code", [2, 65, 124])
def test_a_code_that_came_before_a_stop_says_more_than_who_stopped(code: int) -> None:
    """But an engine of somebody else's that ends on SIGTERM with another code was stopped."""
    person = {"stop_code": "UserInitiated", "reason": "Task stopped by user"}

    assert reason_of(stopped(code=code, **person)) == reason_of(stopped(code=code))
    assert reason_of(stopped(code=3, **person)).name == "StoppedBySomebody"
    assert reason_of(stopped(code=3, **person), [metric_line("engine")]).name == "OtherExit"


def test_knows_the_metric_line_from_others() -> None:
    assert is_metric_line(metric_line("engine"))
    assert not is_metric_line('{"event": "loaded", "_aws": 1}')


def test_tells_spot_from_a_person() -> None:
    """Both end in 143; only one is worth trying again."""
    spot = diagnose(stopped(code=143, stop_code="SpotInterruption", reason="Your Spot Task was interrupted."))
    person = diagnose(stopped(code=143, stop_code="UserInitiated", reason="Task stopped by user"))

    assert spot.transient
    assert not person.transient
    assert "stopped the task" in person.cause


def test_a_success_needs_nothing() -> None:
    """Exit code 0 is not a failure, whatever else ECS says."""
    assert diagnose(stopped(code=0, reason="Essential container in task exited")).fix == "nothing to do"


def test_says_something_where_ecs_says_nothing() -> None:
    """No container, no reason: still a summary and a fix."""
    diagnosis = diagnose({})

    assert "ECS gives no reason" in diagnosis.summary
    assert diagnosis.fix


def test_the_trigger_gives_the_operator_s_reason() -> None:
    """The plugin stands alone, and a diagnosis goes by the words."""
    plugin = Path(__file__).resolve().parents[4] / "runtime" / "plugin" / "penstock_trigger.py"

    assert f'KILLED = "{reasons.KILLED}"\n' in plugin.read_text()


OUTCOME = ["penstock: failed, exit code 1, after 2.0 s", metric_line("penstock")]


@pytest.mark.parametrize("code", [1, 2, 65])
def test_error_of_the_container_is_the_diagnosis(code: int) -> None:
    """Its log has the cause and what to do: no message need send anybody there."""
    log = [
        "penstock: acme/dev: daily.load",
        "penstock: the server x has",
        "version 2.0.7",
        "  fix: set the version",
        *OUTCOME,
    ]
    found = diagnose(stopped(code=code), log)

    assert (found.cause, found.fix) == ("the server x has version 2.0.7", "set the version")


@pytest.mark.parametrize("log", [OUTCOME, ["  fix: half a log", *OUTCOME], ["penstock: no fix", *OUTCOME], []])
def test_log_without_an_error_is_not_the_diagnosis(log: list[str]) -> None:
    """Then the exit code says what it can."""
    found = diagnose(stopped(code=1), log)

    assert found.cause == "the engine or the command ran and reported a failure"


@pytest.mark.parametrize(("code", "ended_by"), [(124, "penstock"), (137, "signal")])
def test_limit_and_memory_are_not_told_by_an_earlier_error(code: int, ended_by: str) -> None:
    """A container that was killed had other things to say before."""
    found = diagnose(stopped(code=code), ["penstock: the token is old", "  fix: take another", metric_line(ended_by)])

    assert "take another" not in found.fix
