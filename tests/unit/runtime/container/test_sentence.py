"""The sentence that says how a run ended."""

from __future__ import annotations

import pytest

from penstock_runtime.container.engines import Counts
from penstock_runtime.container.environment import Size
from penstock_runtime.container.process import Outcome
from penstock_runtime.container.sentence import sentence


def test_names_the_memory_that_a_killed_run_had() -> None:
    """How much it used, how much it had, and what to set."""
    killed = Outcome(137, "ended", "signal", 1011.4)

    assert sentence(killed, Counts(), 9.5, 60, Size(256, 1024)) == (
        "killed by SIGKILL: most likely out of memory (its largest process used 1011 MiB, all of them may use 1024: "
        "set memory_mib of the task above 1024), exit code 137, after 9.5 s"
    )
    assert sentence(killed, Counts(), 9.5, 60, None) == (
        "killed by SIGKILL: most likely out of memory (memory_mib), exit code 137, after 9.5 s"
    )


@pytest.mark.parametrize(("lost", "told"), [(0, ""), (1, ", 1 line lost"), (741, ", 741 lines lost")])
def test_says_how_many_lines_are_missing(lost: int, told: str) -> None:
    """After the counts of the engine, which are whole."""
    text = sentence(Outcome(0, "ended", "engine", 1, lost), Counts(records=7), 1, 60)

    ending = f"{told}: the log took no more in time" if lost else ""
    assert text == f"done, exit code 0, after 1.0 s, 7 records{ending}"
