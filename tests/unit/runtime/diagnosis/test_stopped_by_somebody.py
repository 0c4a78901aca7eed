"""A task that somebody stopped is reported as such, and not by the exit code that it then has."""

from __future__ import annotations

import pytest

from penstock_runtime.diagnosis.diagnose import diagnose, reason_of
from tests.unit.runtime.diagnosis.stopped_task import metric_line, stopped

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
