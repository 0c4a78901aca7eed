"""`dags build`: the bundle, as it would go to the MWAA bucket. `dags plugin`: what goes beside Airflow's plugins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from penstock import home
from penstock.bundle import task_files
from penstock.bundle.build import build_bundle
from penstock.cli import context as contexts
from penstock.cli.output import data, talk
from penstock.project.airflow import plugins
from penstock_runtime import contract
from penstock_runtime.errors import InputError

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


def _unusable(output: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot write to {output}: {error.strerror}", fix="name a folder with --output that you may write to"
    )
