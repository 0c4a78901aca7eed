"""Cron expressions as the environment's Airflow reads them, and such as are valid and not meant."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from croniter import croniter

from penstock.compile.compiler import compile_plan
from penstock.project.jobs import interval_warnings
from penstock.versions import cron as reading
from penstock.versions.airflow import AIRFLOW
from penstock_runtime.errors import InputErrors
from tests.unit.project_files import loaded

DAILY = '"0 3 * * *"'
VERSION = "version: 3.0.6"


def warned(folder: Path, interval: str, version: str = "3.0.6") -> list[str]:
    """What compiling says of the interval, without its place."""
    project = loaded(folder, (DAILY, f'"{interval}"'), (VERSION, f"version: {version}"))
    warnings = [text.partition(": ") for text in compile_plan(project, "dev").warnings]
    assert all(place.startswith("penstock.yaml:27:15") for place, _, _ in warnings)
    return [text for _, _, text in warnings]


REFUSED = {
    # expression: (an Airflow that cannot read it, part of what, part of fix, one that can)
    "0 6 15W * *": ("3.0.6", "'15W', the weekday nearest to a day", "name the day itself", "3.2.1"),
    "0 6 w1 * *": ("2.11.0", "'w1', the weekday", "or use Airflow 3.2", "3.3.1"),
    "0 22-2 * * *": ("2.9.2", "'22-2', a range that starts behind its end", "write two ranges: 22-23,0-2", "2.10.3"),
    "0 0 * nov-feb/2 *": ("2.9.2", "'nov-feb/2'", "nov-12/2,1-feb/2", "3.0.6"),
    "0 0 ? * *": ("2.9.2", "cannot read '?'", "write * for it", "2.10.3"),
}


@pytest.mark.parametrize("cron", REFUSED)
def test_expression_that_this_airflow_cannot_read(tmp_path: Path, cron: str) -> None:
    """An error with the place of the interval; its DAG would never run. A later Airflow takes it."""
    version, what, fix, later = REFUSED[cron]
    project = loaded(tmp_path, (DAILY, f'"{cron}"'), (VERSION, f"version: {version}"))
    with pytest.raises(InputErrors) as caught:
        compile_plan(project, "dev")
    (error,) = caught.value.errors

    assert error.where.endswith("penstock.yaml:27:15")
    assert what in error.what
    assert f"Airflow {version} (croniter " in error.what
    assert fix in error.fix
    assert compile_plan(project, "dev", airflow_version=later).schedules


@pytest.mark.parametrize("cron", ["0 0 * * 5-0", "0 0 * * 5L", "0 0 L * *", "0 0 * * 1#1", "0 22-23,0-2 * * *"])
def test_expression_that_all_read(cron: str) -> None:
    """Sunday is 0 and 7 to every croniter; L and # are older than all of these."""
    assert not any(reading.refused(cron, version) for version in AIRFLOW)


@pytest.mark.parametrize(
    ("airflow", "croniter"),
    [("2.9.2", (2, 0, 5)), ("2.9.3", (2, 0, 5)), ("2.11.2", (6, 0, 0)), ("3.1.5", (6, 0, 0)), ("3.3.1", (6, 2, 4))],
)
def test_croniter_of_an_airflow(airflow: str, croniter: tuple[int, ...]) -> None:
    """One that the table does not have has that of its older neighbour; a newer one than all has no known."""
    assert reading.croniter_of(airflow) == croniter
    assert reading.croniter_of("3.4.0") > (100,)
    assert set(reading.CRONITER) == set(AIRFLOW)


MEANT = {
    # expression: part of what is told
    "0 10 1-7 * 1": '"0 10 * * 1#1"',
    "0 10 8-14 * mon": 'for the second such day of a month write "0 10 * * mon#2"',
    "0 10 1,15 * 1": "write * for one of the two",
    "*/90 * * * *": "it leaves minute 0 and no other",
    "0 */36 * * *": "it leaves hour 0 and no other",
    "0 0 5-31/40 * *": "it leaves day of the month 5",
    "0 0 * * 5#5": "for the last one of each month write L5",
    "0 0 31 * *": "for the last day of each month write L",
    "0 0 * * 5-5": "takes '5-5' for every day of the week: write 5",
    "0 23/2 * * *": "starts '23/2' at the first hour, not at 23: write 23",
    "0 0 */15 * *": "leaves out the run of 1 March",
    "0 0 1,31 * *": "leaves out the run of 1 March",
    "@once": "Airflow's own @once starts one run by itself",
}


@pytest.mark.parametrize("interval", MEANT)
def test_interval_that_is_not_meant(tmp_path: Path, interval: str) -> None:
    """One warning, at the interval, with what to write."""
    (warning,) = warned(tmp_path, interval)

    assert MEANT[interval] in warning


@pytest.mark.parametrize(
    "interval",
    [
        *("0 3 * * *", "*/60 * * * *", "0 */24 * * *", "*/7 * * * *", "0 0 1-7 * *", "0 0 * * 1-5", "0 0 29 2 *"),
        *("0 0 L * *", "@daily", "@manual", "0 0 */7 * *", "0 0 15 * ?", "0 0 1,30 1,3 *"),
    ],
)
def test_interval_that_is_meant(tmp_path: Path, interval: str) -> None:
    """Steps that divide a field once, one of two day fields, a leap day: no word."""
    assert warned(tmp_path, interval) == []


def test_later_airflows_read_what_older_ones_get_wrong(tmp_path: Path) -> None:
    """Of the first of March only croniter before 6.2 loses sight, of 2-2 none did before 4."""
    assert warned(tmp_path, "0 0 */15 * *", "3.3.1") == []
    assert warned(tmp_path, "0 2-2 * * *", "2.9.2") == []


def test_a_day_of_march_that_is_skipped() -> None:
    """The rule says no day where the desk's croniter, which has it right, and the old one agree: 28 and 29 days."""
    assert list(reading.differences("0 0 */15 * *", "3.0.6"))
    assert not list(reading.differences("0 0 */7 * *", "3.0.6"))
    runs = croniter("0 0 */15 * *", datetime(2026, 2, 16, tzinfo=UTC))
    assert runs.get_next(datetime).date() == date(2026, 3, 1)


def test_a_zone_that_came_later() -> None:
    """America/Coyhaique is of 2025; Airflow 2.10.3 brings the zones of 2024."""
    (warning,) = interval_warnings.warnings("0 3 * * *", "America/Coyhaique", "2.10.3")

    assert "does not have" in warning or "do not have America/Coyhaique" in warning
    assert not list(interval_warnings.warnings("0 3 * * *", "America/Coyhaique", "3.0.6"))


def test_schedules_of_meltano_are_told_too(tmp_path: Path) -> None:
    """With the place in their own file; its @once runs by hand there as here, and may be unintended."""
    meltano = """\
default_environment: prod
environments: [{name: prod}]
jobs: [{name: j, tasks: [a b]}]
schedules:
- {name: s, job: j, interval: '*/90 * * * *'}
- {name: t, job: j, interval: '@once'}
"""
    project = loaded(tmp_path, files={"meltano/meltano.yml": meltano})
    warnings = compile_plan(project, "dev").warnings

    assert [text.partition(": ")[0] for text in warnings] == ["meltano/meltano.yml:5:3", "meltano/meltano.yml:6:3"]
    assert "*/90" in warnings[0]
    assert "@once" in warnings[1]
