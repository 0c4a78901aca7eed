"""Looking for files below a folder, without following it round in circles or through a whole disk."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from penstock.problem import Problem

MAX_ENTRIES = 100_000
"""Files and folders that a search looks at. A Meltano project with its plugins installed has some tens of thousands."""


class TooManyError(ValueError):
    """The search has looked at `MAX_ENTRIES`."""

    def __init__(self) -> None:
        super().__init__(f"there are more than {MAX_ENTRIES} files and folders to look at")


def files_below(folder: Path, suffix: str) -> list[Path]:
    """What is below `folder`, no folder, and has a name with that end; links to folders are not followed.

    Raises:
        TooManyError: there is too much to look at.
    """
    search = _Search()
    return sorted(place / name for place, names in search.below(folder) for name in names if name.endswith(suffix))


def matching(folder: Path, pattern: str, *, with_folders: bool = False) -> list[Path]:
    """The files that a pattern such as `conf/**/*.yml` names; links to folders are not followed by `**`.

    Args:
        with_folders: whether to name the folders that it matches, too.

    Raises:
        ValueError: it is not a pattern of files below a folder.
        TooManyError: there is too much to look at.
    """
    parts = PurePosixPath(pattern).parts
    if not parts or pattern.startswith("/") or "\0" in pattern:
        raise ValueError("it names no file")
    search, level = _Search(), [folder]
    for part in parts:
        # A dict: each place once, however many ways lead to it.
        level = list(dict.fromkeys(path for place in level for path in search.step(place, part)))
    return sorted(place for place in level if is_file(place) or (with_folders and is_folder(place)))


def is_file(path: Path) -> bool:
    """As `Path.is_file`, but also for a name that no file system takes."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """As `Path.is_dir`, but also for a name that no file system takes."""
    try:
        return path.is_dir()
    except OSError:
        return False


class _Search:
    """Counts what it looks at."""

    def __init__(self) -> None:
        self._seen = 0

    def below(self, folder: Path) -> Iterator[tuple[Path, list[str]]]:
        """Every folder from `folder` on, with the names in it that are not folders."""
        for place, folders, names in os.walk(folder):
            self._count(len(folders) + len(names) + 1)
            yield Path(place), names

    def step(self, place: Path, part: str) -> Iterator[Path]:
        """What one part of a pattern leads to from a place."""
        if part == "**":
            yield from (below for below, _ in self.below(place))
        elif any(magic in part for magic in "*?["):
            try:
                entries = list(place.iterdir())
            except OSError:
                return
            self._count(len(entries))
            yield from (entry for entry in entries if fnmatchcase(entry.name, part))
        else:
            self._count(1)
            yield place / part

    def _count(self, entries: int) -> None:
        self._seen += entries
        if self._seen > MAX_ENTRIES:
            raise TooManyError


def relative_path_problem(path: str, *, may_be_the_folder: bool = False) -> Problem | None:
    """What is wrong with the path of a file or folder that the project file names; None: nothing.

    Args:
        may_be_the_folder: whether the project's own folder will do (`.`).
    """
    if not path or path.startswith(("/", "~")) or "\\" in path:
        return Problem(f"{path[:60]!r} is not a relative path", "write it relative to the project file")
    normal = posixpath.normpath(path)
    if normal == "." and not may_be_the_folder:
        return Problem(f"{path[:60]!r} is the project's own folder", "name something below the project's folder")
    if normal.split("/")[0] == "..":
        return Problem(f"{path[:60]!r} is outside the project", "name something below the project's folder")
    return None
