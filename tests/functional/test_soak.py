"""A small soak (`make soak` is the large one): AWS fails, workers are killed, and every run has one result."""

from __future__ import annotations

from pathlib import Path

from tests.functional.embedded import Aws, aws
from tests.functional.proxied import Proxied, proxied, shared
from tests.functional.soak import SEED, WAVE, soak

__all__ = ["aws", "proxied", "shared"]

RUNS = 3 * WAVE


def test_no_run_is_lost_doubled_or_left_behind(aws: Aws, proxied: Proxied, tmp_path: Path) -> None:
    """One container finished for each run, its log is whole, nothing still runs; and there was trouble."""
    outcome = soak(aws, proxied, tmp_path / "soak", RUNS, SEED)

    errors = tmp_path / "soak" / "errors.log"
    assert outcome.went_well, f"{outcome}\n{errors.read_text() if errors.exists() else ''}"
    assert outcome.figures["workers_killed"] >= RUNS // 4
    assert outcome.figures["calls_that_failed"] >= outcome.figures["calls"] // 10
    assert all(outcome.figures["faults"].values()), outcome.figures["faults"]
