"""Start Airflow's components with the DAG bucket's copy, all of it with the execution role's session only."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from penstock.local import existing, fargate, mwaa_files, own_services, services
from penstock.local.airflow import AirflowClient, AirflowServer
from penstock.local.aws.airflow_server import Server
from penstock.local.aws.endpoint import Endpoint, Keys
from penstock.local.instance import Instance
from penstock_runtime import contract
from penstock_runtime.plan.airflow import SelfManagedAirflow
from penstock_runtime.plan.plan import Plan

START_SECONDS = 120
"""Airflow 3.0.6 needs about 7 seconds on two idle cores."""


def start(
    instance: Instance,
    plan: Plan,
    endpoint: Endpoint,
    server: AirflowServer,
    note: Callable[[str], None],
    *,
    front: Endpoint,
    is_stale: bool,
    lost_runs: bool,
) -> tuple[AirflowServer, datetime | None]:
    """Start Airflow, unless all of it runs with these settings.

    Args:
        front: the embedded AWS as Airflow's components reach it, by a proxy perhaps.
        is_stale: it starts in any case, because something that it depends on has just started.
        lost_runs: the embedded AWS or Airflow has died; the runs that it cut off count as failed.

    Returns:
        The server with the port that it has now, and when it was started; None: it was left alone.
    """
    names = [component.name for component in server.components()]
    all_running = all(services.running(instance, name) for name in [*names, "sync"])
    if all_running and not is_stale and not _settings_changed(instance, server, front):
        return server, None
    stop(instance)
    server = dataclasses.replace(server, port=instance.renew_port("airflow"))
    place = existing.airflow_place(plan, endpoint)
    keys = endpoint.assume(place.role_arn, "airflow")
    role = endpoint.environ(keys)
    if server.plugins is not None and place.plugins is not None:
        mwaa_files.unpack_plugins(endpoint.client("s3", keys), place.bucket, place.plugins, server.plugins)
    own_services.start_sync(instance, place, server.dags, role)
    server.prepare({**instance.environ(), **role}, instance.log("airflow-setup"))
    began = datetime.now(UTC)
    environ = components_environ(server, front, keys, began)
    for component in server.components():
        services.start(instance, component.name, component.command, environ, server.home)
    _settings_file(instance).write_text(_settings(server, front))
    client = server.client()
    if not isinstance(plan.airflow, SelfManagedAirflow):
        Server(plan.airflow.name, server.version, server.url, server.users()).write(endpoint.state)
    for name in names:
        services.wait(instance.processes[name], lambda: client.healthy(began), seconds=START_SECONDS)
    if lost_runs:
        _end_lost_runs(plan, endpoint, client, began, note)
    return server, began


def components_environ(server: AirflowServer, front: Endpoint, keys: Keys, began: datetime) -> dict[str, str]:
    """What each component of Airflow is started with; what runs its tasks inherits it."""
    return {**server.environ(), **front.environ(keys), contract.SCHEDULES_FROM: began.isoformat()}


def stop(instance: Instance) -> None:
    """End Airflow's components and the copying of the DAG bucket."""
    services.stop(instance, [name for name in instance.processes if name.startswith(("airflow-", "sync"))])


def _end_lost_runs(
    plan: Plan, endpoint: Endpoint, client: AirflowClient, began: datetime, note: Callable[[str], None]
) -> None:
    """Call failed what was running when the embedded AWS or Airflow died.

    Airflow would wait minutes for a sign of life of their tasks, and a schedule's next run would wait for them.
    """
    for dag_id in sorted({schedule.dag_id for schedule in plan.schedules} & {dag.dag_id for dag in client.dags()}):
        for run in client.runs(dag_id):
            if run.state != "running" or run.start is None or run.start > began:
                continue
            note(f"run {run.run_id} of {dag_id} was cut off by that; it counts as failed")
            client.set_run_state(dag_id, run.run_id, "failed")
            fargate.stop(plan, endpoint, run.run_id, "Its DAG run was cut off by the end of Airflow")


def _settings_file(instance: Instance) -> Path:
    return instance.folder / "private" / "airflow-settings"


def _settings(server: AirflowServer, front: Endpoint) -> str:
    return repr((sorted(server.environ().items()), front.url))


def _settings_changed(instance: Instance, server: AirflowServer, front: Endpoint) -> bool:
    """Whether it is another Airflow than the one that was started last."""
    file = _settings_file(instance)
    return not file.exists() or file.read_text() != _settings(server, front)
