"""What becomes of runs that something goes wrong for, on Airflow 3.0 with the operator waiting in the worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional import fault_acts as acts
from tests.functional import fault_rows as rows
from tests.functional.fault_row import Report, Row, Wanted, check
from tests.functional.fault_table import Table

ENDED_BY_AIRFLOW = Wanted(state="failed", whole=False)
"""Airflow 3.0 does not try a task again whose process is killed while what supervises it lives: the Fargate task ends
by itself."""
ALL = (
    Row("killed-worker", act=acts.kill_worker, seconds=15, wanted=rows.ADOPTED),
    *rows.starting(),
    *rows.running(describe_seconds=60),
    *rows.ending(),
    Row("killed-task", act=acts.kill_task, seconds=15, wanted=ENDED_BY_AIRFLOW),
    Row("killed-while-starting", [rows.LATE], act=acts.kill_task, act_on="known", act_after=1, wanted=ENDED_BY_AIRFLOW),
    # Airflow 3.0 leaves a running task that is cleared in the state `restarting` for ever.
    Row("cleared", act=acts.mark_failed_and_clear, seconds=12, wanted=Wanted(tries=2, started=2, quiet_seconds=30)),
)
ALONE = (
    # Airflow 3.0's supervisor dies of it after a few seconds, and a retry that comes while it is gone is lost, too.
    Row(
        "api-server-gone",
        act=acts.api_server_gone,
        seconds=15,
        schedule={"retry_delay_seconds": 50},
        wanted=rows.ADOPTED,
    ),
    Row("scheduler-killed", act=acts.kill_scheduler, seconds=15, wanted=rows.ADOPTED),
)
"""Each alone: they would befall the others, too."""
SHORT = (
    *("killed-worker", "answer-lost", "failed-while-starting", "no-capacity"),
    *("silent-at-end", "log-late", "marked-failed", "exit-1", "no-image"),
)
ROWS, LATER = rows.chosen(ALL, SHORT), rows.chosen(ALONE, SHORT)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Report]]:
    """All rows, played."""
    table = Table(tmp_path_factory.mktemp("faults"), (*ALL, *ALONE), airflow="3.0.6", deferrable=False)
    try:
        table.up()
        yield table.play_all(ROWS, LATER)
    finally:
        table.down()


@pytest.mark.parametrize("row", [*ROWS, *LATER], ids=lambda row: row.name)
def test_one_fargate_task_does_the_work(reports: dict[str, Report], row: Row) -> None:
    """The row's run ends as wanted, with so many Fargate tasks, none of them lost, and the whole log."""
    check(row, reports[row.name])
