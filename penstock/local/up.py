"""`penstock up`: bring the whole system up, or up to date, in the order in which its parts need each other.

Each step may run again: what is there and right is left alone, what has died is started again, and what depended on it
is too. A step that fails, or Ctrl-C, ends every process of the instance; its logs stay. An `up` that could not do even
that, because it was killed, leaves the instance not ready: the next one ends what it finds and starts afresh.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from penstock.aws import mwaa
from penstock.bundle.build import build_bundle
from penstock.compile.compiler import compile_plan
from penstock.home import DAGS, HOME
from penstock.local import (
    dag_problems,
    deploy,
    docker,
    existing,
    fargate,
    files,
    images,
    interrupts,
    mwaa_files,
    postgres,
    secrets,
    services,
    setup,
    trouble,
)
from penstock.local.airflow import AirflowClient, AirflowServer
from penstock.local.aws.endpoint import Endpoint
from penstock.local.instance import Instance
from penstock.local.progress import Progress
from penstock.local.system import (
    PLAN_FILE,
    WAREHOUSE_DATABASE,
    WAREHOUSE_USER,
    System,
    airflow_database,
    airflow_server,
    aws_endpoint,
    catalogue_state,
)
from penstock.project.loaded import Project
from penstock_runtime import contract
from penstock_runtime.errors import InputError
from penstock_runtime.plan.airflow import Airflow, SelfManagedAirflow
from penstock_runtime.plan.plan import Plan

ACCOUNT = "123456789012"
"""The embedded AWS's account where the project names none."""
START_SECONDS = 60
DAGS_SECONDS = 120
"""Airflow looks at a file that has changed within seconds, and at each file every 30 seconds."""
AIRFLOW_SECONDS = 120
"""Airflow 3.0.6 needs about 7 seconds on two idle cores."""


def up(
    project: Project,
    environment: str | None,
    folder: Path,
    progress: Progress,
    *,
    airflow_version: str | None = None,
) -> System:
    """Bring the system of one environment up.

    Args:
        airflow_version: instead of the project's.

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
            died = _bury(instance, progress)
            system = _Bringer(project, draft, instance, progress, died).run()
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


def _bury(instance: Instance, progress: Progress) -> list[str]:
    """Tell which services have died since the last `up`, and end what they have left; returns their names."""
    died = [process.name for process in trouble.dead(instance)]
    for name in died:
        progress.note(f"{name} ended since the last penstock up; its log: {instance.processes[name].log}")
    of_airflow = [name for name in instance.processes if name.startswith(("airflow-", "sync"))]
    if set(died) - {"catalogue"}:
        # All of Airflow needs what has died, and would die of it one by one in the middle of the steps to come.
        services.stop(instance, of_airflow)
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
    wrong = mwaa.version_problem(before.version, version)
    if wrong:
        raise InputError(wrong, fix=f"run penstock down first, then bring Airflow {version} up")


class _Bringer:
    """One run of `up`; its methods are the steps."""

    def __init__(
        self, project: Project, draft: Plan, instance: Instance, progress: Progress, died: Sequence[str]
    ) -> None:
        self.project, self.draft, self.instance, self.progress = project, draft, instance, progress
        self.died = died
        """Services that have died since the last `up`."""
        self.started: set[str] = set()
        """Services that this run has started; what depends on them starts again."""
        self.airflow_began: datetime | None = None
        """When this run has started Airflow; None where it left it alone."""

    def run(self) -> System:
        step, note, instance = self.progress.step, self.progress.note, self.instance
        with step("install: PostgreSQL, Airflow and what the images hold"):
            postgres_environment = setup.postgres(note)
            airflow_environment = setup.airflow(self.draft.airflow.version, note)
            images.register_stock(instance.folder / "images", self.draft, note)
        with step("embedded AWS"):
            endpoint = self._aws()
        with step("PostgreSQL"):
            self._postgres(postgres_environment)
        variables, known = self._warehouse()
        if self._wants_catalogue():
            with step("recording catalogue"):
                self._catalogue()
            variables[contract.SERVER_VARIABLE] = f"http://127.0.0.1:{instance.port('catalogue')}/api"
            known |= dict.fromkeys(self._token_names(), instance.password("catalogue"))
        version = self.draft.airflow.version
        plan = compile_plan(self.project, self.draft.environment, variables=variables, airflow_version=version)
        secrets.store(plan, endpoint, secrets.collect(plan, known))
        server = airflow_server(instance, plan, airflow_environment)
        dags = build_bundle(plan, dags_folder=DAGS).dags
        new = not _synced(dags, server)
        with step("synthesize the stacks (app.py)"):
            # In full: app.py runs in a folder of its own.
            project = self.project.folder / self.project.path.name
            assembly = deploy.synth(instance, project, plan, variables, endpoint.account)
        with step("bootstrap the account (cdk bootstrap)"):
            deploy.bootstrap(instance, endpoint, plan.iam.bootstrap_qualifier)
        if taken := existing.template(plan):
            with step("what the project takes for granted"):
                existing.prepare(plan, taken, endpoint, note)
        with step("deploy the stacks (cdk deploy --all)"):
            deploy.deploy(instance, endpoint, assembly, docker.command(instance.folder))
        files.write(instance.folder / PLAN_FILE, plan.to_json())
        with step(f"Airflow {plan.airflow.version}, with the execution role's credentials"):
            for line in mwaa_files.left_out(plan.airflow) if isinstance(plan.airflow, Airflow) else ():
                note(line)
            server = self._airflow(plan, endpoint, server)
        client = server.client()
        with step(f"DAGs of {len(plan.schedules)} schedules") as dags_step:
            sync = instance.processes["sync"]
            services.wait(sync, lambda: _synced(dags, server), seconds=START_SECONDS)
            since = self.airflow_began or (datetime.now(UTC) if new else None)
            ids = [schedule.dag_id for schedule in plan.schedules]
            client.wait_for_dags(ids, seconds=DAGS_SECONDS, since=since)
            if since is not None:
                dag_problems.wait_for_own_files(client, plan, since=since)
            if dag_problems.find(client):
                dags_step.fail()
            self._unpause(plan, server)
        return System(instance, plan, endpoint, server, client)

    def _aws(self) -> Endpoint:
        state = self.instance.folder / "aws"
        account = self.draft.account or ACCOUNT
        if services.running(self.instance, "aws"):
            found = aws_endpoint(self.instance)
            if (found.account, found.region) == (account, self.draft.region):
                return found
        options = {"--state": state, "--images": self.instance.folder / "images", "--port": self._port("aws")}
        options |= {"--region": self.draft.region, "--account": account}
        self._start("aws", _module("penstock.local.aws", options), writes=state / "aws.json")
        return aws_endpoint(self.instance)

    def _postgres(self, environment: Path) -> None:
        password = self.instance.password("postgres")
        if not services.running(self.instance, "postgres"):
            port = self._port("postgres")
            data, file = self.instance.folder / "postgres", self.instance.password_file("postgres")
            command = postgres.command(postgres.binaries(environment), data, port, file)
            self._start("postgres", command, says="ready")
        server = postgres.conninfo(self.instance.port("postgres"), password)
        name = airflow_database(self.draft.airflow.version)
        postgres.create_database(server, name=name, owner=name, password=self.instance.password("airflow-database"))

    def _warehouse(self) -> tuple[dict[str, str], dict[str, str]]:
        """The warehouse's database, and what the project calls its address (variables) and its password (a secret)."""
        embedded = self.project.settings(self.draft.environment).embedded
        names = embedded.warehouse if embedded else None
        if names is None:
            return {}, {}
        port, password = self.instance.port("postgres"), self.instance.password("warehouse")
        server = postgres.conninfo(port, self.instance.password("postgres"))
        postgres.create_database(server, name=WAREHOUSE_DATABASE, owner=WAREHOUSE_USER, password=password)
        variables = {
            names.host: "127.0.0.1",
            names.port: str(port),
            names.database: WAREHOUSE_DATABASE,
            names.user: WAREHOUSE_USER,
        }
        return variables, {names.password: password}

    def _wants_catalogue(self) -> bool:
        return any(
            contract.SERVER_VARIABLE in task.names for schedule in self.draft.schedules for task in schedule.tasks
        )

    def _token_names(self) -> list[str]:
        """The secrets that make up the token for the server, which here is the recording catalogue's."""
        settings = self.project.settings(self.draft.environment)
        token = settings.openmetadata.auth.jwt_token if settings.openmetadata and settings.openmetadata.auth else ""
        return [name for name in settings.secrets if token == f"${{{name}}}"]

    def _catalogue(self) -> None:
        if services.running(self.instance, "catalogue"):
            return
        options = {"--state": catalogue_state(self.instance), "--port": self._port("catalogue")}
        options |= {"--token-file": self.instance.password_file("catalogue")}
        self._start("catalogue", _module("penstock.local.catalogue", options), says="ready")

    def _airflow(self, plan: Plan, endpoint: Endpoint, server: AirflowServer) -> AirflowServer:
        """Copy the DAG bucket, then start Airflow's components, all of it with the execution role's session only."""
        names = [component.name for component in server.components()]
        changed = self._settings_changed(server)
        lost = "aws" in self.started or any(name.startswith("airflow-") for name in self.died)
        if {"aws", "postgres"} & self.started or changed or not self._all_running([*names, "sync"]):
            services.stop(
                self.instance,
                [name for name in self.instance.processes if name.startswith(("airflow-", "sync"))],
            )
            server = dataclasses.replace(server, port=self.instance.renew_port("airflow"))
            place = existing.airflow_place(plan, endpoint)
            keys = endpoint.assume(place.role_arn, "airflow")
            role = endpoint.environ(keys)
            if server.plugins is not None and place.plugins is not None:
                mwaa_files.unpack_plugins(endpoint.client("s3", keys), place.bucket, place.plugins, server.plugins)
            self._sync(place, server, role)
            server.prepare({**self.instance.environ(), **role}, self.instance.log("airflow-setup"))
            began = self.airflow_began = datetime.now(UTC)
            for component in server.components():
                services.start(
                    self.instance,
                    component.name,
                    component.command,
                    {**server.environ(), **role, contract.SCHEDULES_FROM: began.isoformat()},
                    server.home,
                )
            self._settings_file.write_text(repr(sorted(server.environ().items())))
            client = server.client()
            processes = [self.instance.processes[name] for name in names]
            for process in processes:
                services.wait(process, lambda: client.healthy(began), seconds=AIRFLOW_SECONDS)
            if lost:
                self._end_lost_runs(plan, endpoint, client, began)
        return server

    def _end_lost_runs(self, plan: Plan, endpoint: Endpoint, client: AirflowClient, began: datetime) -> None:
        """Call failed what was running when the embedded AWS or Airflow died.

        Airflow would wait minutes for a sign of life of their tasks, and a schedule's next run would wait for them.
        """
        for dag_id in sorted({schedule.dag_id for schedule in plan.schedules} & {dag.dag_id for dag in client.dags()}):
            for run in client.runs(dag_id):
                if run.state != "running" or run.start is None or run.start > began:
                    continue
                self.progress.note(f"run {run.run_id} of {dag_id} was cut off by that; it counts as failed")
                client.set_run_state(dag_id, run.run_id, "failed")
                fargate.stop(plan, endpoint, run.run_id, "Its DAG run was cut off by the end of Airflow")

    def _sync(self, place: existing.AirflowPlace, server: AirflowServer, role: Mapping[str, str]) -> None:
        options = {"--bucket": place.bucket, "--prefix": place.prefix, "--folder": server.dags / place.folder}
        self._start("sync", _module("penstock.local.sync", options), role, says="first round")

    def _unpause(self, plan: Plan, server: AirflowServer) -> None:
        """Unpause what the plan does not pause: Airflow keeps what it was told when it first saw a DAG."""
        client = server.client()
        wanted = {schedule.dag_id for schedule in plan.schedules if not schedule.paused}
        for dag in client.dags():
            if dag.paused and dag.dag_id in wanted:
                client.set_paused(dag.dag_id, paused=False)

    @property
    def _settings_file(self) -> Path:
        return self.instance.folder / "private" / "airflow-settings"

    def _settings_changed(self, server: AirflowServer) -> bool:
        return not self._settings_file.exists() or self._settings_file.read_text() != repr(
            sorted(server.environ().items())
        )

    def _all_running(self, names: Sequence[str]) -> bool:
        return all(services.running(self.instance, name) for name in names)

    def _port(self, name: str) -> int:
        return self.instance.renew_port(name)

    def _start(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
        *,
        says: str = "",
        writes: Path | None = None,
    ) -> None:
        """Start a service of ours. It is ready when its log says a word, or when it has written a file."""
        log = self.instance.log(name)
        before = log.stat().st_size if log.exists() else 0
        if writes is not None:
            writes.unlink(missing_ok=True)
        process = services.start(self.instance, name, command, environ or {}, HOME)

        def ready() -> bool:
            return writes.exists() if writes is not None else says.encode() in log.read_bytes()[before:]

        services.wait(process, ready, seconds=START_SECONDS)
        self.started.add(name)


def _synced(dags: Mapping[str, bytes], server: AirflowServer) -> bool:
    """Whether Airflow's DAG folder holds these files."""
    files = {server.dags / path: content for path, content in dags.items()}
    return all(file.is_file() and file.read_bytes() == content for file, content in files.items())


def _module(name: str, options: Mapping[str, object]) -> list[str]:
    return [sys.executable, "-m", name, *(str(part) for option in options.items() for part in option)]
