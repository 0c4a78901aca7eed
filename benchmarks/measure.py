"""What the benchmarks share: how time and memory are taken, and how figures are printed."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_SECONDS = 0.5
"""Between two looks at the memory."""


def report(name: str, **figures: Any) -> None:
    """Print the figures of one benchmark, and on what machine they were taken."""
    machine = {
        "cpus": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }
    json.dump({"benchmark": name, **figures, "machine": machine}, sys.stdout, indent=2)
    sys.stdout.write("\n")


def timed(work: Callable[[], Any]) -> float:
    """Seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternating(rounds: int, **works: Callable[[], Any]) -> dict[str, float]:
    """The median seconds of each; taken in turn, so that what else the machine does meets all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            seconds[name].append(timed(work))
    return {name: round(statistics.median(values), 3) for name, values in seconds.items()}


def command(
    arguments: Sequence[str | Path], cwd: Path = ROOT, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; it must succeed."""
    done = subprocess.run(arguments, cwd=cwd, env={**os.environ, **(environ or {})}, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class PeakMemory:
    """The most that this process's descendants held at once, looked at twice a second.

    Proportional set size: pages that processes share are counted once (proc(5), smaps_rollup).
    """

    def __init__(self) -> None:
        self.mib = 0.0
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._over.wait(SAMPLE_SECONDS):
            self.mib = max(self.mib, sum(_pss_mib(child.pid) for child in own.children(recursive=True)))


def _pss_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
