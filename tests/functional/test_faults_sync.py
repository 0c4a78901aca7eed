"""What becomes of runs that something goes wrong for, on Airflow 3.0 with the operator waiting in the worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.fault_row import Report, Row, check
from tests.functional.fault_rows import chosen, sync_alone, sync_together
from tests.functional.fault_table import Table

VERSION = "3.0.6"
ALL, ALONE = sync_together(VERSION), sync_alone(VERSION)
SHORT = (
    *("killed-worker", "clock-behind", "answer-lost", "failed-while-starting", "no-capacity"),
    *("silent-at-end", "log-late", "marked-failed", "exit-1", "no-image"),
)
ROWS, LATER = chosen(ALL, SHORT), chosen(ALONE, SHORT)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Report]]:
    """All rows, played."""
    table = Table(tmp_path_factory.mktemp("faults"), (*ALL, *ALONE), airflow=VERSION, deferrable=False)
    try:
        table.up()
        yield table.play_all(ROWS, LATER)
    finally:
        table.down()


@pytest.mark.parametrize("row", [*ROWS, *LATER], ids=lambda row: row.name)
def test_one_fargate_task_does_the_work(reports: dict[str, Report], row: Row) -> None:
    """The row's run ends as wanted, with so many Fargate tasks, none of them lost, and the whole log."""
    check(row, reports[row.name])
