"""Virtual environments on Airflow's worker: made once for each lock, and kept for all runs that need the same.

With Python's own `venv`, not the `virtualenv` program, so that it is the interpreter of Airflow itself also where that
is not on PATH, as on MWAA: no plugin is needed for that.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from logging import Logger
from pathlib import Path
from typing import Any

from penstock_runtime.contract import VENVS
from penstock_runtime.errors import PenstockError

MARKER = "penstock-complete"
"""A file in an environment that holds all of its lock."""
LAST_LINES = 15


def folder() -> Path:
    """Where they are kept: `PENSTOCK_VENVS` of the worker's environment, otherwise in the system's temporary folder."""
    return Path(os.environ.get(VENVS) or Path(tempfile.gettempdir()) / "penstock-venvs")


def place(sha256: str) -> Path:
    """Where the environment of a lock is, for this Python: another one's packages may be built for that alone."""
    key = hashlib.sha256(f"{sha256} {sys.version} {sys.prefix}".encode()).hexdigest()[:16]
    return folder() / key


def python_of(lock: Path, sha256: str, log: Any) -> Path:
    """The Python of the environment that holds what a lock lists; made if it is not there yet.

    Args:
        lock: a requirements file with hashes.
        sha256: its hash.
        log: gets a line where something is installed.

    Raises:
        PenstockError: it cannot be installed.
    """
    target = place(sha256)
    python = target / "bin" / "python"
    if (target / MARKER).exists():
        return python
    target.parent.mkdir(parents=True, exist_ok=True)
    # Several tasks of one worker may come at once: one installs, the others wait.
    with target.with_suffix(".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (target / MARKER).exists():
            _make(target, lock, log)
    return python


def _make(target: Path, lock: Path, log: Logger) -> None:
    if not lock.is_file():
        raise PenstockError(f"{lock} is missing from the bundle", fix="deploy or push the project again")
    log.info("Installing %s into %s; later runs on this worker find it there", lock.name, target)
    # What an interrupted one has left.
    shutil.rmtree(target, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(target)], "make a virtual environment")
    pip = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--require-hashes", "--no-deps", "-r", str(lock)], "install the lock")
    (target / MARKER).touch()


def _run(command: list[str], what: str) -> None:
    # Airflow's constraints, and where it puts packages, are not for this environment.
    environ = {
        name: value for name, value in os.environ.items() if name not in ("PIP_CONSTRAINT", "PIP_USER", "PYTHONPATH")
    }
    done = subprocess.run(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        tail = "\n".join(f"  | {line}" for line in done.stdout.strip().splitlines()[-LAST_LINES:])
        raise PenstockError(
            f"cannot {what} on Airflow's worker (exit code {done.returncode})\n{tail}",
            fix="check the worker's way to the package index, its disk, and that the lock is for its Python "
            f"({sys.version_info.major}.{sys.version_info.minor}); or use operator: ecs",
        )
