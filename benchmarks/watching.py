"""Waiting in the triggerer for 10, 100 and 1,000 Fargate tasks: our trigger, and the amazon provider's.

Both run under the real Airflow, in an event loop as the triggerer has one, against the same counting ECS. A task runs
for 30 to 60 seconds, so that each kind looks several times. The stock trigger has its operator's default delay (6 s),
and reads no log, as ours does not. It needs aiobotocore, which MWAA's Airflow does not bring: that is installed for it.

    python -m benchmarks.watching [AIRFLOW_VERSION]
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import ecs, measure, peers
from penstock.local import setup

TASKS = (10, 100, 1000)
RUNS_SECONDS = (30, 60)
LEAST_RATIO, LONGEST_SECONDS = 50, 10
"""What is promised at 1,000 tasks: so many times fewer calls, each end seen within so many seconds."""
_SCRIPT = Path(__file__).parent / "under_airflow" / "watch.py"
_PLUGIN = measure.ROOT / "runtime" / "plugin"


def main(version: str = "3.0.6") -> None:
    """Print the figures."""
    environment = setup.airflow(version, lambda _: None)
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name, ecs.serving() as (address, pipe):
        peer = Path(name) / "peer"
        peers.install(environment, peer, "aiobotocore")
        for tasks in TASKS:
            found[str(tasks)] = {}
            for kind in ("penstock", "stock"):
                folder = Path(name) / f"{kind}-{tasks}"
                folder.mkdir()
                paths = {"PYTHONPATH": str(peer)} if kind == "stock" else {}
                ecs.counts(pipe)
                figures = _watch(environment, folder, {**ecs.environ(address, folder), **paths}, kind, tasks)
                found[str(tasks)][kind] = {"describe_tasks": ecs.counts(pipe)["DescribeTasks"], **figures}
    last = found[str(TASKS[-1])]
    ratio = last["stock"]["describe_tasks"] / last["penstock"]["describe_tasks"]
    measure.report(
        "watching",
        airflow=version,
        task_seconds=RUNS_SECONDS,
        tasks=found,
        ratio_of_calls=round(ratio, 1),
        goal_met=ratio >= LEAST_RATIO and last["penstock"]["seen_after_seconds"]["longest"] <= LONGEST_SECONDS,
    )


def _watch(environment: Path, folder: Path, environ: dict[str, str], kind: str, tasks: int) -> dict[str, Any]:
    chance = random.Random(tasks)
    # The tasks' clock starts when the process, which imports Airflow first, is ready.
    now = time.time() + 10
    arns = [ecs.arn(f"{number}", now + chance.uniform(*RUNS_SECONDS)) for number in range(tasks)]
    (folder / "arns.json").write_text(json.dumps(arns))
    python = environment / "bin" / "python"
    command: list[str | Path] = [python, _SCRIPT, folder / "answer.json", kind, _PLUGIN, folder / "arns.json"]
    measure.command(command, folder, environ)
    return dict(json.loads((folder / "answer.json").read_text()))


if __name__ == "__main__":
    main(*sys.argv[1:])
