"""What becomes of runs that something goes wrong for, with the operator waiting in the worker: Airflow 3.0 and 2.11."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.functional import fault_acts as acts
from tests.functional import fault_rows as rows
from tests.functional.fault_row import Report, Row, Wanted, check
from tests.functional.fault_table import Table

ALL_VERSIONS = ("3.0.6", "2.11.0")
VERSIONS = ALL_VERSIONS if rows.CHOICE in os.environ else ALL_VERSIONS[:1]
"""`make test` has room for one."""
SHORT = (
    *("killed-worker", "clock-behind", "answer-lost", "failed-while-starting", "no-capacity"),
    *("silent-at-end", "log-late", "marked-failed", "exit-1", "no-image"),
)
LOST = Wanted(state="failed", whole=False)
"""Airflow 3.0 does not try a task again whose process is killed while what supervises it lives: the Fargate task ends
by itself."""


def together(version: str) -> tuple[Row, ...]:
    """What is played at the same time."""
    three = version.startswith("3")
    killed = LOST if three else rows.ADOPTED
    # Airflow 3.0 leaves a running task that is cleared in the state `restarting` for ever.
    clear = acts.mark_failed_and_clear if three else acts.clear
    return (
        *rows.lost_worker(),
        *rows.starting(),
        *rows.running(describe_seconds=60),
        *rows.ending(),
        Row("killed-task", act=acts.kill_task, seconds=15, wanted=killed),
        Row("killed-while-starting", [rows.LATE], act=acts.kill_task, act_on="known", act_after=0, wanted=killed),
        Row("cleared", act=clear, seconds=12, wanted=Wanted(tries=2, started=2, quiet_seconds=30)),
    )


def alone(version: str) -> tuple[Row, ...]:
    """What is played alone: it would befall the others, too."""
    # Airflow 3.0's supervisor dies of it after a few seconds, and a retry that comes while it is gone is lost, too.
    # Airflow 2's talks to the database.
    gone = rows.ADOPTED if version.startswith("3") else Wanted()
    return (
        Row(
            "api-server-gone",
            act=acts.api_server_gone,
            seconds=15,
            schedule={"retry_delay_seconds": rows.LONGER_THAN_A_RESTART},
            wanted=gone,
        ),
        Row("scheduler-killed", act=acts.kill_scheduler, seconds=15, wanted=rows.ADOPTED),
        *rows.alone(),
    )


PLAYED = {version: rows.chosen((*together(version), *alone(version)), SHORT) for version in VERSIONS}


@pytest.fixture(scope="module")
def reports(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Report]]:
    """All rows of a version, played."""
    version = request.param
    known = (*together(version), *alone(version))
    table = Table(tmp_path_factory.mktemp("faults"), known, airflow=version, deferrable=False)
    try:
        table.up()
        yield table.play_all(rows.chosen(together(version), SHORT), rows.chosen(alone(version), SHORT))
    finally:
        table.down()


@pytest.mark.parametrize(
    ("reports", "row"),
    [pytest.param(version, row, id=f"{version}-{row.name}") for version in VERSIONS for row in PLAYED[version]],
    indirect=["reports"],
)
def test_one_fargate_task_does_the_work(reports: dict[str, Report], row: Row) -> None:
    """The row's run ends as wanted, with so many Fargate tasks, none of them lost, and the whole log."""
    check(row, reports[row.name])
