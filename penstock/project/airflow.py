"""The Airflow that runs the schedules."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.project.strict import Strict


class Workers(Strict):
    """How many workers MWAA runs."""

    min: int = Field(1, ge=1)
    """At least."""
    max: int = Field(2, ge=1)
    """At most."""


class CreateAirflow(Strict):
    """An Amazon MWAA environment."""

    version: str
    """Airflow version, in quotes where it has only one dot."""
    environment_class: str = Field("mw1.small", alias="class")
    """Size: mw1.micro, mw1.small, mw1.medium, mw1.large, mw1.xlarge or mw1.2xlarge."""
    workers: Workers = Workers()
    """How many workers; mw1.micro has exactly one."""
    access: Literal["private", "public"] = "private"
    """Whether Airflow's web server is reached through the VPC only, or over the internet (with IAM) too."""
    options: dict[str, str] = Field(default_factory=dict)
    """Airflow configuration: `section.key` to value."""


class Airflow(Strict):
    """The Airflow that runs the schedules."""

    create: CreateAirflow
    """An MWAA environment that Penstock creates (the only way in this version)."""
    dag_prefix: str = Field("", pattern=r"^[A-Za-z0-9_.-]*$", max_length=40)
    """Put before every DAG id, where several projects or environments share one Airflow."""
