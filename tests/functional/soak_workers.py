"""Airflow's part in a soak: a process per try, killed at random, and the next try of what was killed or has failed.

    python -m tests.functional.soak_workers SPEC.json

It is a process of its own, without threads, since it forks: a worker of Airflow's executors begins in the same way,
with boto3 imported. Each try runs the real `FargateRun`. What came of the runs is in the specification's folder:

    results/<run>.json   the try that succeeded, and what it logged
    effects/<run>        a line for each container that began or finished; containers write it
"""

from __future__ import annotations

import json
import logging
import os
import random
import resource
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from penstock_runtime.airflow.operators.airflow_run import AirflowRun
from penstock_runtime.airflow.operators.fargate_run import FargateRun
from penstock_runtime.airflow.operators.limits import Pace
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources

TRIES = 8
"""After so many a run is lost."""
KILLED = 0.4
"""The share of tries whose process is killed; less with each try, so that a run ends."""
WITHIN_SECONDS = 1.5
"""A kill comes at any moment of so many seconds: half of them from the try's start, the others from the container's,
since the machine's load decides how far apart these are."""
FAILING = 10
"""The first container of every so many-th run fails: its next try must not take that for a result."""
LINES = 6
PACE = Pace(poll=0.5, least=0.1, restart=0.5, drain=0.3)
READ_TIMEOUT_SECONDS = 3


@dataclass
class Attempt:
    """One try: a process."""

    run: int
    number: int
    began: Path | None
    """A kill counts from when this file is there; None: from the try's start."""
    seconds: float | None
    """From then to the kill; None: it is not killed."""
    kill_at: float | None = None
    """On the monotonic clock."""

    def is_due(self) -> bool:
        """Whether it is to be killed now; once."""
        now = time.monotonic()
        if self.seconds is not None and self.kill_at is None and (self.began is None or self.began.exists()):
            self.kill_at = now + self.seconds
        due = self.kill_at is not None and now >= self.kill_at
        if due:
            self.seconds = self.kill_at = None
        return due


def main() -> None:
    """Run the waves that the specification asks for, and print what they took."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    waves = [_wave(spec, runs) for runs in spec["waves"]]
    json.dump({"waves": waves}, sys.stdout)


def _wave(spec: dict[str, Any], runs: list[int]) -> dict[str, Any]:
    began, kills, lost = time.monotonic(), 0, []
    active = dict(_begin(spec, run, 1) for run in runs)
    tries = len(runs)
    while active:
        time.sleep(0.02)
        for pid, attempt in list(active.items()):
            if attempt.is_due():
                os.kill(pid, signal.SIGKILL)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            del active[pid]
            kills += os.WIFSIGNALED(status)
            if status == 0:
                continue
            if attempt.number == TRIES:
                lost.append(attempt.run)
                continue
            child, following = _begin(spec, attempt.run, attempt.number + 1)
            active[child] = following
            tries += 1
    return {"seconds": time.monotonic() - began, "tries": tries, "kills": kills, "lost": lost}


def _begin(spec: dict[str, Any], run: int, number: int) -> tuple[int, Attempt]:
    chance = random.Random(f"{spec['seed']} {run} {number}")
    seconds = chance.uniform(0, WITHIN_SECONDS) if chance.random() < KILLED / number else None
    began = Path(spec["folder"]) / "effects" / str(run) if chance.random() < 0.5 else None
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _try(spec, run, number)
            code = 0
        except Exception:  # noqa: BLE001  whatever it is, the try has failed, as in Airflow
            with (Path(spec["folder"]) / "errors.log").open("a") as log:
                log.write(f"run {run}, try {number}: {traceback.format_exc()}\n")
        finally:
            os._exit(code)
    return pid, Attempt(run, number, began, seconds)


def _try(spec: dict[str, Any], run: int, number: int) -> None:
    """What the operator does, without Airflow."""
    lines = _Lines()
    logger = logging.Logger(f"run {run}")
    logger.addHandler(lines)
    fargate = FargateRun(
        task_of(spec, run),
        Resources.from_json(json.dumps(spec["resources"])),
        run_of(run, number),
        {},
        clients=lambda service: _client(spec, service),
        logger=logger,
        pace=PACE,
    )
    fargate.begin()
    while not fargate.settle(fargate.wait()):
        pass
    result = {
        "try": number,
        "lines": lines.texts,
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    file = Path(spec["folder"]) / "results" / f"{run}.json"
    half = file.with_suffix(f".{number}")
    half.write_text(json.dumps(result))
    half.rename(file)


def run_of(run: int, number: int) -> AirflowRun:
    """One try of a run, as Airflow names it."""
    return AirflowRun("soak", f"scheduled__{run}", "task", -1, try_number=number, first_try=1)


def task_of(spec: dict[str, Any], run: int) -> FargateTask:
    """One run's task of the plan."""
    return FargateTask(
        name="task",
        after=(),
        engine="command",
        operator="ecs",
        family=spec["family"],
        cpu_units=256,
        memory_mib=512,
        ephemeral_storage_gib=20,
        timeout_minutes=5,
        spot=False,
        environment={
            "SOAK_EFFECTS": f"{spec['folder']}/effects/{run}",
            "SOAK_RUN": str(run),
            "SOAK_FAILS": "yes" if run % FAILING == 0 else "no",
        },
        names=(),
        command=("soak",),
    )


class _Lines(logging.Handler):
    """Keeps a try's log."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def _client(spec: dict[str, Any], service: str) -> Any:
    """As the operator's, but for its patience: here an answer that is late is a fault of the proxy's."""
    return boto3.session.Session().client(
        "ecs" if service == "kill" else service,  # type: ignore[call-overload]  any service
        **spec["client"],
        config=Config(
            connect_timeout=5,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
            inject_host_prefix=False,
        ),
    )


if __name__ == "__main__":
    main()
