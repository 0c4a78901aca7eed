"""What our operator's `execute` takes beyond the amazon provider's, for a task that has stopped at the first look.

Both run under the real Airflow against the same ECS, in turn, in processes of their own. `first` is what a worker's
process does: read the DAG, import what it needs, run one try. `again` is a try alone, in a process that has run others.
With the log, the stock operator sleeps for its fetcher's interval (5 s here, 30 s by default), so it is compared
without one; ours always reads it.

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

PROCESSES, TRIES = 9, 6
"""Of each operator: processes, and tries in each of them."""
TRIES_WITH_LOG = 3
MOST_SECONDS = 0.1
"""What is promised: no more beyond the stock operator."""
_SCRIPT = Path(__file__).parent / "under_airflow" / "execute.py"


def main(version: str = "3.0.6") -> None:
    """Print the figures."""
    environment = setup.airflow(version, lambda _: None)
    answers: dict[str, list[dict[str, Any]]] = {"penstock": [], "stock": [], "stock_with_log": []}
    calls: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, ecs.serving() as (address, pipe):
        folder = Path(name)
        dag_folders.bundle(compile_plan(load(projects.write(folder / "project", schedules=1))), folder / "bundle")
        environ, answer = ecs.environ(address, folder), folder / "answer.json"
        for kind, log, tries in [("penstock", "log", TRIES), ("stock", "none", TRIES)] * PROCESSES + [
            ("stock", "log", TRIES_WITH_LOG)
        ]:
            ecs.counts(pipe)
            python, bundle = environment / "bin" / "python", folder / "bundle"
            measure.command([python, _SCRIPT, answer, kind, log, bundle, str(tries)], folder, environ)
            row = "stock_with_log" if (kind, log) == ("stock", "log") else kind
            answers[row].append(json.loads(answer.read_text()))
            calls[row] = round(ecs.counts(pipe).total() / tries, 1)
    found = {row: {**_medians(of), "calls_per_try": calls[row]} for row, of in answers.items()}
    beyond = {
        what: round(found["penstock"][what] - found["stock"][what], 3)
        for what in ("first_seconds", "first_cpu_seconds", "again_seconds", "again_cpu_seconds")
    }
    measure.report(
        "overhead",
        airflow=version,
        processes=PROCESSES,
        tries=PROCESSES * TRIES,
        **found,
        beyond_stock=beyond,
        goal_met=max(beyond["first_seconds"], beyond["again_seconds"]) < MOST_SECONDS,
    )


def _medians(answers: list[dict[str, Any]]) -> dict[str, float]:
    """Of the first tries, and of all others."""
    values = {
        "first_seconds": [one["first"] for one in answers],
        "first_cpu_seconds": [one["first_cpu"] for one in answers],
        "again_seconds": [seconds for one in answers for seconds in one["seconds"][1:]],
        "again_cpu_seconds": [seconds for one in answers for seconds in one["cpu_seconds"][1:]],
    }
    return {name: round(statistics.median(of), 3) for name, of in values.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
