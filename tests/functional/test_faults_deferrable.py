"""What becomes of runs that something goes wrong for, on Airflow 3.3 with the operator waiting in the triggerer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional import fault_acts as acts
from tests.functional import fault_rows as rows
from tests.functional.fault_row import Report, Row, Wanted, check
from tests.functional.fault_table import Table

ALL = (
    *rows.starting(),
    # One poller asks ECS for the tasks of all rows: they wait together.
    *rows.running(describe_seconds=25),
    *rows.ending(),
    # The worker that begins is an hour behind the triggerer; the one that goes on is ahead.
    Row("clock-behind", seconds=20),
    Row("clock-ahead", seconds=20),
    Row("killed-while-starting", [rows.LATE], act=acts.kill_task, act_on="known", act_after=0, wanted=rows.ADOPTED),
    Row("cleared", act=acts.clear, seconds=12, wanted=Wanted(tries=2, started=2, quiet_seconds=30)),
)
ALONE = (
    Row("triggerer-killed", act=acts.kill_triggerer, seconds=15, act_after=5),
    Row("handed-over", act=acts.hand_over, holds=True, act_after=5),
    Row(
        "api-server-gone",
        act=acts.api_server_gone,
        seconds=15,
        schedule={"retry_delay_seconds": rows.LONGER_THAN_A_RESTART},
    ),
    Row("scheduler-killed", act=acts.kill_scheduler, seconds=15),
    *rows.alone(),
)
"""Each alone: they would befall the others, too."""
SHORT = ("answer-lost", "no-capacity", "silent-at-end", "marked-failed", "spot", "triggerer-killed")
ROWS, LATER = rows.chosen(ALL, SHORT), rows.chosen(ALONE, SHORT)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Report]]:
    """All rows, played."""
    table = Table(tmp_path_factory.mktemp("faults"), (*ALL, *ALONE), airflow="3.3.1", deferrable=True)
    try:
        table.up()
        yield table.play_all(ROWS, LATER)
    finally:
        table.down()


@pytest.mark.parametrize("row", [*ROWS, *LATER], ids=lambda row: row.name)
def test_one_fargate_task_does_the_work(reports: dict[str, Report], row: Row) -> None:
    """The row's run ends as wanted, with so many Fargate tasks, none of them lost, and the whole log."""
    check(row, reports[row.name])
