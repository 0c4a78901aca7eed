"""The trigger under each Airflow: one poller asks for all tasks of a process, and a wait ends for a reason only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

PLUGIN = Path(__file__).resolve().parents[2] / "runtime" / "plugin"
TASKS = 250


@pytest.fixture(scope="session")
def polled(under_airflow: Any) -> Any:
    """What came of 250 tasks, each of which stops at the first to the fifth look."""
    return under_airflow("poll_tasks.py", PLUGIN)


def test_every_task_is_seen_to_stop(polled: Any) -> None:
    """Once; errors of ECS end no wait."""
    fired = polled["fired"]

    assert [one["arn"] for one in fired] == [*map(str, range(TASKS)), "unknown"]
    assert {one["because"] for one in fired[:-1]} == {"stopped"}
    assert fired[-1]["because"] == "unknown"


def test_one_call_asks_for_a_hundred(polled: Any) -> None:
    """The stock trigger would have asked 750 times: once for each task at each look."""
    assert polled["largest"] == 100
    # 251 tasks take three calls; after the fifth look only the unknown one is left.
    assert polled["calls"] <= 3 * 5 + 8


def test_the_deadline_ends_a_wait(polled: Any) -> None:
    """The operator stops the task then."""
    assert polled["late"]["because"] == "deadline"


def test_nothing_is_asked_when_nobody_waits(polled: Any) -> None:
    """And the next wait begins anew."""
    assert polled["idle"]
    assert polled["again"]["because"] == "stopped"


def test_a_hand_over_stops_nothing_and_a_kill_does(polled: Any) -> None:
    """Airflow cancels a trigger that another triggerer goes on with; a kill is repeated until ECS has taken it."""
    assert polled["cancelled"] == []
    assert [task for task, _ in polled["stopped"]] == ["7"] * 3
    assert {reason for _, reason in polled["stopped"]} == {"Penstock: Airflow ended this try of its task"}
