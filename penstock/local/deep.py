"""`validate --deep`: OpenMetadata's own package judges the workflows of a project, in its own environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.local import cache, environments
from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import at
from penstock.project.loaded import Project
from penstock.project.openmetadata import workflow
from penstock.project.openmetadata.shapes import shape_file
from penstock.project.openmetadata.workflow import Workflow
from penstock.project.settings import Settings
from penstock_runtime.errors import PenstockError
from penstock_runtime.fill import PLACEHOLDER

ASK = Path(shape_file.EXPORT).with_name("ask.py")
"""The script that asks."""
_UNKNOWN = "1"
"""Stands for a value that only the run has: of the texts, the one that most types of values take."""


@dataclass(frozen=True)
class Asked:
    """A workflow as the package is to judge it."""

    workflow: Workflow
    root: str
    """`workflow` or `application`."""
    data: dict[str, Any]


def check(project: Project, names: list[str], report: Callable[[str], None]) -> Iterator[Problem]:
    """What the package of the server's version says of each workflow that a task of these environments runs.

    Args:
        names: of environments.
        report: gets one line when something takes long.

    Raises:
        PenstockError: the package cannot be installed or asked; a version has no lock.
    """
    by_version: dict[str, list[Asked]] = {}
    for name in names:
        settings = project.settings(name)
        if settings.openmetadata is not None:
            by_version.setdefault(settings.openmetadata.version, []).extend(_workflows(project, settings))
    for version, asked in by_version.items():
        if asked:
            environment, package = _environment(version, report)
            report(f"asking openmetadata-ingestion {package} about {len(asked)} workflows")
            for one, answer in zip(asked, ask(environment, asked), strict=True):
                yield from (_problem(one, item, package, version) for item in answer if not _is_filled(one, item))


def ask(environment: Path, asked: list[Asked]) -> list[list[dict[str, Any]]]:
    """The package's answers, one for each workflow; see `ask.problems`.

    Raises:
        PenstockError: the script failed.
    """
    done = subprocess.run(
        [environment / "bin" / "python", "-I", str(ASK)],
        input=json.dumps([[one.root, one.data] for one in asked], default=str),
        env=cache.environ(),
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["it wrote nothing"]
        raise PenstockError(
            f"OpenMetadata's package cannot be asked: {last[0][:200]}",
            fix=f"remove {environment} and run this again: it is installed anew",
        )
    answers: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return answers


def _workflows(project: Project, settings: Settings) -> Iterator[Asked]:
    """Each file once for each way in which it is read."""
    assert settings.openmetadata is not None
    seen = set()
    for job in settings.jobs.values():
        for task in job.tasks:
            work = task.openmetadata
            root = "application" if work is not None and work.type == "application" else "workflow"
            if work is None or (work.config, root) in seen:
                continue
            seen.add((work.config, root))
            read = project.workflows[work.config]
            server = settings.openmetadata
            data = workflow.completed(read.data, server, server=server.server, pipeline="p")
            yield Asked(read, root, _filled(data, settings.variables))


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: variables.get(match[1], _UNKNOWN), value)
    if isinstance(value, dict):
        return {key: _filled(inner, variables) for key, inner in value.items()}
    return [_filled(inner, variables) for inner in value] if isinstance(value, list) else value


def _environment(version: str, report: Callable[[str], None]) -> tuple[Path, str]:
    lock = shape_file.lock_of(version)
    if lock is None:
        unknown = shape_file.cached(version)
        assert isinstance(unknown, shape_file.Unknown)
        raise PenstockError(f"OpenMetadata's package cannot be asked: {unknown.why}", fix=unknown.fix)
    environment = environments.ensure(lock.stem, lock, report=report)
    done = cache.run([str(environment / "bin" / "python"), "-I", "-c", _VERSION], cache.environ())
    return environment, done.output.strip().splitlines()[-1] if done.code == 0 and done.output.strip() else version


_VERSION = "from importlib.metadata import version; print(version('openmetadata-ingestion'))"


def _node(one: Asked, item: Mapping[str, Any]) -> Node:
    return at(one.workflow.document.root, tuple(item["at"]))


def _is_filled(one: Asked, item: Mapping[str, Any]) -> bool:
    """Whether it is about a value that is known at run time only."""
    value = _node(one, item).value
    return isinstance(value, str) and PLACEHOLDER.search(value) is not None


def _problem(one: Asked, item: Mapping[str, Any], package: str, version: str) -> Problem:
    same = package == version or package.startswith(f"{version}.")
    what = f"{str(item['what'])[:300]} (OpenMetadata {package} itself)"
    if item.get("driver"):
        fix = "nothing for the stock image, which has all drivers; in an image of your own, install the source's extra"
    else:
        fix = "correct what stands here"
    place = one.workflow.document.where(_node(one, item))
    return Problem(
        what if same else f"{what}; the server is {version}", fix, where=place, is_error=same and not item.get("driver")
    )
