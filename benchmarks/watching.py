"""Waiting in the triggerer for 10, 100 and 1,000 Fargate tasks: our trigger, and the amazon provider's.

Both run under the real Airflow, in an event loop as the triggerer has one, against the same counting ECS. Calls are
counted for a minute, once each task has been looked at: the stock trigger takes a while to make a client for each. Then
the tasks stop, within half a minute. The stock trigger has its default delay (6 s), and reads no log, as ours does not.
It needs aiobotocore, which MWAA's Airflow does not bring: that is installed for it.

    python -m benchmarks.watching [AIRFLOW_VERSION [TASKS...]]
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks import ecs, measure, peers
from penstock.local import setup

TASKS = (10, 100, 1000)
WINDOW_SECONDS, STOP_WITHIN_SECONDS = 60, 30
READY_SECONDS = 900
"""For each of 1,000 triggers to have looked once."""
LEAST_RATIO, LONGEST_SECONDS = 50, 10
"""What is promised at 1,000 tasks: so many times fewer calls, each end seen within so many seconds."""
_SCRIPT = Path(__file__).parent / "under_airflow" / "watch.py"
_PLUGIN = measure.ROOT / "runtime" / "plugin"


def main(version: str = "3.0.6", *numbers: str) -> None:
    """Print the figures."""
    counts = tuple(map(int, numbers)) or TASKS
    environment = setup.airflow(version, lambda _: None)
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name, ecs.serving() as (address, pipe):
        peer = Path(name) / "peer"
        peers.install(environment, peer, "aiobotocore")
        for tasks in counts:
            found[str(tasks)] = {}
            for kind in ("penstock", "stock"):
                folder = Path(name) / f"{kind}-{tasks}"
                folder.mkdir()
                paths = {"PYTHONPATH": str(peer)} if kind == "stock" else {}
                environ = {**ecs.environ(address, folder), **paths}
                found[str(tasks)][kind] = _watch(environment, folder, environ, kind, tasks, pipe)
    last = found[str(counts[-1])]
    ratio = last["stock"]["describe_tasks"] / last["penstock"]["describe_tasks"]
    measure.report(
        "watching",
        airflow=version,
        window_seconds=WINDOW_SECONDS,
        tasks=found,
        ratio_of_calls=round(ratio, 1),
        goal_met=ratio >= LEAST_RATIO and last["penstock"]["seen_after_seconds"]["longest"] <= LONGEST_SECONDS,
    )


def _watch(
    environment: Path, folder: Path, environ: dict[str, str], kind: str, tasks: int, pipe: Connection
) -> dict[str, Any]:
    chance = random.Random(tasks)
    arns = [ecs.arn(f"{number}", chance.uniform(1, STOP_WITHIN_SECONDS)) for number in range(tasks)]
    (folder / "arns.json").write_text(json.dumps(arns))
    python, names = environment / "bin" / "python", folder / "arns.json"
    command: list[str | Path] = [python, _SCRIPT, folder / "answer.json", kind, _PLUGIN, names, folder / "released"]
    with ThreadPoolExecutor(1) as thread:
        ecs.counts(pipe)
        process = thread.submit(measure.command, command, folder, environ)
        until = time.monotonic() + READY_SECONDS
        # One more than the tasks: what warms the process up.
        while ecs.seen(pipe) <= tasks and not process.done() and time.monotonic() < until:
            time.sleep(0.2)
        ecs.counts(pipe)
        time.sleep(WINDOW_SECONDS)
        calls = ecs.counts(pipe)["DescribeTasks"]
        (folder / "released").write_text(repr(ecs.release(pipe)))
        process.result()
    return {"describe_tasks": calls, **json.loads((folder / "answer.json").read_text())}


if __name__ == "__main__":
    main(*sys.argv[1:])
