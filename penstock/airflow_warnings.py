"""What works, and may not be meant, about the Airflow of a plan: each with its place in the project file."""

from __future__ import annotations

from collections.abc import Iterator

from penstock import mwaa
from penstock.project import shared_airflow
from penstock.project.load import Project
from penstock_runtime.airflow_environment import Airflow, SelfManagedAirflow, UsedAirflow

Place = tuple[str | int, ...]


def warnings(
    project: Project, environment: str, airflow: Airflow | UsedAirflow | SelfManagedAirflow, dags: int
) -> Iterator[tuple[str, Place]]:
    """(text, where) for one environment of a project.

    Args:
        dags: how many DAGs its plan has.
    """
    create = project.settings(environment).airflow.create
    if create is not None and isinstance(airflow, Airflow):
        for text, key in mwaa.warnings(create, airflow, dags):
            yield text, ("airflow", "create", *key)
    everywhere = {name: one.settings for name, one in project.environments.items()}
    own_files = bool(project.dag_files)
    yield from shared_airflow.warnings(environment, everywhere, project.meltanos, dag_files=own_files)
