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
COMMAND = (sys.executable, "-m", "penstock_runtime")


def environment(code: str = "", **environ: str | None) -> dict[str, str]:
    """The environment that RunTask would give the container for a command in Python."""
    full: dict[str, str | None] = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(RUNTIME),
        contract.RUN: json.dumps(RUN),
        contract.ENGINE: "command",
        contract.COMMAND: json.dumps([sys.executable, "-u", "-c", code]),
        contract.TIMEOUT_SECONDS: "20",
        **environ,
    }
    return {name: value for name, value in full.items() if value is not None}


def start(code: str = "", **environ: str | None) -> subprocess.CompletedProcess[str]:
    """Run the container's main program on a command to its end."""
    return subprocess.run(COMMAND, env=environment(code, **environ), capture_output=True, text=True, timeout=60)


def popen(code: str = "", **environ: str | None) -> subprocess.Popen[bytes]:
    """Start the container's main program on a command; nothing reads its output yet."""
    given = environment(code, **environ)
    return subprocess.Popen(COMMAND, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def patched(folder: Path, code: str) -> str:
    """A PYTHONPATH with which the container's process, but not its engine's, runs some code before its own."""
    (folder / "sitecustomize.py").write_text(
        f"import sys\nif 'penstock_runtime' in sys.orig_argv:\n{_indented(code)}\n"
    )
    return f"{RUNTIME}{os.pathsep}{folder}"


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" for line in code.splitlines())
