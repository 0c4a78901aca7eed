"""Where a project's source stands in time: the commit, or the latest edit that is not committed.

It decides which of two releases is the newer one (docs/adr/0004). A clone without history will do: only the last
commit's time is read.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

SECONDS = 30
_NOT_SOURCE = ("cdk.out", ".penstock", "build")
"""What our own commands write beside a project."""


@dataclass(frozen=True)
class Revision:
    """See `penstock_runtime.activation.Release` for the two."""

    order: int = 0
    name: str = ""


def revision_of(folder: Path) -> Revision:
    """The revision of the project in `folder`; an empty one where it is in no git repository, or git is not there."""
    said = _git(folder, "log", "-1", "--format=%ct %h")
    if not said:
        return Revision()
    seconds, _, name = said.strip().partition(" ")
    edited = _edited(folder)
    return Revision(max([int(seconds), *edited]), f"{name}+" if edited else name)


def _edited(folder: Path) -> list[int]:
    """When the files were edited that differ from the commit; of a deleted one, when its folder was."""
    left_out = [f":(exclude,glob)**/{name}/**" for name in _NOT_SOURCE]
    said = _git(folder, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ".", *left_out)
    top = Path((_git(folder, "rev-parse", "--show-toplevel") or "").rstrip("\n"))
    found = []
    for entry in filter(None, (said or "").split("\0")):
        path = top / entry[3:]
        while not path.exists():
            path = path.parent
        found.append(int(path.stat().st_mtime))
    return found


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
