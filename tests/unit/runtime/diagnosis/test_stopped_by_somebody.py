"""A task that somebody stopped is reported as such, and not by the exit code that it then has."""

from __future__ import annotations

import pytest

from penstock_runtime.diagnosis.diagnose import diagnose, reason_of
from tests.unit.runtime.diagnosis.stopped_task import BY_REAPER, metric_line, stopped

PERSON = {"stop_code": "UserInitiated", "reason": "Task stopped by user"}


@pytest.mark.parametrize("alone", [False, True], ids=["with the runtime", "in the user's image"])
@pytest.mark.parametrize("code", [None, 0, 1, 3, 126, 127, 137, 139, 143])
def test_who_stopped_a_task_says_more_than_its_exit_code(code: int | None, alone: bool) -> None:
    """Whatever the container made of SIGTERM; none at all where it never answered."""
    assert reason_of(stopped(code=code, alone=alone, **PERSON)).name == "StoppedBySomebody"


@pytest.mark.parametrize("ended_by", ["penstock", "signal"])
def test_the_containers_own_words_do_not_hide_who_stopped_it(ended_by: str) -> None:
    """The runtime reports its own end by SIGTERM, and the engine's by a signal that it passed on."""
    for code in (137, 143):
        assert reason_of(stopped(code=code, **PERSON), [metric_line(ended_by)]).name == "StoppedBySomebody"


def test_a_person_is_told_apart_from_an_end_by_itself() -> None:
    """The same code without the stop has its own reason."""
    by_itself, by_person = diagnose(stopped(code=143)), diagnose(stopped(code=143, **PERSON))

    assert by_itself.cause != by_person.cause
    assert "stopped the task" in by_person.cause


@pytest.mark.parametrize("alone", [False, True], ids=["with the runtime", "in the user's image"])
@pytest.mark.parametrize("code", [None, 1, 124, 137, 143])
@pytest.mark.parametrize("ended_by", ["penstock", "signal", "engine"])
def test_the_reaper_is_told_apart_from_a_person(code: int | None, alone: bool, ended_by: str) -> None:
    """Its words say that Airflow has lost the run: more than any exit code, whoever chose that."""
    task = stopped(code=code, alone=alone, **BY_REAPER)
    diagnosis = diagnose(task, [metric_line(ended_by)])

    assert reason_of(task, [metric_line(ended_by)]).name == "StoppedByReaper"
    assert "clear the Airflow task to run it again" in diagnosis.fix
    assert "2026-11-21T12:00:00Z" in diagnosis.summary


def test_words_about_the_reaper_are_not_the_reaper_s() -> None:
    """Somebody who stops a task may name it; ECS's own stop codes say more."""
    person = stopped(code=143, stop_code="UserInitiated", reason="instead of Penstock's reaper: enough")
    spot = stopped(code=143, stop_code="SpotInterruption", reason=str(BY_REAPER["reason"]))

    assert reason_of(person).name == "StoppedBySomebody"
    assert reason_of(spot).name == "Spot"
