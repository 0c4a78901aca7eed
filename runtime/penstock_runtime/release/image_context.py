"""What goes into a container image that is built: which files of a folder, and their hash.

Both sides of a deploy need the same answer: the stacks, which build the image, and `penstock push`, which refuses when
the deployed image holds something else.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

LEFT_OUT = (
    ".meltano",
    ".env",
    ".env.*",
    ".git",
    "__pycache__",
    "*.pyc",
    ".venv",
    ".pytest_cache",
    ".DS_Store",
)
"""Left out at any depth: secrets and caches that a project's folder has on an engineer's machine."""
RESULTS = "output"
"""Folder of results, left out directly below the project's folder only: there Meltano's targets for files write
(MeltanoHub, target-jsonl, `destination_path`). Further down it is source."""


def digest(*folders: Path) -> str:
    """SHA-256 over the names and the content of what goes into an image, folder by folder."""
    sha256 = hashlib.sha256()
    for folder in folders:
        for name in sorted(files(folder)):
            content = (folder / name).read_bytes()
            sha256.update(f"{name.as_posix()}\0{len(content)}\0".encode())
            sha256.update(content)
        sha256.update(b"\0")
    return sha256.hexdigest()


def copy(folder: Path, to: Path) -> None:
    """Copy what goes into an image; links become the files that they lead to. `to` may exist."""
    to.mkdir(parents=True, exist_ok=True)
    for name in files(folder):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / name, to / name)


def files(folder: Path) -> Iterator[Path]:
    """The files of a folder that go into an image, relative to it; unordered.

    Raises:
        OSError: a folder cannot be read.
    """
    for current, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        below = Path(current).relative_to(folder)
        top = below == Path()
        folders[:] = [name for name in folders if not _left_out(name) and not (top and name == RESULTS)]
        yield from (below / name for name in names if not _left_out(name))


def _raise(error: OSError) -> None:
    raise error


def _left_out(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in LEFT_OUT)
