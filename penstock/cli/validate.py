"""`validate`: check the project and the files that it names."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli import context as contexts
from penstock.cli.options import FormatOption
from penstock.cli.output import Format, Steps, data, show_json, talk
from penstock.compile.compiler import compile_plan
from penstock.local import deep as deep_check
from penstock.project.document.problems import Problems
from penstock_runtime.errors import plain


def validate(
    context: typer.Context,
    form: FormatOption = Format.text,
    install: Annotated[
        bool,
        typer.Option("--install", help="Install OpenMetadata's package where it is missing: it says what it takes."),
    ] = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Also ask OpenMetadata's package itself; it is installed where it is missing."),
    ] = False,
) -> None:
    """Check the project and the files that it names, for every environment (or the one chosen)."""
    own = contexts.of(context)
    own.install = install or deep
    names = [own.environment] if own.environment else list(own.project.environments)
    plans = [compile_plan(own.project, name) for name in names]
    for note in own.project.notes:
        talk.print(f"warning: {note}", style="yellow", markup=False, soft_wrap=True)
    if deep:
        _ask_the_package(own, names)
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


def _ask_the_package(own: contexts.Context, names: list[str]) -> None:
    problems = Problems()
    # Environments share files: what is wrong with one of these is said once.
    for problem in dict.fromkeys(deep_check.check(own.project, names, Steps().note)):
        if problem.is_error:
            problems.take(problem.error())
        else:
            talk.print(f"warning: {problem.error()}", style="yellow", markup=False, soft_wrap=True)
    problems.raise_all()
