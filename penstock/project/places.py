"""Where a project runs: its network, its Airflow, its OpenMetadata server, its Meltano project."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.project.strict import Strict

ID = "(?:[0-9a-f]{8}|[0-9a-f]{17})"
"""The part of an id of AWS behind its prefix: `0a1b2c3d` of `vpc-0a1b2c3d`."""


class CreateNetwork(Strict):
    """A VPC with two public and two private subnets."""

    cidr: str = "10.20.0.0/16"
    """IPv4 range, /16 to /24."""
    egress: Literal["nat"] = "nat"
    """How tasks reach the internet: through a NAT gateway."""


class UseNetwork(Strict):
    """A network that exists."""

    vpc: str = Field(pattern=f"^vpc-{ID}$")
    """Its id: `vpc-…`."""
    private_subnets: list[str] = Field(min_length=2, max_length=2)
    """Ids of exactly two private subnets in two zones (MWAA wants two)."""
    security_groups: list[str] = Field(default_factory=list, max_length=4)
    """Ids of security groups for the tasks and MWAA, besides the one that Penstock makes."""


class Network(Strict):
    """Exactly one of `create` and `use`."""

    create: CreateNetwork | None = None
    """A network that Penstock creates."""
    use: UseNetwork | None = None
    """A network that exists."""


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


class Auth(Strict):
    """How workflows sign in to the OpenMetadata server."""

    jwt_token: str
    """The bot's token, as `${NAME}` of a secret."""


class OpenMetadata(Strict):
    """The OpenMetadata server. Fills what workflow files leave out."""

    server: str | None = Field(None, pattern=r"^https?://\S+$")
    """Address of its API, ending in `/api`. Without it the run takes it from OPENMETADATA_SERVER."""
    version: str
    """The server's version; the ingestion image follows from it."""
    auth: Auth | None = None
    """How to sign in."""


class Meltano(Strict):
    """The Meltano project. Its jobs and schedules come in unchanged."""

    project: str = Field(min_length=1)
    """The folder that holds `meltano.yml`, relative to the project file."""
    environment: str | None = Field(None, min_length=1)
    """The Meltano environment to run in."""
    image: str | None = Field(None, min_length=1, max_length=500)
    """An image that holds the project and its plugins. Default: built from `project`."""
    secrets: list[str] = Field(default_factory=list)
    """Secrets that all Meltano tasks get besides those that `meltano.yml` names."""


class Warehouse(Strict):
    """Which variables and secrets describe the warehouse; each value is the name of one."""

    host: str
    """Gets the host."""
    port: str
    """Gets the port."""
    database: str
    """Gets the database's name."""
    user: str
    """Gets the user."""
    password: str
    """Gets the password."""


class Embedded(Strict):
    """What the embedded mode (`penstock up`) brings along."""

    warehouse: Warehouse | None = None
    """Its PostgreSQL."""
