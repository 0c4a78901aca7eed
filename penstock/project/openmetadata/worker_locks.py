"""The lock that tasks with `operator: virtualenv` install in Airflow's worker: the project's own, or Penstock's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from penstock.home import REQUIREMENTS
from penstock.problem import Problem
from penstock.project.document.document import read_text
from penstock.project.document.files import relative_path_problem
from penstock.project.openmetadata import slim_image
from penstock.project.openmetadata.model import OpenMetadata
from penstock.versions.openmetadata import line
from penstock_runtime.errors import InputError

HERE = ("openmetadata", "requirements")


@dataclass(frozen=True)
class WorkerLock:
    """A lock, read and checked."""

    name: str
    """The file, as errors show it."""
    text: str
    """Its packages and hashes, without comments."""
    problems: tuple[Problem, ...]
    packages: frozenset[str]


class Refused(Exception):
    """There is no lock that could be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def key(server: OpenMetadata) -> tuple[str, str | None]:
    """What the lock follows from."""
    return server.version, server.requirements


def read(server: OpenMetadata, folder: Path, shown: Callable[[str], str]) -> WorkerLock:
    """The lock for a server: the file that it names, otherwise Penstock's own.

    Args:
        folder: the project's.

    Raises:
        Refused: there is none, or it cannot be read.
    """
    if server.requirements is None:
        return _shipped(server.version)
    if problem := relative_path_problem(server.requirements):
        raise Refused(problem.at(*HERE))
    name = shown(server.requirements)
    try:
        text = read_text(folder / server.requirements, name)
    except InputError as error:
        raise Refused(Problem(error.what, error.fix, HERE)) from error
    return _lock(text, name, server.version)


def _shipped(version: str) -> WorkerLock:
    name = f"requirements/images/openmetadata-{line(version)}.txt"
    path = REQUIREMENTS / "images" / f"openmetadata-{line(version)}.txt"
    lock = _lock(path.read_text(encoding="utf-8"), f"Penstock's own {name}", version) if path.is_file() else None
    if lock is None or lock.problems:
        raise Refused(
            Problem(
                f"Penstock has no lock of openmetadata-ingestion {version} for operator: virtualenv",
                "compile one, and name it in openmetadata.requirements: uv pip compile --generate-hashes "
                "--python-version 3.12 requirements.in -o requirements.txt, with openmetadata-ingestion[…]"
                f"=={version}.* in requirements.in (docs/operators.md)",
            )
        )
    return lock


def _lock(text: str, name: str, version: str) -> WorkerLock:
    judged = slim_image.judged(text, name, version)
    bare = [row for row in text.splitlines() if row.strip() and not row.lstrip().startswith("#")]
    return WorkerLock(name, "\n".join(bare) + "\n", judged.problems, judged.packages)
