"""The Airflow that runs the schedules."""

from __future__ import annotations

from pydantic import Field

from penstock.project.mwaa import CreateAirflow
from penstock.project.strict import Strict


class Airflow(Strict):
    """The Airflow that runs the schedules."""

    create: CreateAirflow
    """An MWAA environment that Penstock creates (the only way in this version)."""
    dag_prefix: str = Field("", pattern=r"^[A-Za-z0-9_.-]*$", max_length=40)
    """Put before every DAG id, where several projects or environments share one Airflow."""
