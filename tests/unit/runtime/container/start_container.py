"""Starts the container's main program in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from penstock_runtime import contract

RUN = {
    "project": "acme",
    "environment": "dev",
    "schedule": "daily",
    "job": "warehouse",
    "task": "load",
    "dag_run": "manual__2026-01-01",
    "try": 2,
}


RUNTIME = Path(__file__).parents[4] / "runtime"


def start(code: str = "", **environ: str | None) -> subprocess.CompletedProcess[str]:
    """Run the container's main program on a command, with the environment that RunTask would give it."""
    full: dict[str, str | None] = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(RUNTIME),
        contract.RUN: json.dumps(RUN),
        contract.ENGINE: "command",
        contract.COMMAND: json.dumps([sys.executable, "-u", "-c", code]),
        contract.TIMEOUT_SECONDS: "20",
        **environ,
    }
    given = {name: value for name, value in full.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-m", "penstock_runtime"], env=given, capture_output=True, text=True, timeout=60
    )
