"""What goes into a container image that is built: which files of a folder, and the hash that they give.

Both sides of a deploy need the same answer: the stacks, which build the image, and `penstock push`, which refuses when
the deployed image holds something else.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

LEFT_OUT = (
    ".meltano",
    ".env",
    ".env.*",
    ".git",
    "output",
    "__pycache__",
    "*.pyc",
    ".venv",
    ".pytest_cache",
    ".DS_Store",
)
"""What a project's folder holds on an engineer's machine and an image must not: secrets, caches, results."""


def digest(*folders: Path) -> str:
    """SHA-256 over the names and the content of what goes into an image, folder by folder."""
    found = hashlib.sha256()
    for folder in folders:
        for path in sorted(_files(folder)):
            content = path.read_bytes()
            found.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
            found.update(content)
        found.update(b"\0")
    return found.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not _left_out(name)]
        yield from (Path(place, name) for name in files if not _left_out(name))


def _left_out(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in LEFT_OUT)
