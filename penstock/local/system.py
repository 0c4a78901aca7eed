"""An embedded system that is up: how to reach its parts. `up` makes one; later commands attach to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock.local import postgres, services, setup
from penstock.local.airflow import AirflowClient, AirflowServer
from penstock.local.aws.endpoint import Endpoint
from penstock.local.faults.place import Place
from penstock.local.instance import Instance
from penstock_runtime.errors import InputError
from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.plan import Plan

WAREHOUSE_DATABASE = "warehouse"
WAREHOUSE_USER = "warehouse"
PLAN_FILE = "plan.json"
"""The plan that is deployed, in the instance's folder."""


@dataclass(frozen=True)
class System:
    """What is up, and how to reach it."""

    instance: Instance
    plan: Plan
    endpoint: Endpoint
    server: AirflowServer
    airflow: AirflowClient

    @property
    def catalogue(self) -> Path | None:
        """State folder of the recording catalogue; None where the project names a server of its own."""
        return catalogue_state(self.instance) if "catalogue" in self.instance.processes else None

    @property
    def warehouse(self) -> str | None:
        """libpq connection string of the embedded warehouse; None if the project has none."""
        if not (self.instance.folder / "private" / "warehouse").exists():
            return None
        return postgres.conninfo(
            self.instance.port("postgres"),
            self.instance.password("warehouse"),
            user=WAREHOUSE_USER,
            database=WAREHOUSE_DATABASE,
        )


def attach(instance: Instance) -> System:
    """The system of an instance that is up.

    Raises:
        InputError: it is not: the last `up` did not come to its end, or a part has died since.
    """
    dead = [process.name for process in instance.processes.values() if not services.alive(process)]
    if dead or not instance.ready:
        what = f"{', '.join(dead)} ended since penstock up" if dead else "the last penstock up did not come to its end"
        raise InputError(what, fix="run penstock up: it starts what is missing")
    plan = Plan.from_json((instance.folder / PLAN_FILE).read_text())
    server = airflow_server(instance, plan, setup.airflow(plan.airflow.version, lambda _: None))
    return System(instance, plan, desk_endpoint(instance), server, server.client())


def aws_endpoint(instance: Instance) -> Endpoint:
    """The instance's embedded AWS."""
    return Endpoint.load(instance.folder / "aws")


def faults_place(instance: Instance) -> Place | None:
    """Where the instance's fault proxy listens; None: it has none."""
    return Place.load(faults_state(instance)) if "faults" in instance.processes else None


def faults_state(instance: Instance) -> Path:
    """Where the instance's fault proxy says where it listens."""
    return instance.folder / "faults"


def airflow_endpoint(instance: Instance) -> Endpoint:
    """The instance's embedded AWS as Airflow's components reach it: by the fault proxy where there is one."""
    place, endpoint = faults_place(instance), aws_endpoint(instance)
    return endpoint.through(place.airflow) if place else endpoint


def desk_endpoint(instance: Instance) -> Endpoint:
    """The instance's embedded AWS as the commands reach it: by the fault proxy only where its file says so."""
    place, endpoint = faults_place(instance), aws_endpoint(instance)
    return endpoint.through(place.desk) if place and place.through_desk else endpoint


def catalogue_state(instance: Instance) -> Path:
    """Where the instance's recording catalogue keeps what arrived."""
    return instance.folder / "catalogue"


def airflow_database(version: str) -> str:
    """Name of the metadata database of one Airflow version, and of its owner."""
    return f"airflow_{version.replace('.', '_')}"


def airflow_server(instance: Instance, plan: Plan, environment: Path) -> AirflowServer:
    """The instance's Airflow, described; `environment` holds the plan's version of it.

    Each version has a home and a database of its own, so that `up` can go from any one to any other. MWAA carries the
    history of runs over; here a version shows the runs that it had itself.
    """
    home = instance.folder / f"airflow-{plan.airflow.version}"
    database = airflow_database(plan.airflow.version)
    password = instance.password("airflow-database")
    # Of one that exists, the project knows neither options nor plugins.
    mwaa = plan.airflow if isinstance(plan.airflow, Airflow) else None
    return AirflowServer(
        version=plan.airflow.version,
        environment=environment,
        home=home,
        dags=home / "dags",
        database=f"postgresql://{database}:{password}@127.0.0.1:{instance.port('postgres')}/{database}",
        port=instance.port("airflow"),
        password=instance.password("airflow"),
        secret=instance.password("airflow-keys"),
        options=mwaa.options if mwaa else {},
        plugins=home / mwaa.plugins.removesuffix(".zip") if mwaa and mwaa.plugins else None,
    )
