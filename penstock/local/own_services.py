"""The services of an instance that Penstock runs itself: embedded AWS, fault proxy, PostgreSQL, catalogue, sync.

Each `start_…` leaves a service alone that runs and is right.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from penstock.home import HOME
from penstock.local import existing, files, postgres, services
from penstock.local.aws.endpoint import TASKS_FILE, Endpoint
from penstock.local.faults import file as faults_file
from penstock.local.faults.place import PLACE_FILE
from penstock.local.instance import Instance
from penstock.local.system import (
    WAREHOUSE_DATABASE,
    WAREHOUSE_USER,
    airflow_database,
    aws_endpoint,
    catalogue_state,
    faults_place,
    faults_state,
)
from penstock.project.loaded import Project
from penstock_runtime.plan.plan import Plan

ACCOUNT = "123456789012"
"""The embedded AWS's account where the project names none."""
START_SECONDS = 60


def start_aws(instance: Instance, plan: Plan) -> tuple[Endpoint, bool]:
    """The embedded AWS of the plan's account and region, and whether it has just been started."""
    account = plan.account or ACCOUNT
    if services.running(instance, "aws"):
        endpoint = aws_endpoint(instance)
        if (endpoint.account, endpoint.region) == (account, plan.region):
            return endpoint, False
    state = instance.folder / "aws"
    options = {"--state": state, "--images": instance.folder / "images", "--port": instance.renew_port("aws")}
    options |= {"--region": plan.region, "--account": account}
    _start(instance, "aws", _module("penstock.local.aws", options), writes=state / "aws.json")
    return aws_endpoint(instance), True


def has_faults(instance: Instance) -> bool:
    """Whether a fault proxy is before the embedded AWS, or was and has died."""
    return "faults" in instance.processes or _tasks_file(instance).exists()


def start_faults(instance: Instance, file: Path, *, new_aws: bool) -> None:
    """Put the fault proxy before the embedded AWS.

    Args:
        file: its rules.
        new_aws: the embedded AWS has just been started, with another certificate than before.
    """
    place, desk = faults_place(instance), faults_file.read(file).desk
    is_right = place is not None and (place.file, place.through_desk) == (str(file.absolute()), desk)
    if is_right and not new_aws and services.running(instance, "faults"):
        return
    stop_faults(instance)
    state = faults_state(instance)
    options: dict[str, object] = {"--state": state, "--aws": instance.folder / "aws", "--file": file.absolute()}
    options |= {f"--{name}": instance.renew_port(f"faults-{name}") for name in ("airflow", "tasks", "desk")}
    options |= {"--control": instance.renew_port("faults")}  # what `penstock status` shows
    _start(instance, "faults", _module("penstock.local.faults", options), writes=state / PLACE_FILE)
    files.write(_tasks_file(instance), str(instance.port("faults-tasks")))


def stop_faults(instance: Instance) -> None:
    """Take the fault proxy away; containers that start from now on reach the embedded AWS itself."""
    services.stop(instance, ["faults"])
    _tasks_file(instance).unlink(missing_ok=True)


def _tasks_file(instance: Instance) -> Path:
    return instance.folder / "aws" / TASKS_FILE


def start_postgres(instance: Instance, environment: Path, airflow_version: str) -> bool:
    """Start PostgreSQL and create Airflow's database; returns whether it has just been started.

    Args:
        environment: the virtual environment that holds PostgreSQL's programs.
        airflow_version: each has a database of its own.
    """
    password = instance.password("postgres")
    is_new = not services.running(instance, "postgres")
    if is_new:
        port = instance.renew_port("postgres")
        data, file = instance.folder / "postgres", instance.password_file("postgres")
        command = postgres.command(postgres.binaries(environment), data, port, file)
        _start(instance, "postgres", command, says="ready")
    server = postgres.conninfo(instance.port("postgres"), password)
    name = airflow_database(airflow_version)
    postgres.create_database(server, name=name, owner=name, password=instance.password("airflow-database"))
    return is_new


def create_warehouse(instance: Instance, project: Project, environment: str) -> tuple[dict[str, str], dict[str, str]]:
    """Create the warehouse's database.

    Returns:
        What the project calls its address (variables), and its password (a secret); nothing if it names no warehouse.
    """
    embedded = project.settings(environment).embedded
    names = embedded.warehouse if embedded else None
    if names is None:
        return {}, {}
    port, password = instance.port("postgres"), instance.password("warehouse")
    server = postgres.conninfo(port, instance.password("postgres"))
    postgres.create_database(server, name=WAREHOUSE_DATABASE, owner=WAREHOUSE_USER, password=password)
    variables = {
        names.host: "127.0.0.1",
        names.port: str(port),
        names.database: WAREHOUSE_DATABASE,
        names.user: WAREHOUSE_USER,
    }
    return variables, {names.password: password}


def start_catalogue(instance: Instance, project: Project, environment: str) -> None:
    """Start the recording catalogue, which says that it is of the version that the project names; start it again where
    that has changed."""
    settings = project.settings(environment).openmetadata
    version, kept = settings.version if settings is not None else "", instance.folder / "catalogue.version"
    if services.running(instance, "catalogue"):
        if kept.exists() and kept.read_text() == version:
            return
        services.stop(instance, ["catalogue"])
    options = {"--state": catalogue_state(instance), "--port": instance.renew_port("catalogue")}
    options |= {"--token-file": instance.password_file("catalogue"), "--version": version}
    _start(instance, "catalogue", _module("penstock.local.catalogue", options), says="ready")
    kept.write_text(version)


def start_sync(instance: Instance, place: existing.AirflowPlace, dags: Path, role: Mapping[str, str]) -> None:
    """Start the copying of the DAG bucket to Airflow's DAG folder, whether it runs or not.

    Args:
        role: environment variables with the session of the execution role.
    """
    options = {"--bucket": place.bucket, "--prefix": place.prefix, "--folder": dags / place.folder}
    _start(instance, "sync", _module("penstock.local.sync", options), role, says="first round")


def _start(
    instance: Instance,
    name: str,
    command: Sequence[str],
    environ: Mapping[str, str] | None = None,
    *,
    says: str = "",
    writes: Path | None = None,
) -> None:
    """Start a service. It is ready when its log says a word, or when it has written a file."""
    log = instance.log(name)
    before = log.stat().st_size if log.exists() else 0
    if writes is not None:
        writes.unlink(missing_ok=True)
    process = services.start(instance, name, command, environ or {}, HOME)

    def ready() -> bool:
        return writes.exists() if writes is not None else says.encode() in log.read_bytes()[before:]

    services.wait(process, ready, seconds=START_SECONDS)


def _module(name: str, options: Mapping[str, object]) -> list[str]:
    return [sys.executable, "-m", name, *(str(part) for option in options.items() for part in option)]
