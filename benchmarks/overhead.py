"""What our operator's `execute` takes beyond the amazon provider's, for a task that has stopped at the first look.

Both run under the real Airflow against the same ECS, and are created once per process. With the log, the stock operator
sleeps for its fetcher's interval (5 s here, 30 s by default), so it is compared without one; ours always reads it.

    python -m benchmarks.overhead [AIRFLOW_VERSION]
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import dag_folders, ecs, measure, projects
from penstock.compile.compiler import compile_plan
from penstock.local import setup
from penstock.project.load import load

ROUNDS = 20
MOST_SECONDS = 0.1
"""What is promised: no more beyond the stock operator."""
_SCRIPT = Path(__file__).parent / "under_airflow" / "execute.py"


def main(version: str = "3.0.6") -> None:
    """Print the figures."""
    environment = setup.airflow(version, lambda _: None)
    with tempfile.TemporaryDirectory() as name, ecs.serving() as (address, pipe):
        folder = Path(name)
        dag_folders.bundle(compile_plan(load(projects.write(folder / "project", schedules=1))), folder / "bundle")
        found: dict[str, dict[str, Any]] = {}
        for kind, log, rounds in (("penstock", "log", ROUNDS), ("stock", "none", ROUNDS), ("stock", "log", 3)):
            answer = folder / "answer.json"
            ecs.counts(pipe)
            command: list[str | Path] = [
                environment / "bin" / "python",
                _SCRIPT,
                answer,
                kind,
                log,
                folder / "bundle",
                str(rounds),
            ]
            measure.command(command, folder, ecs.environ(address, folder))
            seconds = json.loads(answer.read_text())["seconds"]
            found["stock_with_log" if (kind, log) == ("stock", "log") else kind] = {
                "first_seconds": round(seconds[0], 3),
                "median_seconds": round(statistics.median(seconds), 3),
                "calls_per_run": round(ecs.counts(pipe).total() / rounds, 1),
            }
    beyond = found["penstock"]["median_seconds"] - found["stock"]["median_seconds"]
    measure.report(
        "overhead",
        airflow=version,
        rounds=ROUNDS,
        **found,
        beyond_stock_seconds=round(beyond, 3),
        goal_met=beyond < MOST_SECONDS,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
