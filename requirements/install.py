"""Installs what a checkout needs to run its own commands, from committed locks; `make setup` begins with it.

    python3.11 requirements/install.py desk    .venv: uv, the packages of requirements/desk.txt, Penstock itself
    python3.11 requirements/install.py node    node_modules: the CDK CLI

Standard library only: nothing is there yet. What was interrupted is made again; of two at the same time, the second
waits and then finds it done. Exit code 0, or 1 with what failed and what to do, or 130 after Ctrl-C.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARKER = ".complete"
"""Written last, inside what is installed. Older than a lock, it does not count."""


class Failed(Exception):
    """An installation that failed; the text says what to do."""


def install(folder: Path, locks: Sequence[Path], commands: Sequence[Sequence[str]], *, hint: str) -> None:
    """Make `folder` by running the commands beside it, unless it is there and newer than the locks.

    Raises:
        Failed: a command failed, for which `hint` is the fix; or the folder cannot be written.
    """
    held = os.open(locks[0].parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another process that makes {folder.name}", file=sys.stderr, flush=True)
            fcntl.flock(held, fcntl.LOCK_EX)
        if _current(folder / MARKER, locks):
            return
        _remove(folder)
        for command in commands:
            # What it starts holds the lock too: killed with us or not, nobody else begins before it has ended.
            code = subprocess.run(command, cwd=folder.parent, stdin=subprocess.DEVNULL, pass_fds=[held]).returncode
            if code != 0:
                how = f"failed with exit code {code}" if code > 0 else f"was killed by signal {-code}"
                raise Failed(f"{folder} could not be made: `{' '.join(command[:4])} …` {how}, see above\n  fix: {hint}")
        (folder / MARKER).touch()
    except OSError as error:
        where = error.filename or folder
        raise Failed(
            f"{folder} could not be made: {where}: {error.strerror}\n  fix: make room or make it writable, then run "
            "make setup again"
        ) from error
    finally:
        os.close(held)


def desk(root: Path) -> None:
    """The virtual environment of the checkout."""
    venv, requirements = root / ".venv", root / "requirements"
    uv = [str(venv / "bin" / "uv"), "pip"]
    install(
        venv,
        [requirements / "desk.txt", requirements / "uv.txt", root / "pyproject.toml"],
        [
            [sys.executable, "-m", "venv", str(venv)],
            [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r",
             str(requirements / "uv.txt")],
            [*uv, "sync", "--quiet", "--python", str(venv), "--require-hashes", str(requirements / "desk.txt")],
            [*uv, "install", "--quiet", "--python", str(venv), "--no-deps", "--no-build-isolation", "--editable", "."],
        ],
        hint="check the way to the package index (network, proxy; PIP_INDEX_URL and UV_INDEX_URL for one of your own) "
        "and the room on the disk, then run make setup again",
    )  # fmt: skip


def node(root: Path) -> None:
    """The CDK CLI."""
    install(
        root / "node_modules",
        [root / "package-lock.json", root / "package.json"],
        [["npm", "ci", "--silent", "--no-audit", "--no-fund"]],
        hint="check the way to the npm registry (network, proxy, npm config get registry) and the room on the disk, "
        "then run make setup again",
    )


def _current(marker: Path, locks: Sequence[Path]) -> bool:
    return marker.exists() and all(marker.stat().st_mtime >= lock.stat().st_mtime for lock in locks)


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def main() -> int:
    what = {"desk": desk, "node": node}
    if len(sys.argv) != 2 or sys.argv[1] not in what:
        print(f"usage: {sys.argv[0]} {'|'.join(what)}", file=sys.stderr)
        return 2
    try:
        what[sys.argv[1]](ROOT)
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
