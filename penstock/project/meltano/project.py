"""`meltano.yml` with its includes: what `meltano schedule list` would say, without starting Meltano.

Meltano needs 2 to 4 seconds for its listing, and to be installed; this needs neither. As Meltano has it: the first of
two jobs with one name wins, and included files add to the lists.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import Document
from penstock.project.document.literals import scalars
from penstock.project.document.parts import entries, mapping
from penstock.project.document.problems import Problems
from penstock.project.jobs.tasks import wrong_command
from penstock.project.meltano.annotations import JobAnnotation, annotation, unread
from penstock.project.meltano.files import read_all
from penstock.project.meltano.plugins import Plugin, plugins, read_locks
from penstock.project.meltano.schedules import MeltanoSchedule, left_out_because, read_schedule, secrets_in_env
from penstock.project.meltano.variables import names_in, names_set_in
from penstock_runtime.errors import InputError


@dataclass(frozen=True, eq=False)
class MeltanoProject:
    """What a Meltano project brings along."""

    schedules: tuple[MeltanoSchedule, ...]
    left_out: tuple[Problem, ...]
    """Why schedules of the files are not among these: a mistake in one stops that one alone."""
    jobs: dict[str, tuple[tuple[str, ...], ...]]
    annotations: dict[str, JobAnnotation]
    """Job → what `annotations.penstock` says of its tasks."""
    notes: tuple[Problem, ...]
    """Annotations that nothing reads, as warnings."""
    faults: dict[str, Problem]
    """Job → what is wrong with it, of those that cannot run. No error before something runs them."""
    names: frozenset[str]
    """Every `$NAME` and `${NAME}` of its files."""
    default_environment: str | None
    environments: frozenset[str]
    files: tuple[Path, ...]
    """`meltano.yml` and what it includes."""
    documents: tuple[Document, ...]
    """The same files, read."""
    plugins: dict[str, list[Plugin]]
    """Name → the plugins of that name."""
    dotenv: frozenset[str]
    """Names in its `.env`, which is in no image that Penstock builds."""

    def top_env(self, name: str) -> list[tuple[Document, Node]]:
        """Where `env` at the top of the files sets a variable; the last file wins, and is the first here."""
        values = [(document, mapping(document.root.value.get("env")).get(name)) for document in self.documents]
        return [(document, node) for document, node in reversed(values) if node is not None and node.value is not None]


def read(folder: Path, name: str, problems: Problems, *, where: str) -> MeltanoProject | None:
    """Read the Meltano project in `folder`; errors go to `problems`. `where` is the place that names it."""
    try:
        files = read_all(folder, name, where=where)
    except InputError as error:
        problems.take(error)
        return None
    documents = [document for _, document in files]
    main = documents[0]
    jobs: dict[str, tuple[tuple[str, ...], ...]] = {}
    faults: dict[str, Problem] = {}
    annotations: dict[str, JobAnnotation] = {}
    for document in documents:
        problems.add_all(_unnamed(document))
    for document in documents:
        for job in _named(document, "jobs"):
            name = str(job.value["name"].value)
            if name not in jobs:
                jobs[name] = _tasks(job.value.get("tasks"))
                if wrong := _fault(name, jobs[name]):
                    faults[name] = replace(wrong, where=document.where(job))
                try:
                    annotations[name] = annotation(document, job, JobAnnotation)
                except InputError as error:
                    faults.setdefault(name, Problem(f"job {name!r}: {error.what}", error.fix, where=error.where))
    schedules, left_out = [], []
    for document in documents:
        for node in _named(document, "schedules"):
            problems.add_all(secrets_in_env(document, node))
            try:
                schedules.append(read_schedule(document, node, jobs, faults, annotations))
            except InputError as error:
                left_out.append(left_out_because(node, error))
    names = {
        name
        for document in documents
        for _, node in scalars(document.root)
        if isinstance(node.value, str)
        for name in names_in(node.value)
    }
    default = main.root.value.get("default_environment")
    return MeltanoProject(
        schedules=tuple(schedules),
        left_out=tuple(left_out),
        jobs=jobs,
        annotations=annotations,
        notes=tuple(problem for document in documents for problem in unread(document)),
        faults=faults,
        names=frozenset(names),
        default_environment=default.text if default is not None and default.value is not None else None,
        environments=frozenset(
            str(node.value["name"].value) for document in documents for node in _named(document, "environments")
        ),
        files=tuple(path for path, _ in files),
        documents=tuple(documents),
        plugins=plugins(documents, read_locks(folder)),
        dotenv=names_set_in(folder / ".env"),
    )


def _named(document: Document, key: str) -> list[Node]:
    """The entries of a list of named mappings."""
    return list(filter(_has_name, entries(document.root.value.get(key))))


def _unnamed(document: Document) -> Iterator[Problem]:
    """What stands among the lists of named mappings, and is not one."""
    for key in ("jobs", "schedules", "environments"):
        node = document.root.value.get(key)
        if node is None or node.value is None:
            continue
        odd = itertools.filterfalse(_has_name, node.value) if isinstance(node.value, list) else [node]
        for entry in odd:
            what = f"{key} must be a list of entries with a name"
            yield Problem(what, "add name", where=document.where(entry))


def _has_name(entry: Node) -> bool:
    name = entry.value.get("name") if isinstance(entry.value, dict) else None
    return name is not None and bool(name.text) and name.value is not None


def _tasks(node: Node | None) -> tuple[tuple[str, ...], ...]:
    if node is None or node.value is None:
        return ()
    tasks = node.value if isinstance(node.value, list) else [node]
    return tuple(
        tuple(_text(item) for item in (entries(task) if isinstance(task.value, list) else [task])) for task in tasks
    )


def _fault(name: str, tasks: tuple[tuple[str, ...], ...]) -> Problem | None:
    """Why a job cannot run, and the fix. `meltano run` of a job without tasks exits with 1."""
    if not tasks:
        return Problem(f"job {name!r} has no tasks", "add tasks to it, or remove what runs it")
    for number, texts in enumerate(tasks, start=1):
        if wrong := wrong_command(texts):
            return Problem(f"task {number} of job {name!r} {wrong}", "write a list of texts")
    return None


def _text(node: Node) -> str:
    return node.text or "" if node.value is not None else ""
