"""The folder of a slim OpenMetadata image: a lock that holds the ingestion package of the server's version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.problem import Problem
from penstock.project.document.document import at, read_text
from penstock.project.document.files import relative_path_problem
from penstock.project.openmetadata.workflow import Workflow
from penstock.versions.connectors import connector
from penstock_runtime.errors import InputError

LOCK = "requirements.txt"
HERE = ("images", "openmetadata", "build")

_PACKAGE = re.compile(r"^openmetadata-ingestion(?:\[[^\]]*\])?==(?P<version>[0-9]+\.[0-9]+\.[0-9]+)(?=[.\s\\]|$)", re.M)
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?:==|@)", re.M)
_INCLUDES = re.compile(r"^(?:-r|--requirement)\b", re.M)


@dataclass(frozen=True)
class SlimLock:
    """The lock of a slim image, or of a virtual environment on Airflow's worker, as far as it could be read."""

    problems: tuple[Problem, ...] = ()
    packages: frozenset[str] = frozenset()
    """What it pins, by the names that PyPI normalizes; none where that is not known: it includes another file."""


def read(folder: str, project: Path, server: str | None) -> SlimLock:
    """Read the lock in the folder that `images.openmetadata.build` names.

    The package of a server has the server's three numbers, and one of its own behind them.
    Source: OpenMetadata documentation, "Ingestion Framework Deployment".

    Args:
        project: the project's folder.
        server: its version, where the project has a server.
    """
    if problem := relative_path_problem(folder, may_be_the_folder=True):
        return SlimLock((problem.at(*HERE),))
    name = f"{folder}/{LOCK}"
    try:
        text = read_text(project / folder / LOCK, name)
    except InputError as error:
        return SlimLock((Problem(error.what, f"put a {LOCK} into it, with hashes", HERE),))
    return judged(text, name, server)


def judged(text: str, name: str, server: str | None) -> SlimLock:
    """What a lock says of the ingestion package.

    Args:
        name: the file, as errors show it.
        server: its version, where the project has a server.
    """
    lock = (
        "compile one: penstock requirements > requirements.in, then uv pip compile --generate-hashes --python-version "
        "3.11 requirements.in -o requirements.txt"
    )
    package = _PACKAGE.search(text)
    if package is None:
        return SlimLock((Problem(f"{name} pins no openmetadata-ingestion", lock, where=name),))
    where = f"{name}:{text.count(chr(10), 0, package.start()) + 1}"
    problems = []
    if "--hash=" not in text:
        problems.append(Problem(f"{name} has no hashes", lock, where=where))
    if server is not None and package["version"] != server:
        problems.append(
            Problem(
                f"{name} has openmetadata-ingestion {package['version']}, and the server is {server}",
                f"pin openmetadata-ingestion to {server}.*, and compile the lock again",
                where=where,
            )
        )
    pinned = (re.sub("[-_.]+", "-", match["name"]).lower() for match in _PINNED.finditer(text))
    return SlimLock(tuple(problems), frozenset() if _INCLUDES.search(text) else frozenset(pinned))


def check_connector(name: str, packages: frozenset[str], workflow: Workflow) -> Iterator[Problem]:
    """A workflow whose source needs a package that the lock does not pin. (Where that is not known, the
    container finds out.)
    """
    node = at(workflow.document.root, ("source", "type"))
    needed = connector(node.value) if packages and isinstance(node.value, str) else None
    if needed is not None and needed.missing(packages):
        yield Problem(
            f"{name} has no {needed.packages[0]}, which a source of type {node.value} needs",
            f"add the extra to the package, openmetadata-ingestion[{needed.extra}], and compile the lock again",
            where=workflow.document.where(node),
        )
