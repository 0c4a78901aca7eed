"""`up`, `run`, `status`, `logs`, `down`: the embedded system on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from penstock.cli import context as contexts
from penstock.cli.output import Format, Steps, data, show, show_json, talk
from penstock.cli.project import FormatOption
from penstock.local import dag_problems, fargate, instance, interrupts, records, services, trouble
from penstock.local import run as runs
from penstock.local.system import System, attach
from penstock.local.up import end
from penstock.local.up import up as bring_up
from penstock_runtime.errors import InputError, plain, visible


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (up, run, status, logs, down):
        app.command()(command)


AirflowOption = Annotated[
    str | None,
    typer.Option("--airflow", metavar="VERSION", help="Airflow version, instead of the project's."),
]


def up(context: typer.Context, airflow: AirflowOption = None) -> None:
    """Bring the embedded system up, or up to date with the project.

    Exit code 1 if Airflow cannot read a DAG file or build a schedule; the system is up then.
    """
    own = contexts.of(context)
    own.plan(airflow=airflow)  # what is wrong is said before anything is made
    with instance.locked(own.folder):
        system = bring_up(own.project, own.environment, own.folder, Steps(), airflow_version=airflow)
    talk.print()
    _where(system)
    if _tell_dag_problems(dag_problems.find(system.airflow)):
        raise typer.Exit(1)


def run(
    context: typer.Context,
    job: Annotated[str, typer.Argument(help="A job, or one of its schedules.")],
    bring: Annotated[
        bool, typer.Option("--up", help="Bring the system up first; if the run fails, end it again.")
    ] = False,
    airflow: AirflowOption = None,
    form: FormatOption = Format.text,
) -> None:
    """Run a job through Airflow, follow it, and sum up what happened. Exit code 1 if any of it failed."""
    if airflow is not None and not bring:
        raise InputError("--airflow is for a system that is brought up", fix=f"add --up: run {job} --up --airflow …")
    own, steps = contexts.of(context), Steps()
    # What is wrong is said before anything is made.
    if bring:
        runs.pick(own.plan(airflow=airflow), job)
    else:
        own.instance()
    with instance.locked(own.folder):
        system, result = None, None
        try:
            if bring:
                system = bring_up(own.project, own.environment, own.folder, steps, airflow_version=airflow)
                _tell_dag_problems(dag_problems.find(system.airflow))
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
            _where(system)
    raise typer.Exit(0 if result.succeeded else 1)


def status(context: typer.Context, form: FormatOption = Format.text) -> None:
    """Show what is up, where its page is, and the last runs. Exit code 1 if something is not as it should be."""
    own = contexts.of(context).instance()
    rows = [
        {
            "service": process.name,
            "state": "up" if services.alive(process) else "ended",
            "pid": process.pid,
            "address": _address(own, process.name),
            "log": process.log,
        }
        for process in own.processes.values()
    ]
    whole = own.ready and all(row["state"] == "up" for row in rows)
    recent = records.read(own)
    system = attach(own) if whole else None
    problems = dag_problems.find(system.airflow) if system else []
    if form is Format.json:
        found = {"up": whole, "services": rows, "runs": [result.data() for result in recent]}
        show_json({**found, "dag_problems": [vars(problem) for problem in problems]})
    else:
        show(rows, ["service", "state", "pid", "address", "log"], form, empty="no service is up")
        if recent:
            talk.print()
            shown = [
                {"run": one.run_id, "schedule": one.schedule, "state": one.state, "seconds": one.seconds}
                for one in recent[-5:]
            ]
            show(shown, ["run", "schedule", "state", "seconds"], form)
        if system:
            talk.print()
            _where(system)
        _tell_dag_problems(problems)
    raise typer.Exit(0 if whole and not problems else 1)


def logs(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="A task, a service or a step; without one, lists what there is.")
    ] = None,
    form: FormatOption = Format.text,
) -> None:
    """Print a log: of a task's last run, of a service, or of a step such as deploy. The system need not be up."""
    own = contexts.of(context).instance()
    files = {file.stem: file for file in sorted((own.folder / "logs").glob("*.log"))}
    if name in files:
        _print_log(name, files[name].read_text(errors="replace").splitlines(), form)
        return
    ran = fargate.past_tasks(own.folder / "aws")
    if name is None:
        rows: list[dict[str, Any]] = [{"log": stem, "of": "service or step", "run": None} for stem in files]
        rows += [{"log": one.task, "of": "task", "run": one.dag_run} for one in {one.task: one for one in ran}.values()]
        show(rows, ["log", "of", "run"], form)
        return
    of_task = [one for one in ran if one.task == name]
    if not of_task:
        known = sorted({*files, *(one.task for one in ran)})
        raise InputError(f"there is no log of {name!r}", fix=f"choose one of {', '.join(known)}")
    _print_log(name, fargate.past_log(own.folder / "aws", of_task[-1]), form)


def down(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="End the processes, keep data and logs.")] = False,
) -> None:
    """End every process of the embedded system and remove its data and logs."""
    own = contexts.of(context)
    with instance.locked(own.folder):
        found = own.instance_or_none()
        if found is None:
            talk.print("nothing is up here")
            return
        steps = Steps()
        with interrupts.ignored(steps.note):
            found.ready = False
            with steps.step("end every process"):
                services.stop_all(found)
            if keep:
                found.save()
            else:
                records.remove(found)


def _tell_dag_problems(problems: Sequence[dag_problems.DagProblem]) -> bool:
    """Print what Airflow cannot run; whether there is anything."""
    if problems:
        talk.print()
    for problem in problems:
        talk.print(f"error: {plain(str(problem))}", style="red", markup=False)
        talk.print("  fix: correct it in the project, then run penstock up", style="red", markup=False)
    return bool(problems)


def _where(system: System) -> None:
    """Where a person finds what is up."""
    talk.print(
        f"Airflow   {system.server.url}  (user {system.server.user}, password in {_password_file(system)})",
        markup=False,
    )
    talk.print(f"logs      {system.instance.folder / 'logs'}, and: penstock logs", markup=False)
    talk.print("end it    penstock down", markup=False)


def _password_file(system: System) -> Path:
    return system.instance.password_file("airflow")


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


def _address(own: instance.Instance, name: str) -> str | None:
    port = own.ports.get("airflow" if name in ("airflow-api-server", "airflow-webserver") else name)
    return f"127.0.0.1:{port}" if port else None


def _print_log(name: str, lines: list[str], form: Format) -> None:
    if form is Format.json:
        show_json({"log": name, "lines": lines})
        return
    for line in lines:
        # A program's own colours may go to a file; on a terminal its sequences could set titles or the clipboard.
        data.file.write((visible(line, keep="\t") if data.is_terminal else line) + "\n")
