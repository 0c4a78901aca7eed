"""`up`: bring the embedded system up on this machine."""

from __future__ import annotations

import typer

from penstock.cli import context as contexts
from penstock.cli.embedded import show_address, show_dag_problems
from penstock.cli.options import AirflowOption, FaultsOption
from penstock.cli.output import Steps, talk
from penstock.local import dag_problems, instance
from penstock.local.faults import file as faults_file
from penstock.local.up import up as bring_up


def up(context: typer.Context, airflow: AirflowOption = None, faults: FaultsOption = None) -> None:
    """Bring the embedded system up, or up to date with the project.

    Exit code 1 if Airflow cannot read a DAG file or build a schedule; the system is up then.
    """
    own = contexts.of(context)
    own.plan(airflow=airflow)  # what is wrong is said before anything is made
    if faults is not None:
        faults_file.read(faults)
    with instance.locked(own.folder):
        system = bring_up(own.project, own.environment, own.folder, Steps(), airflow_version=airflow, faults=faults)
    talk.print()
    show_address(system)
    if show_dag_problems(dag_problems.find(system.airflow)):
        raise typer.Exit(1)
