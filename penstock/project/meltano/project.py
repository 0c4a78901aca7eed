"""`meltano.yml` with its includes: what `meltano schedule list` would say, without starting Meltano.

Meltano needs 2 to 4 seconds for its listing, and to be installed; this needs neither. As Meltano has it: the first of
two jobs with one name wins, `job` wins over `extractor`, included files add to the lists. What Meltano lists without
looking (a bad interval, a schedule of an empty job) is an error here, because a DAG is made of it.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, read_text
from penstock.project.document.files import is_file
from penstock.project.document.literals import ALLOW, literal_secret, scalars
from penstock.project.document.problems import Problems, nearest, shown
from penstock.project.jobs.interval import cron
from penstock.project.jobs.schedules import EARLIEST, LATEST
from penstock.project.jobs.tasks import wrong_command
from penstock.project.meltano.files import read_all
from penstock.project.meltano.plugins import Plugin, plugins, read_locks
from penstock.project.schema.names import VARIABLE_NAME_PATTERN
from penstock_runtime.errors import InputError

REFERENCE = re.compile(r"(?P<escaped>\\)?\$(?:\{(?P<braced>\w+)\}|(?P<bare>[A-Z][A-Z0-9_]*))")
"""What Meltano fills: `${name}` and `$NAME`; not `$name`, and not what has a backslash before it (Meltano 4.4.1,
`ENV_VAR_PATTERN`)."""

_DOTENV_NAME = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=", re.MULTILINE)


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
    env_nodes: tuple[tuple[str, Document, Node], ...] = ()
    """Where each of `env` stands."""

    @property
    def dag_id(self) -> str:
        """The id that Meltano's own generator (files-airflow) gives."""
        return f"meltano_{self.name}_{self.job}" if self.job is not None else f"meltano_{self.name}"


@dataclass(frozen=True, eq=False)
class MeltanoProject:
    """What a Meltano project brings along."""

    schedules: tuple[MeltanoSchedule, ...]
    left_out: tuple[Problem, ...]
    """Why schedules of the files are not among these: a mistake in one stops that one alone."""
    jobs: dict[str, tuple[tuple[str, ...], ...]]
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
        entries = [(document, _mapping(document.root.value.get("env")).get(name)) for document in self.documents]
        return [(document, node) for document, node in reversed(entries) if node is not None and node.value is not None]


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
    for document in documents:
        problems.add_all(_unnamed(document))
    for document in documents:
        for job in _named(document, "jobs"):
            name = str(job.value["name"].value)
            if name not in jobs:
                jobs[name] = _tasks(job.value.get("tasks"))
                if wrong := _fault(name, jobs[name]):
                    faults[name] = replace(wrong, where=document.where(job))
    schedules, left_out = [], []
    for document in documents:
        for node in _named(document, "schedules"):
            problems.add_all(_secrets_in_env(document, node))
            try:
                schedules.append(_schedule(document, node, jobs, faults))
            except InputError as error:
                left_out.append(_left_out(node, error))
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
        faults=faults,
        names=frozenset(names),
        default_environment=default.text if default is not None and default.value is not None else None,
        environments=frozenset(
            str(node.value["name"].value) for document in documents for node in _named(document, "environments")
        ),
        files=tuple(path for path, _ in files),
        documents=tuple(documents),
        plugins=plugins(documents, read_locks(folder)),
        dotenv=_dotenv(folder / ".env"),
    )


def _left_out(node: Node, error: InputError) -> Problem:
    """That a schedule is not among those that run, as a warning."""
    head = f"schedule {str(node.value['name'].value)!r}"
    what = error.what.removeprefix(f"{head} ")
    return Problem(
        f"{head} is left out: {'it ' if what != error.what else ''}{what}", error.fix, where=error.where, is_error=False
    )


def _dotenv(path: Path) -> frozenset[str]:
    """The names in a `.env`, and none of its values."""
    if not is_file(path):
        return frozenset()
    try:
        return frozenset(_DOTENV_NAME.findall(read_text(path, ".env")))
    except InputError:
        return frozenset()  # Meltano reports it where it is read at all


def names_in(text: str) -> list[str]:
    """The names that Meltano fills in a text, in order."""
    return [match["braced"] or match["bare"] for match in REFERENCE.finditer(text) if not match["escaped"]]


def _named(document: Document, key: str) -> list[Node]:
    """The entries of a list of named mappings."""
    node = document.root.value.get(key)
    return list(filter(_has_name, node.value)) if node is not None and isinstance(node.value, list) else []


def _unnamed(document: Document) -> Iterator[Problem]:
    """What stands among the lists of named mappings, and is not one."""
    for key in ("jobs", "schedules", "environments"):
        node = document.root.value.get(key)
        if node is None or node.value is None:
            continue
        entries = itertools.filterfalse(_has_name, node.value) if isinstance(node.value, list) else [node]
        for entry in entries:
            what = f"{key} must be a list of entries with a name"
            yield Problem(what, "add name", where=document.where(entry))


def _has_name(entry: Node) -> bool:
    name = entry.value.get("name") if isinstance(entry.value, dict) else None
    return name is not None and bool(name.text) and name.value is not None


def _tasks(node: Node | None) -> tuple[tuple[str, ...], ...]:
    if node is None or node.value is None:
        return ()
    entries = node.value if isinstance(node.value, list) else [node]
    return tuple(
        tuple(_text(item) for item in (entry.value if isinstance(entry.value, list) else [entry])) for entry in entries
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


def _schedule(
    document: Document,
    node: Node,
    jobs: dict[str, tuple[tuple[str, ...], ...]],
    faults: dict[str, Problem],
) -> MeltanoSchedule:
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
        if job in faults:
            raise faults[job].error()
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
        env_nodes=tuple((str(key), document, value) for key, value in _mapping(keys.get("env")).items()),
    )


def _mapping(node: Node | None) -> dict[Any, Node]:
    return node.value if node is not None and isinstance(node.value, dict) else {}


def _env(document: Document, node: Node | None) -> dict[str, str]:
    """Environment variables are text: numbers as Meltano reads them, lists and mappings as JSON."""
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise InputError("env must be a mapping", fix="write NAME: value", where=document.where(node))
    for key, named in node.keys.items():
        if not re.fullmatch(VARIABLE_NAME_PATTERN, str(key)) or str(key).startswith("PENSTOCK_"):
            raise InputError(
                f"{shown(str(key))} cannot be the name of an environment variable",
                fix="use letters, digits and _, and not the prefix PENSTOCK_",
                where=document.where(named),
            )
    return {str(key): _value(value) for key, value in node.value.items() if value.value is not None}


def _secrets_in_env(document: Document, schedule: Node) -> Iterator[Problem]:
    """Secrets in plain text: they would be in every run's overrides, for all to read."""
    node = schedule.value.get("env")
    for key, value in scalars(node) if node is not None and isinstance(node.value, dict) else ():
        # What names another is `meltano_references`' to judge.
        if (
            not names_in(str(value.value))
            and (what := literal_secret(key, value.value))
            and ALLOW not in document.line(value)
        ):
            yield Problem(what, _secret_fix(key), where=document.where(value))


def _secret_fix(variable: str) -> str:
    """How a process of Meltano's gets a secret under the name of an environment variable."""
    return (
        f"declare it in penstock.yaml: secrets: {{{variable[:60]}: secretsmanager:<name>}}, list {variable[:60]} in "
        f"meltano.secrets and remove it here; or end the line with `{ALLOW}`"
    )


def _value(node: Node) -> str:
    """An environment variable's text. Meltano gives a number's value: 123 for `0123`."""
    if isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return str(node.value)
    return node.text if node.text is not None else json.dumps(node.plain(), default=str)


def _date(document: Document, node: Node | None) -> date | None:
    """A start date, in quotes or without; with a time, as Meltano itself once wrote it, or without."""
    if node is None or node.value is None:
        return None
    day = node.value
    try:
        day = datetime.fromisoformat(day.strip()) if isinstance(day, str) else day
        day = day.date() if isinstance(day, datetime) else day
    except ValueError:
        day = None
    if not isinstance(day, date):
        what, fix = f"start_date {shown(node.text)} is not a date", "write it as 2027-03-01"
        raise InputError(what, fix=fix, where=document.where(node))
    if not EARLIEST <= day <= LATEST:
        raise InputError(
            f"start_date must be a day from {EARLIEST} to {LATEST}, not {day}",
            fix="name the day on which the schedule begins",
            where=document.where(node),
        )
    return day
