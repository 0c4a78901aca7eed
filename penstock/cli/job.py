"""`job add`, `job set`, `job list`, `job remove`: with Meltano's names and output."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any

import typer

from penstock.cli import context as contexts
from penstock.cli.edits import make
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, data, show_json
from penstock.project.document.problems import nearest, shown
from penstock.project.edit import ProjectFiles
from penstock.project.meltano import listing
from penstock.project.meltano.edit import read_tasks
from penstock_runtime.errors import InputError
from penstock_runtime.workflow_types import WORKFLOW_TYPES

app = typer.Typer(help="The jobs of the project, as meltano job has them.", no_args_is_help=True)

TasksOption = Annotated[
    str | None,
    typer.Option(
        "--tasks",
        metavar="TASKS",
        help="""Meltano tasks: 'tap target', or YAML: '["tap target", ["dbt:run", "dbt:test"]]'.""",
    ),
]


@app.callback()
def _group() -> None:
    """The jobs of the project, as `meltano job` has them."""


@app.command()
def add(
    context: typer.Context,
    name: str,
    tasks: TasksOption = None,
    workflow: Annotated[
        list[str] | None,
        typer.Option("--workflow", metavar="TYPE=FILE", help="An OpenMetadata workflow; may be repeated."),
    ] = None,
    command: Annotated[
        list[str] | None, typer.Option("--command", metavar="LINE", help="A plain command; may be repeated.")
    ] = None,
) -> None:
    """Add a job: --tasks to meltano.yml, --workflow and --command to penstock.yaml."""
    files = _files(context)
    if tasks is not None and not workflow and not command:
        if name in files.own.jobs:
            raise InputError(f"there is a job {name!r} already", fix="use another name", where=files.own.document.name)
        meltano_tasks = read_tasks(tasks)
        make(files.needed_meltano().add_job(name, meltano_tasks))
        data.print(f"Added job {name}: {meltano_tasks}", markup=False)
        return
    if tasks is not None or not (workflow or command):
        raise InputError(
            "name what the job runs",
            fix="--tasks for Meltano's tasks, or --workflow and --command for OpenMetadata's and others",
            where="penstock job add",
        )
    own = [*map(_workflow, workflow or ()), *map(_command, command or ())]
    make(files.own.add_job(name, _named(own)))
    data.print(f"Added job {name}: {', '.join(task['name'] for task in own)}", markup=False)


@app.command("set")
def set_tasks(context: typer.Context, name: str, tasks: TasksOption = None) -> None:
    """Give a job of meltano.yml other tasks."""
    files = _files(context)
    if name in files.own.jobs:
        where = files.own.document.where(files.own.jobs[name])
        raise InputError(f"job {name!r} stands in penstock.yaml", fix="edit its tasks there", where=where)
    if tasks is None:
        raise InputError("--tasks is missing", fix="--tasks 'tap target'", where="penstock job set")
    meltano_tasks = read_tasks(tasks)
    make(files.needed_meltano().set_job(name, meltano_tasks))
    data.print(f"Updated job {name}: {meltano_tasks}", markup=False)


@app.command("list")
def list_jobs(
    context: typer.Context, name: Annotated[str | None, typer.Argument()] = None, form: FormatOption = Format.text
) -> None:
    """List the jobs, or one of them; as JSON Meltano's are as in meltano job list --format json."""
    files = _files(context)
    meltanos = listing.jobs(files.meltano.documents) if files.meltano else []
    owns = [
        {"job_name": job, "tasks": [str(task.get("name")) for task in node.plain().get("tasks") or []]}
        for job, node in files.own.jobs.items()
        if isinstance(node.value, dict)
    ]
    if name is not None:
        job = next((job for job in [*owns, *meltanos] if job["job_name"] == name), None)
        if job is None:
            fix = nearest(name, [job["job_name"] for job in [*owns, *meltanos]], kind="job")
            raise InputError(f"there is no job {name!r}", fix=fix, where=files.own.document.name)
        owns, meltanos = [], [job]
    if form is Format.json:
        show_json(meltanos[0] if name is not None else {"jobs": meltanos} | ({"penstock": owns} if owns else {}))
        return
    for job in [*owns, *meltanos]:
        data.print(f"{job['job_name']}: {job['tasks']}", markup=False)


@app.command()
def remove(context: typer.Context, name: str) -> None:
    """Remove a job that no schedule runs."""
    make(_files(context).remove_job(name))
    data.print(f"Removed job '{name}'.", markup=False)


def _files(context: typer.Context) -> ProjectFiles:
    own = contexts.of(context)
    return ProjectFiles(own.project_file, own.environment)


def _workflow(option: str) -> dict[str, Any]:
    kind, _, file = option.partition("=")
    if kind not in WORKFLOW_TYPES or not file:
        raise InputError(
            f"{shown(option)} is not a workflow's type and file",
            fix=f"write metadata=ingestion/warehouse.yaml; the types: {', '.join(WORKFLOW_TYPES)}",
            where="--workflow",
        )
    return {"name": PurePosixPath(file).stem, "openmetadata": {"type": kind, "config": file}}


def _command(line: str) -> dict[str, Any]:
    program = line.split()[0] if line.split() else "command"
    return {"name": PurePosixPath(program).name, "command": line}


def _named(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each task with a name of its own, which Airflow takes."""
    names: set[str] = set()
    for task in tasks:
        name = base = re.sub(r"[^A-Za-z0-9_.-]", "-", task["name"]).lstrip("_.-")[:60] or "task"
        number = 2
        while name in names:
            name, number = f"{base}-{number}", number + 1
        names.add(name)
        task["name"] = name
    return tasks
