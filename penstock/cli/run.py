"""`run`: run a job in the embedded system and follow it, or one workflow file without any system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli import context as contexts
from penstock.cli.embedded import show_address, show_dag_problems
from penstock.cli.options import AirflowOption, FaultsOption, FormatOption
from penstock.cli.output import Format, Steps, data, show, show_json, talk
from penstock.cli.run_file import is_file, run_file
from penstock.local import dag_problems, instance, records, trouble
from penstock.local import run as runs
from penstock.local.faults import file as faults_file
from penstock.local.system import System, attach
from penstock.local.up import end
from penstock.local.up import up as bring_up
from penstock_runtime.errors import InputError


def run(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB|FILE", help="A job, one of its schedules, or a workflow file.")],
    bring: Annotated[
        bool, typer.Option("--up", help="Bring the system up first; if the run fails, end it again.")
    ] = False,
    airflow: AirflowOption = None,
    faults: FaultsOption = None,
    workflow_type: Annotated[
        str | None, typer.Option("--type", help="With FILE: its workflow type, where it does not say one.")
    ] = None,
    openmetadata: Annotated[
        str | None,
        typer.Option("--openmetadata", metavar="VERSION", help="With FILE, outside a project: OpenMetadata's version."),
    ] = None,
    form: FormatOption = Format.text,
) -> None:
    """Run a job through Airflow, follow it, and sum up what happened. Exit code 1 if any of it failed.

    An OpenMetadata workflow FILE runs here and now, without Airflow and AWS; exit codes are those of its container.
    """
    if is_file(job):
        _refuse({"--up": bring, "--airflow": airflow, "--faults": faults}, "a job, and a file needs no system")
        raise typer.Exit(run_file(contexts.of(context), Path(job), workflow_type, openmetadata, form))
    _refuse({"--type": workflow_type, "--openmetadata": openmetadata}, "a workflow file")
    for option, value in (("--airflow", airflow), ("--faults", faults)):
        if value is not None and not bring:
            raise InputError(f"{option} is for a system that is brought up", fix=f"add --up: run {job} --up {option} …")
    own, steps = contexts.of(context), Steps()
    # What is wrong is said before anything is made.
    if bring:
        runs.pick(own.plan(airflow=airflow), job)
        if faults is not None:
            faults_file.read(faults)
    else:
        own.instance()
    with instance.locked(own.folder):
        system, result = None, None
        try:
            if bring:
                system = bring_up(
                    own.project, own.environment, own.folder, steps, airflow_version=airflow, faults=faults
                )
                show_dag_problems(dag_problems.find(system.airflow))
            else:
                system = attach(own.instance())
            with trouble.explained(system.instance):
                result = runs.run(system, runs.pick(system.plan, job), steps)
                records.keep(system.instance, result)
        except (KeyboardInterrupt, SystemExit):
            if system is not None and not bring:
                talk.print("the run goes on in Airflow, where you can end it; penstock down ends everything")
            raise
        finally:
            if system is not None and bring and not (result and result.succeeded):
                end(system.instance, steps)
    if form is Format.json:
        show_json(result.data())
    else:
        _summary(system, result)
        if result.succeeded or not bring:
            show_address(system)
    raise typer.Exit(0 if result.succeeded else 1)


def _refuse(options: dict[str, object], what: str) -> None:
    """Options that say nothing here."""
    for option, value in options.items():
        if value:
            raise InputError(f"{option} is for {what}", fix=f"leave {option} out")


def _summary(system: System, result: runs.RunResult) -> None:
    data.print(
        f"\nschedule {result.schedule}, job {result.job}: {result.state} in {result.seconds:.0f} s",
        markup=False,
    )
    rows = [
        {
            "task": task.name,
            "state": task.state,
            "tries": task.tries,
            "seconds": None if task.seconds is None else round(task.seconds, 1),
            "exit_code": task.exit_code,
            "fargate_task": task.fargate_task,
        }
        for task in result.tasks
    ]
    show(rows, ["task", "state", "tries", "seconds", "exit_code", "fargate_task"], Format.text)
    if result.tables:
        data.print()
        show([vars(table) for table in result.tables], ["schema", "table", "rows"], Format.text)
    if result.entities:
        data.print()
        rows = [{"catalogued": kind, "entities": count} for kind, count in result.entities.items()]
        show(rows, ["catalogued", "entities"], Format.text)
    data.print()
    for task in result.tasks:
        if task.state != "success" or task.exit_code != 0:
            talk.print(f"task {task.name} {task.state}: penstock logs {task.name}", style="red", markup=False)
