"""The folder of a slim OpenMetadata image: a lock that holds the ingestion package of the server's version."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.project.document.document import at, read_text
from penstock.versions.connectors import connector
from penstock_runtime.errors import InputError

if TYPE_CHECKING:
    from penstock.project.checks import Checks
    from penstock.project.document.problems import Problems
    from penstock.project.openmetadata.workflow import Workflow

LOCK = "requirements.txt"
HERE = ("images", "openmetadata", "build")

_PACKAGE = re.compile(r"^openmetadata-ingestion(?:\[[^\]]*\])?==(?P<version>[0-9]+\.[0-9]+\.[0-9]+)(?=[.\s\\]|$)", re.M)
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?:==|@)", re.M)
_INCLUDES = re.compile(r"^(?:-r|--requirement)\b", re.M)


def check(folder: str, project: Path, checks: Checks) -> frozenset[str]:
    """Report what is wrong with the folder that `images.openmetadata.build` names.

    Returns the packages that its lock pins, by the names that PyPI normalizes; none where they are not known: it is no
    lock, or includes another file.

    The package of a server has the server's three numbers, and one of its own behind them.
    Source: OpenMetadata documentation, "Ingestion Framework Deployment".
    """
    if Path(folder).is_absolute() or ".." in Path(folder).parts:
        checks.add(f"{folder[:60]!r} is no path below the project", "write it relative to the project file", *HERE)
        return frozenset()
    name = f"{folder}/{LOCK}"
    try:
        text = read_text(project / folder / LOCK, name, where=checks.where(*HERE))
    except InputError as error:
        checks.problems.add(error.what, fix=f"put a {LOCK} into it, with hashes", where=checks.where(*HERE))
        return frozenset()
    lock = "compile one: uv pip compile --generate-hashes --python-version 3.11 requirements.in -o requirements.txt"
    found = _PACKAGE.search(text)
    if found is None:
        checks.problems.add(f"{name} pins no openmetadata-ingestion", fix=lock, where=name)
        return frozenset()
    line = text.count("\n", 0, found.start()) + 1
    if "--hash=" not in text:
        checks.problems.add(f"{name} has no hashes", fix=lock, where=f"{name}:{line}")
    server = checks.settings.openmetadata
    if server is not None and found["version"] != server.version:
        checks.problems.add(
            f"{name} has openmetadata-ingestion {found['version']}, and the server is {server.version}",
            fix=f"pin openmetadata-ingestion to {server.version}.*, and compile the lock again",
            where=f"{name}:{line}",
        )
    if _INCLUDES.search(text):
        return frozenset()
    return frozenset(re.sub("[-_.]+", "-", one["name"]).lower() for one in _PINNED.finditer(text))


def check_connector(folder: str, packages: frozenset[str], workflow: Workflow, problems: Problems) -> None:
    """Report a workflow whose source needs a package that the lock does not pin. (Where that is not known, the
    container finds out.)
    """
    node = at(workflow.document.root, ("source", "type"))
    needed = connector(node.value) if packages and isinstance(node.value, str) else None
    if needed is not None and needed.missing(packages):
        problems.add(
            f"{folder}/{LOCK} has no {needed.packages[0]}, which a source of type {node.value} needs",
            fix=f"add the extra to the package, openmetadata-ingestion[{needed.extra}], and compile the lock again",
            where=workflow.document.where(node),
        )
