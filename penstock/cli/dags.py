"""`dags build`: the bundle, as it would go to the MWAA bucket. `dags plugin`: what goes beside Airflow's plugins.
`dags export`: a schedule as a DAG file that needs nothing of Penstock's."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from penstock import home
from penstock.bundle import task_files
from penstock.bundle.build import build_bundle
from penstock.bundle.export import dag_file
from penstock.bundle.export.target import Operator, Target, release_line
from penstock.bundle.export.work import Source
from penstock.cli import context as contexts
from penstock.cli.options import ToOption
from penstock.cli.output import data, talk, warn
from penstock.compile.compiler import compile_plan
from penstock.deployed.account import Account
from penstock.deployed.state import find
from penstock.project.airflow import plugins
from penstock_runtime import contract
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.release.resources import Resources

app = typer.Typer(help="The DAGs of the project.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The DAGs of the project."""


@app.command()
def build(
    context: typer.Context,
    output: Annotated[Path, typer.Option("--output", help="Folder to write to; must be new or empty.")] = Path("build"),
) -> None:
    """Write the bundle (`dags/`) and the files of the artifacts bucket (`artifacts/`) to a folder."""
    try:
        # A link that leads nowhere is there, too.
        taken = os.path.lexists(output) and (not output.is_dir() or any(output.iterdir()))
    except OSError as error:
        raise _unusable(output, error) from None
    if taken:
        raise InputError(f"{output} is there and not empty", fix="name a new folder with --output, or empty this one")
    own = contexts.of(context)
    plan = own.plan()
    bundle = build_bundle(plan, dags_folder=home.DAGS)
    try:
        bundle.write(output)
        task_files.write(plan, own.project.folder, output / "artifacts" / contract.FILES_PREFIX)
    except OSError as error:
        raise _unusable(output, error) from None
    given = f", {len({file.sha256 for file in plan.files})} files for tasks" if plan.files else ""
    talk.print(
        f"release {bundle.release}: {len(bundle.dags)} files for Airflow, {len(bundle.artifacts)} artifacts{given}",
        markup=False,
    )
    data.print(str(output), markup=False)


@app.command()
def plugin(
    folder: Annotated[Path, typer.Argument(help="Airflow's plugins folder, or a folder that plugins.zip is made of.")],
) -> None:
    """Write the trigger that `deferrable` tasks wait in to a folder of plugins."""
    target = folder / plugins.TRIGGER_FILE
    part = target.with_suffix(".part")
    try:
        part.write_bytes(plugins.trigger())
        part.replace(target)
    except OSError as error:
        what = f"cannot write {target}: {error.strerror}"
        raise InputError(what, fix="name a folder that is there, and that you may write to") from None
    data.print(str(target), markup=False)


@app.command()
def export(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The schedule's name, or its DAG id.")],
    operator: Annotated[Operator, typer.Option("--operator", help="Which stock operators to use.")] = Operator.ecs,
    airflow: Annotated[
        str | None,
        typer.Option("--airflow", metavar="VERSION", help="Airflow 2.9 to 3.3; the project's own by default."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write; it must not be there. Default: print it.")
    ] = None,
    resources: Annotated[
        Path | None,
        typer.Option(
            "--resources", metavar="FILE", help="The deploy's resources.json, instead of asking AWS; ecs only."
        ),
    ] = None,
    to: ToOption = None,
) -> None:
    """Write a schedule as one DAG file of stock operators, for an Airflow that has nothing of Penstock's."""
    own = contexts.of(context)
    if operator is not Operator.ecs and (resources is not None or to is not None):
        raise InputError(f"--operator {operator.value} needs nothing of a deploy", fix="leave --resources and --to out")
    line = release_line(airflow) if airflow is not None else None
    # What is exported for another operator needs what the plan says of images and secrets, wherever its tasks run.
    plan = compile_plan(own.project, own.environment, only_ecs=operator is not Operator.ecs)
    schedule = dag_file.pick(plan, name)
    if output is not None and os.path.lexists(output):
        raise InputError(f"{output} is there", fix="name a new file with --output, or remove this one")
    server = own.project.settings(plan.environment).openmetadata
    made = dag_file.export(
        Source(
            plan,
            schedule,
            Target(operator, line or release_line(plan.airflow.version)),
            openmetadata=server.version if server is not None else "",
            resources=_resources(plan, resources, to) if operator is Operator.ecs else None,
        )
    )
    if output is None:
        sys.stdout.write(made.text)
    else:
        try:
            output.write_text(made.text, encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"cannot write {output}: {error.strerror}", fix="name another file with --output"
            ) from None
        data.print(str(output), markup=False)
    for note in made.notes:
        warn(note)


def _resources(plan: Plan, file: Path | None, to: str | None) -> Resources:
    """What the deploy made: from the file, otherwise from AWS."""
    if file is not None and to is not None:
        raise InputError("--resources and --to both say where the deploy is", fix="give one of them")
    try:
        if file is not None:
            return Resources.from_json(file.read_text(encoding="utf-8"))
        account = Account(plan.region)
        account.check(plan)
        return Resources.from_json(find(account, plan, to).resources_json)
    except OSError as error:
        raise InputError(
            f"cannot read {file}: {error.strerror}", fix="name a resources.json with --resources"
        ) from None
    except ValueError as error:
        where = str(file or contract.RESOURCES_FILE)
        raise InputError(str(error), fix="deploy the project again with this version", where=where) from None


def _unusable(output: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot write to {output}: {error.strerror}", fix="name a folder with --output that you may write to"
    )
