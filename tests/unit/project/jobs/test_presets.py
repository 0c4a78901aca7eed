"""When a preset of an interval runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from croniter import croniter

from penstock.project.jobs import interval

THURSDAY = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("preset", "runs"),
    [
        ("@hourly", ["2026-01-01 13:00", "2026-01-01 14:00"]),
        ("@daily", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        ("@midnight", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        # Sundays, as Airflow and Meltano have it.
        ("@weekly", ["2026-01-04 00:00", "2026-01-11 00:00"]),
        ("@monthly", ["2026-02-01 00:00", "2026-03-01 00:00"]),
        ("@yearly", ["2027-01-01 00:00", "2028-01-01 00:00"]),
        ("@annually", ["2027-01-01 00:00", "2028-01-01 00:00"]),
    ],
)
def test_a_preset_runs_when_airflow_and_meltano_run_it(preset: str, runs: list[str]) -> None:
    """Source: Airflow's documentation, "Cron Presets"."""
    times = croniter(interval.cron(preset, "penstock.yaml:1:1"), THURSDAY, ret_type=datetime)

    assert [f"{times.get_next():%Y-%m-%d %H:%M}" for _ in runs] == runs


@pytest.mark.parametrize("preset", ["@manual", "@none", "@once"])
def test_a_preset_that_runs_by_hand_only(preset: str) -> None:
    """Meltano's listing has no cron for these."""
    assert interval.cron(preset, "penstock.yaml:1:1") is None
