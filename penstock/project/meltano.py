"""`meltano.yml` with its includes: what `meltano schedule list` would say, without starting Meltano.

Meltano needs 2 to 4 seconds for its listing, and to be installed; this needs neither. As Meltano has it: the first of
two jobs with one name wins, `job` wins over `extractor`, included files add to the lists. What Meltano lists without
looking (a bad interval) is an error here, because a DAG is made of it.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from penstock.project import folders
from penstock.project.composer import MAX_NODES, Node, TooManyValuesError
from penstock.project.document import MAX_BYTES, Document, read_document
from penstock.project.interval import cron
from penstock.project.literals import ALLOW, literal_secret, scalars
from penstock.project.problems import Problems, nearest, shown
from penstock.project.schedules import EARLIEST, LATEST
from penstock.project.tasks import EnvironmentName, wrong_command
from penstock_runtime.errors import InputError

MAX_INCLUDES = 500
_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


@dataclass(frozen=True, eq=False)
class MeltanoSchedule:
    """One schedule: of a job (`job` and `tasks`), or of an extractor and a loader (`elt`)."""

    name: str
    cron: str | None
    """Of its interval; None: by hand only."""
    job: str | None
    tasks: tuple[tuple[str, ...], ...]
    """Per task the texts that its `meltano run` gets; a nested list is one task."""
    elt: tuple[str, ...]
    """Arguments of `meltano elt`; empty for a job."""
    env: dict[str, str]
    start_date: date | None
    where: str
    source: str

    @property
    def dag_id(self) -> str:
        """The id that Meltano's own generator (files-airflow) gives."""
        return f"meltano_{self.name}_{self.job}" if self.job is not None else f"meltano_{self.name}"


@dataclass(frozen=True, eq=False)
class MeltanoProject:
    """What a Meltano project brings along."""

    schedules: tuple[MeltanoSchedule, ...]
    jobs: dict[str, tuple[tuple[str, ...], ...]]
    names: frozenset[str]
    """Every `$NAME` and `${NAME}` of its files."""
    default_environment: str | None
    environments: frozenset[str]
    files: tuple[Path, ...]
    """`meltano.yml` and what it includes."""


def read(folder: Path, name: str, problems: Problems, *, where: str) -> MeltanoProject | None:
    """Read the Meltano project in `folder`; errors go to `problems`. `where` is the place that names it."""
    try:
        main = read_document(folder / "meltano.yml", f"{name}/meltano.yml", where=where)
        included = _included(folder, name, main)
    except InputError as error:
        problems.take(error)
        return None
    documents = [main, *(document for _, document in included)]
    jobs: dict[str, tuple[tuple[str, ...], ...]] = {}
    for document in documents:
        for job in _named(document, "jobs", problems):
            name = str(job.value["name"].value)
            if name not in jobs:
                jobs[name] = _tasks(job.value.get("tasks"))
                _check_job(name, jobs[name], problems, document.where(job))
    schedules = []
    for document in documents:
        for node in _named(document, "schedules", problems):
            try:
                schedules.append(_schedule(document, node, jobs))
            except InputError as error:
                problems.take(error)
    names = {
        braced or bare
        for document in documents
        for _, node in scalars(document.root)
        if isinstance(node.value, str) and "$" in node.value
        for braced, bare in _REFERENCE.findall(node.value)
    }
    default = main.root.value.get("default_environment")
    return MeltanoProject(
        schedules=tuple(schedules),
        jobs=jobs,
        names=frozenset(names),
        default_environment=default.text if default is not None and default.value is not None else None,
        environments=frozenset(
            str(node.value["name"].value)
            for document in documents
            for node in _named(document, "environments", problems)
        ),
        files=(folder / "meltano.yml", *(path for path, _ in included)),
    )


def _included(folder: Path, name: str, main: Document) -> list[tuple[Path, Document]]:
    if not isinstance(main.root.value, dict):
        raise InputError("meltano.yml holds no mapping", fix="see Meltano's documentation", where=main.where(main.root))
    node = main.root.value.get("include_paths")
    if node is None or node.value is None:
        return []
    if not isinstance(node.value, list) or not all(isinstance(one.value, str) for one in node.value):
        raise InputError("include_paths wants a list of paths", fix="write a list", where=main.where(node))
    found: list[Path] = []
    for pattern in node.value:
        try:
            matches = folders.matching(folder, pattern.value)
        except ValueError as error:
            raise InputError(
                f"{pattern.value[:60]!r} cannot be searched for: {error}",
                fix="write a pattern relative to meltano.yml",
                where=main.where(pattern),
            ) from None
        found += [path for path in matches if path not in found and path != folder / "meltano.yml"]
        if len(found) > MAX_INCLUDES:
            raise InputError(
                f"{pattern.value[:60]!r} takes in more than {MAX_INCLUDES} files",
                fix="write a narrower pattern",
                where=main.where(pattern),
            )
    documents = []
    weight, length = main.root.weight, len(main.text)
    for path in found:
        try:
            room = max(MAX_NODES - weight, 0)
            document = read_document(path, f"{name}/{os.path.relpath(path, folder)}", max_nodes=room)
        except TooManyValuesError as error:
            what = f"with this file the Meltano project holds more than {MAX_NODES} values"
            raise InputError(what, fix="include fewer files", where=error.where) from None
        weight, length = weight + document.root.weight, length + len(document.text)
        if length > MAX_BYTES:
            what = f"the files of the Meltano project are longer than {MAX_BYTES} characters together"
            raise InputError(what, fix="include fewer files", where=main.where(node))
        if not isinstance(document.root.value, dict):
            raise InputError("an included file holds no mapping", fix="exclude it", where=document.where(document.root))
        documents.append((path, document))
    return documents


def _named(document: Document, key: str, problems: Problems) -> list[Node]:
    """The entries of a list of named mappings."""
    node = document.root.value.get(key)
    if node is None or node.value is None:
        return []
    entries = node.value if isinstance(node.value, list) else [node]
    good = []
    for entry in entries:
        name = entry.value.get("name") if isinstance(entry.value, dict) else None
        if isinstance(node.value, list) and name is not None and name.text and name.value is not None:
            good.append(entry)
        else:
            problems.add(f"{key} wants a list of entries with a name", fix="add name", where=document.where(entry))
    return good


def _tasks(node: Node | None) -> tuple[tuple[str, ...], ...]:
    if node is None or node.value is None:
        return ()
    entries = node.value if isinstance(node.value, list) else [node]
    return tuple(
        tuple(_text(one) for one in (entry.value if isinstance(entry.value, list) else [entry])) for entry in entries
    )


def _check_job(name: str, found: tuple[tuple[str, ...], ...], problems: Problems, where: str) -> None:
    if not found:
        problems.add(f"job {name!r} has no tasks", fix="add tasks to it, or remove it", where=where)
    for number, texts in enumerate(found, start=1):
        if wrong := wrong_command(texts):
            problems.add(f"task {number} of job {name!r} {wrong}", fix="write a list of texts", where=where)


def _text(node: Node) -> str:
    return node.text or "" if node.value is not None else ""


def _schedule(document: Document, node: Node, jobs: dict[str, tuple[tuple[str, ...], ...]]) -> MeltanoSchedule:
    keys: dict[str, Node] = node.value
    name = str(keys["name"].value)
    if "interval" not in keys:
        raise InputError(
            f"schedule {name!r} has no interval", fix='add interval: "@daily", or null', where=document.where(node)
        )
    interval = keys["interval"]
    job: str | None = None
    tasks: tuple[tuple[str, ...], ...] = ()
    elt: tuple[str, ...] = ()
    if "job" in keys:
        job = str(keys["job"].value)
        if job not in jobs:
            raise InputError(
                f"schedule {name!r} names job {job!r}, which is in no file of the Meltano project",
                fix=nearest(job, jobs, kind="job"),
                where=document.where(keys["job"]),
            )
        tasks = jobs[job]
    else:
        for key in ("extractor", "loader", "transform"):
            if key not in keys or not keys[key].text:
                raise InputError(
                    f"schedule {name!r} has no {key}",
                    fix=f"add {key}, or name a job instead",
                    where=document.where(node),
                )
        extractor, loader, transform = (str(keys[key].value) for key in ("extractor", "loader", "transform"))
        elt = (extractor, loader, f"--transform={transform}", f"--state-id={name}")
    return MeltanoSchedule(
        name=name,
        cron=None if interval.value is None else cron(interval.value, document.where(interval)),
        job=job,
        tasks=tasks,
        elt=elt,
        env=_env(document, keys.get("env")),
        start_date=_date(document, keys.get("start_date")),
        where=document.where(node),
        source=document.source(node),
    )


def _env(document: Document, node: Node | None) -> dict[str, str]:
    """Environment variables are text: numbers and booleans as they are written, lists and mappings as JSON."""
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise InputError("env wants a mapping", fix="write NAME: value", where=document.where(node))
    for key, named in node.keys.items():
        if not re.fullmatch(EnvironmentName, str(key)) or str(key).startswith("PENSTOCK_"):
            raise InputError(
                f"{shown(str(key))} cannot be the name of an environment variable",
                fix="use letters, digits and _, and not the prefix PENSTOCK_",
                where=document.where(named),
            )
    for key, value in scalars(node):
        # It would stand in every run's overrides, for all to read. `$NAME` is Meltano's own way to name another.
        if (
            "$" not in str(value.value)
            and (what := literal_secret(key, value.value))
            and ALLOW not in document.line(value)
        ):
            raise InputError(
                what, fix=f"write $NAME of a secret, or end the line with `{ALLOW}`", where=document.where(value)
            )
    return {
        str(key): value.text if value.text is not None else json.dumps(value.plain(), default=str)
        for key, value in node.value.items()
        if value.value is not None
    }


def _date(document: Document, node: Node | None) -> date | None:
    if node is None or not isinstance(node.value, date):
        return None
    found = node.value.date() if isinstance(node.value, datetime) else node.value
    if not EARLIEST <= found <= LATEST:
        raise InputError(
            f"start_date wants a day from {EARLIEST} to {LATEST}, not {found}",
            fix="name the day on which the schedule begins",
            where=document.where(node),
        )
    return found
