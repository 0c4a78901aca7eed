"""`penstock up`: bring the whole system up, or up to date, in the order in which its parts need each other.

Each step may run again: what is there and right is left alone, what has died is started again, and what depended on it
is too. A step that fails, or Ctrl-C, ends every process of the instance; its logs stay. An `up` that could not do even
that, because it was killed, leaves the instance not ready: the next one ends what it finds and starts afresh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from penstock.aws import mwaa
from penstock.bundle.build import build_bundle
from penstock.compile.compiler import compile_plan
from penstock.home import DAGS
from penstock.local import (
    airflow_start,
    dag_problems,
    deploy,
    docker,
    existing,
    files,
    images,
    interrupts,
    mwaa_files,
    own_services,
    secrets,
    services,
    setup,
    trouble,
)
from penstock.local.airflow import AirflowClient, AirflowServer
from penstock.local.aws.endpoint import Endpoint
from penstock.local.instance import Instance
from penstock.local.progress import Progress
from penstock.local.system import PLAN_FILE, System, airflow_endpoint, airflow_server, desk_endpoint
from penstock.project.loaded import Project
from penstock_runtime import contract
from penstock_runtime.errors import InputError
from penstock_runtime.plan.airflow import Airflow, SelfManagedAirflow
from penstock_runtime.plan.plan import Plan

DAGS_SECONDS = 120
"""Airflow looks at a file that has changed within seconds, and at each file every 30 seconds."""


def up(
    project: Project,
    environment: str | None,
    folder: Path,
    progress: Progress,
    *,
    airflow_version: str | None = None,
    faults: Path | None = None,
) -> System:
    """Bring the system of one environment up.

    Args:
        airflow_version: instead of the project's.
        faults: rules of a fault proxy before the embedded AWS; None: no proxy, also where there was one.

    Raises:
        PenstockError: a step failed; says which, why, and where its log is.
        InputError: the system cannot have that Airflow; nothing has changed.
    """
    draft = compile_plan(project, environment, airflow_version=airflow_version)
    setup.airflow_lock(draft.airflow.version)
    instance = Instance.load(folder) or Instance.create(folder)
    if not instance.ready:
        _end_leftovers(instance, progress)
    _check_change(instance, draft.airflow.version)
    try:
        with trouble.explained(instance):
            instance.ready = False
            died = _clean_up_dead_services(instance, progress)
            system = _bring_up(project, draft, instance, progress, died, faults)
            instance.ready = True
            instance.save()
    except BaseException:
        end(instance, progress)
        raise
    return system


def end(instance: Instance, progress: Progress) -> None:
    """End every process of the instance; no signal keeps it from that."""
    with interrupts.ignored(progress.note):
        services.stop_all(instance)


def _clean_up_dead_services(instance: Instance, progress: Progress) -> list[str]:
    """Report the services that have died since the last `up`, and end what they have left; returns their names."""
    died = [process.name for process in trouble.dead(instance)]
    for name in died:
        progress.note(f"{name} ended since the last penstock up; its log: {instance.processes[name].log}")
    if set(died) - {"catalogue"}:
        # All of Airflow needs what has died, and would die of it one by one in the middle of the steps to come.
        airflow_start.stop(instance)
    services.stop(instance, died)
    return died


def _end_leftovers(instance: Instance, progress: Progress) -> None:
    """What a `penstock up` that was killed has left half done is not built upon."""
    if instance.processes or services.leftovers(instance):
        with progress.step("end what an interrupted penstock up has left"):
            end(instance, progress)


def _check_change(instance: Instance, version: str) -> None:
    """Say before the deploy does what MWAA would refuse."""
    deployed = instance.folder / PLAN_FILE
    if not services.running(instance, "aws") or not deployed.exists():
        return
    before = Plan.from_json(deployed.read_text()).airflow
    if isinstance(before, SelfManagedAirflow):
        return
    problem = mwaa.version_problem(before.version, version)
    if problem:
        raise InputError(problem, fix=f"run penstock down first, then bring Airflow {version} up")


def _bring_up(
    project: Project,
    draft: Plan,
    instance: Instance,
    progress: Progress,
    died: Sequence[str],
    faults: Path | None,
) -> System:
    """Run the steps.

    Args:
        draft: the plan without the addresses that only the running services give.
        died: the services that have died since the last `up`.
        faults: see `up`.
    """
    step, version = progress.step, draft.airflow.version
    with step("install: PostgreSQL, Airflow and what the images hold"):
        postgres_environment = setup.postgres(progress.note)
        airflow_environment = setup.airflow(version, progress.note)
        images.register_stock(instance.folder / "images", draft, progress.note)
    with step("embedded AWS"):
        direct, new_aws = own_services.start_aws(instance, draft)
    if faults is not None:
        with step("fault proxy"):
            own_services.start_faults(instance, faults, new_aws=new_aws)
    elif own_services.has_faults(instance):
        with step("take the fault proxy away"):
            airflow_start.stop(instance)  # without it, its calls would lead nowhere
            own_services.stop_faults(instance)
    endpoint = desk_endpoint(instance)
    with step("PostgreSQL"):
        new_postgres = own_services.start_postgres(instance, postgres_environment, version)
    variables, passwords = own_services.create_warehouse(instance, project, draft.environment)
    if _needs_catalogue(draft):
        with step("recording catalogue"):
            own_services.start_catalogue(instance, project, draft.environment)
        variables[contract.SERVER_VARIABLE] = f"http://127.0.0.1:{instance.port('catalogue')}/api"
        passwords |= dict.fromkeys(_token_names(project, draft.environment), instance.password("catalogue"))
    plan = compile_plan(project, draft.environment, variables=variables, airflow_version=version)
    secrets.store(plan, endpoint, secrets.collect(plan, passwords))
    server = airflow_server(instance, plan, airflow_environment)
    dags = build_bundle(plan, dags_folder=DAGS).dags
    new_dags = not _synced(dags, server)
    _deploy(project, plan, instance, endpoint, progress, variables)
    with step(f"Airflow {plan.airflow.version}, with the execution role's credentials"):
        for line in mwaa_files.left_out(plan.airflow) if isinstance(plan.airflow, Airflow) else ():
            progress.note(line)
        server, began = airflow_start.start(
            instance,
            plan,
            direct,
            server,
            progress.note,
            front=airflow_endpoint(instance),
            is_stale=new_aws or new_postgres,
            lost_runs=new_aws or any(name.startswith(("airflow-", "faults")) for name in died),
        )
    with step(f"DAGs of {len(plan.schedules)} schedules") as dags_step:
        sync = instance.processes["sync"]
        services.wait(sync, lambda: _synced(dags, server), seconds=own_services.START_SECONDS)
        client, since = server.client(), began or (datetime.now(UTC) if new_dags else None)
        _wait_for_dags(plan, client, since)
        if dag_problems.find(client):
            dags_step.fail()
        _unpause(plan, client)
    return System(instance, plan, endpoint, server, client)


def _deploy(
    project: Project,
    plan: Plan,
    instance: Instance,
    endpoint: Endpoint,
    progress: Progress,
    variables: Mapping[str, str],
) -> None:
    """Deploy the stacks to the embedded AWS as users deploy them to theirs, and keep the plan that is deployed."""
    with progress.step("synthesize the stacks (app.py)"):
        # In full: app.py runs in a folder of its own.
        path = project.folder / project.path.name
        assembly = deploy.synth(instance, path, plan, variables, endpoint.account)
    with progress.step("bootstrap the account (cdk bootstrap)"):
        deploy.bootstrap(instance, endpoint, plan.iam.bootstrap_qualifier)
    if template := existing.template(plan):
        with progress.step("what the project takes for granted"):
            existing.prepare(plan, template, endpoint, progress.note)
    with progress.step("deploy the stacks (cdk deploy --all)"):
        deploy.deploy(instance, endpoint, assembly, docker.command(instance.folder))
    files.write(instance.folder / PLAN_FILE, plan.to_json())


def _wait_for_dags(plan: Plan, client: AirflowClient, since: datetime | None) -> None:
    """Wait until Airflow has read the DAGs of the plan.

    Args:
        since: what it read earlier is out of date; None: it is not.
    """
    ids = [schedule.dag_id for schedule in plan.schedules]
    client.wait_for_dags(ids, seconds=DAGS_SECONDS, since=since)
    if since is not None:
        dag_problems.wait_for_own_files(client, plan, since=since)


def _needs_catalogue(plan: Plan) -> bool:
    return any(contract.SERVER_VARIABLE in task.names for schedule in plan.schedules for task in schedule.tasks)


def _token_names(project: Project, environment: str) -> list[str]:
    """The secrets that make up the token for the server, which here is the recording catalogue's."""
    settings = project.settings(environment)
    token = settings.openmetadata.auth.jwt_token if settings.openmetadata and settings.openmetadata.auth else ""
    return [name for name in settings.secrets if token == f"${{{name}}}"]


def _unpause(plan: Plan, client: AirflowClient) -> None:
    """Unpause what the plan does not pause: Airflow keeps the state that a DAG had when it first saw it."""
    unpaused = {schedule.dag_id for schedule in plan.schedules if not schedule.paused}
    for dag in client.dags():
        if dag.paused and dag.dag_id in unpaused:
            client.set_paused(dag.dag_id, paused=False)


def _synced(dags: Mapping[str, bytes], server: AirflowServer) -> bool:
    """Whether Airflow's DAG folder holds these files."""
    files = {server.dags / path: content for path, content in dags.items()}
    return all(file.is_file() and file.read_bytes() == content for file, content in files.items())
