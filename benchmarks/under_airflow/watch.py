"""Runs under Airflow: triggers of one kind wait, in one event loop as in a triggerer, for tasks that stop.

python watch.py ANSWER KIND PLUGIN_FOLDER FILE_WITH_ARNS FILE_WITH_THE_RELEASE
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

answer, kind, plugin, names, release = sys.argv[1:]
sys.path.insert(0, plugin)
from airflow.providers.amazon.aws.triggers.ecs import TaskDoneTrigger  # noqa: E402

import penstock_trigger  # noqa: E402


def trigger(arn: str) -> Any:
    """As the operator of each makes it; 6 s is the stock operator's delay, and the log is read as it goes."""
    if kind == "penstock":
        return penstock_trigger.FargateTrigger(
            "eu-west-1", "bench-dev", arn, time.time() + 3600, "dag", "run", "task", -1
        )
    return TaskDoneTrigger("bench-dev", arn, 6, 1000, None, "eu-west-1")


def resident_mib() -> float:
    """Of this process, now."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


async def ended(arn: str) -> tuple[str, float]:
    """The task, and when its trigger fired."""
    event = await anext(trigger(arn).run())
    assert event.payload.get("because", event.payload.get("status")) in ("stopped", "success"), event
    return arn, time.time()


async def main() -> dict[str, Any]:
    # What the first wait costs, libraries and models, is not what each costs.
    arns = json.loads(Path(names).read_text())
    await ended(f"{arns[0].rpartition('_')[0]}_0.000")
    before = resident_mib()
    waiting = [asyncio.create_task(ended(arn)) for arn in arns]
    most = before
    while not all(task.done() for task in waiting):
        most = max(most, resident_mib())
        await asyncio.sleep(0.5)
    released = float(Path(release).read_text())
    seconds = sorted(at - released - float(arn.rpartition("_")[2]) for arn, at in (one.result() for one in waiting))
    return {
        "seen_after_seconds": {
            "median": round(seconds[len(seconds) // 2], 1),
            "longest": round(seconds[-1], 1),
        },
        "kib_per_task": round((most - before) * 1024 / len(arns), 1),
        "cpu_seconds": round(time.process_time(), 1),
    }


Path(answer).write_text(json.dumps(asyncio.run(main())))
