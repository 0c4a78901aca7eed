"""The metric line: what alarms, dashboard and cost estimate read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock_runtime.container import metrics
from penstock_runtime.container.engines import Counts
from penstock_runtime.container.environment import Run, Size
from penstock_runtime.container.process import Outcome

RUN = Run("acme", "dev", "daily", "warehouse", "load", "manual__1", 1)


def line(exit_code: int, *, seconds: float = 90, size: Size | None = None) -> dict[str, Any]:
    """As CloudWatch reads it."""
    found: dict[str, Any] = json.loads(
        metrics.line(RUN, Outcome(exit_code, "ended", "engine", 512), Counts(), seconds, size)
    )
    return found


@pytest.mark.parametrize(("exit_code", "failed"), [(0, 0), (1, 1), (124, 1), (137, 1)])
def test_a_run_counts_as_failed_or_as_succeeded(exit_code: int, failed: int) -> None:
    """The alarm on failed tasks reads the one, the watch on overdue schedules the other."""
    text = line(exit_code)

    assert (text["Runs"], text["FailedRuns"], text["Succeeded"]) == (1, failed, 1 - failed)


def test_the_size_is_counted_in_the_units_of_the_price() -> None:
    """AWS charges a vCPU of 1024 units and a GiB of 1024 MiB, by the second."""
    text = line(0, size=Size(2048, 4096))

    assert (text["VcpuSeconds"], text["GibSeconds"]) == (180, 360)
    assert text["MemoryUtilization"] == 12.5


def test_what_is_not_known_is_left_out() -> None:
    """A zero would lower an average, and say that the run was free."""
    assert not {"Records", "VcpuSeconds", "GibSeconds", "MemoryUtilization"} & set(line(0))
