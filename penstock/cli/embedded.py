"""What `up`, `run` and `status` print about the embedded system."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penstock.cli.output import talk
from penstock.local import dag_problems
from penstock.local.system import System, faults_place
from penstock_runtime.errors import plain


def show_dag_problems(problems: Sequence[dag_problems.DagProblem]) -> bool:
    """Print what Airflow cannot run; whether there is anything."""
    if problems:
        talk.print()
    for problem in problems:
        talk.print(f"error: {plain(str(problem))}", style="red", markup=False)
        talk.print("  fix: correct it in the project, then run penstock up", style="red", markup=False)
    return bool(problems)


def show_left_out(system: System) -> None:
    """Print which of Meltano's schedules have no DAG, and why."""
    for text in system.plan.left_out:
        talk.print(f"warning: {plain(text)}", style="yellow", markup=False)


def show_address(system: System) -> None:
    """Where a person finds what is up."""
    talk.print(
        f"Airflow   {system.server.url}  (user {system.server.user}, password in {password_file(system)})",
        markup=False,
    )
    if place := faults_place(system.instance):
        talk.print(f"faults    {place.url}", markup=False)
    talk.print(f"logs      {system.instance.folder / 'logs'}, and: penstock logs", markup=False)
    talk.print("end it    penstock down", markup=False)


def password_file(system: System) -> Path:
    return system.instance.password_file("airflow")
