"""`validate`: check the project and the files that it names."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli import context as contexts
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, data, show_json, talk
from penstock.compile.compiler import compile_plan
from penstock_runtime.errors import plain


def validate(
    context: typer.Context,
    form: FormatOption = Format.text,
    install: Annotated[
        bool,
        typer.Option("--install", help="Install OpenMetadata's package where it is missing: it says what it takes."),
    ] = False,
) -> None:
    """Check the project and the files that it names, for every environment (or the one chosen)."""
    own = contexts.of(context)
    own.install = install
    names = [own.environment] if own.environment else list(own.project.environments)
    plans = [compile_plan(own.project, name) for name in names]
    for note in own.project.notes:
        talk.print(f"warning: {note}", style="yellow", markup=False, soft_wrap=True)
    if form is Format.json:
        show_json(
            [
                {
                    "environment": plan.environment,
                    "schedules": len(plan.schedules),
                    "warnings": list(plan.warnings),
                }
                for plan in plans
            ]
        )
        return
    for plan in plans:
        for warning in plan.warnings:
            talk.print(f"warning: {plan.environment}: {plain(warning)}", style="yellow", markup=False, soft_wrap=True)
        tasks = sum(len(schedule.tasks) for schedule in plan.schedules)
        data.print(f"{plan.environment}: valid, {len(plan.schedules)} schedules, {tasks} tasks", markup=False)
