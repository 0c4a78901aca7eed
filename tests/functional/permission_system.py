"""A deployed project without its services: the embedded AWS with the stacks in it, and who runs containers there."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import yaml

from penstock.compile.compiler import compile_plan
from penstock.home import HOME
from penstock.local import deploy, docker, existing, fargate, images, secrets, services, sync
from penstock.local.aws.endpoint import STATE_FILE, Endpoint, Keys
from penstock.local.instance import Instance
from penstock.project.load import load
from penstock.project.loaded import Project
from penstock_runtime import contract
from penstock_runtime.airflow.operators import run_task
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources
from tests.functional.embedded_system import copy_sample
from tests.functional.permission_grants import Role, Roles

ACCOUNT = "123456789012"
NOBODY = "http://127.0.0.1:9/api"
"""Where no catalogue answers."""
PROBE = "import time; print('ready', flush=True); time.sleep(3)"
PARAMETER = "/penstock-sample/parameter"


@dataclass(frozen=True)
class Ended:
    """A Fargate task that has stopped."""

    code: int | None
    stop_code: str
    reason: str
    lines: list[str]

    @property
    def text(self) -> str:
        """All that is known of its end."""
        return "\n".join([self.reason, *self.lines])


@dataclass
class Deployed:
    """The project, deployed. Who tries something does it with the execution role's keys."""

    instance: Instance
    plan: Plan
    endpoint: Endpoint
    dags: Path
    """An empty folder, for the bundle."""

    def root(self, service: str) -> Any:
        """A client with the account's own key: for what a test prepares and looks up."""
        return self.endpoint.client(service)

    def airflow(self, service: str) -> Any:
        """A client with a session of the execution role, and nothing else."""
        return self.endpoint.client(service, self.keys)

    @cached_property
    def mwaa(self) -> dict[str, Any]:
        """The environment, as MWAA describes it."""
        found: dict[str, Any] = self.root("mwaa").get_environment(Name=self.plan.airflow.name)["Environment"]
        return found

    @cached_property
    def place(self) -> existing.AirflowPlace:
        """Airflow's role, bucket and folder, whoever made them."""
        return existing.airflow_place(self.plan, self.endpoint)

    @cached_property
    def keys(self) -> Keys:
        """A session of Airflow's role. It sees changes of the role's policy at once."""
        return self.endpoint.assume(self.place.role_arn, "airflow")

    @property
    def dag_bucket(self) -> str:
        return self.place.bucket

    def synchronize(self) -> int:
        """Copy the DAG folder as MWAA does, with the keys of Airflow's role."""
        folder = self.dags / self.place.folder
        return sync.sync(self.airflow("s3"), self.dag_bucket, self.place.prefix, folder, {})

    @cached_property
    def resources(self) -> Resources:
        """What the deploy wrote for the operator."""
        self.synchronize()
        return Resources.from_json((self.dags / self.plan.prefix / contract.RESOURCES_FILE).read_text())

    @cached_property
    def roles(self) -> Roles:
        """The execution role, and both roles of each task definition, by what is deployed."""
        roles = [Role(self.place.role_arn.rsplit("/", 1)[-1], "airflow", None)]
        names = {
            **patterns(self.plan),
            self.plan.prefix: "prefix",
            self.plan.log_group: "log_group",
            self.dag_bucket: "dags",
            self.resources.artifacts_bucket: "artifacts",
            f"cdk-hnb659fds-container-assets-{ACCOUNT}-{self.plan.region}": "images",
            PARAMETER.lstrip("/"): "parameter",
            "penstock-sample/openmetadata-??????": "secret",
            "penstock-sample/warehouse-??????": "secret",
            "penstock-sample/openmetadata": "partial",
            "penstock-sample/warehouse": "partial",
        }
        for definition in self.plan.task_definitions:
            arns = self.root("ecs").describe_task_definition(taskDefinition=definition.family)["taskDefinition"]
            roles.append(Role(arns["taskRoleArn"].rsplit("/", 1)[-1], "task", definition.family))
            roles.append(Role(arns["executionRoleArn"].rsplit("/", 1)[-1], "exec", definition.family))
            names |= {definition.family: "family", definition.role_prefix: "role"}
        return Roles(self.root("iam"), roles, names)

    # What the operator does, without Airflow around it

    def task(self, name: str) -> FargateTask:
        """A task of the plan by its name."""
        return next(one for schedule in self.plan.schedules for one in schedule.tasks if one.name == name)

    @property
    def plain(self) -> FargateTask:
        """A task that runs a plain command."""
        return next(one for schedule in self.plan.schedules for one in schedule.tasks if one.engine == "command")

    def task_of(self, family: str | None) -> FargateTask:
        """The task of the plan that runs a task definition."""
        return next(one for schedule in self.plan.schedules for one in schedule.tasks if one.family == family)

    def call(self, task: FargateTask, **changes: Any) -> dict[str, Any]:
        """The operator's RunTask for a task; `changes` are made to the task first."""
        task = replace(task, **changes)
        run = {"project": self.plan.project, "environment": self.plan.environment, "schedule": "s", "job": "j"}
        run |= {"task": task.name, "dag_run": "manual__1", "try": "1"}
        return {
            "cluster": self.plan.cluster,
            "taskDefinition": task.family,
            "overrides": run_task.overrides(task, self.resources, run, int(time.time()) + 3600),
            "networkConfiguration": run_task.network(task, self.resources),
            "launchType": "FARGATE",
        }

    def start(self, task: FargateTask, **changes: Any) -> str:
        """Start a task with the execution role's keys; its ARN."""
        return str(self.airflow("ecs").run_task(**self.call(task, **changes))["tasks"][0]["taskArn"])

    def ended(self, arn: str, seconds: float = 60) -> Ended:
        """Wait for the end of a task."""
        ecs, until = self.root("ecs"), time.monotonic() + seconds
        while (found := ecs.describe_tasks(cluster=self.plan.cluster, tasks=[arn])["tasks"][0])["lastStatus"] != (
            "STOPPED"
        ):
            assert time.monotonic() < until, f"{arn} does not end"
            time.sleep(0.05)
        lines = fargate.log(self.plan, self.endpoint, arn)
        return Ended(found["containers"][0].get("exitCode"), found["stopCode"], found["stoppedReason"], lines)

    def stop_all(self) -> None:
        """End every task, whoever may or may not."""
        ecs = self.root("ecs")
        for arn in ecs.list_tasks(cluster=self.plan.cluster)["taskArns"]:
            ecs.stop_task(cluster=self.plan.cluster, task=arn)


@contextlib.contextmanager
def deployed(folder: Path) -> Iterator[Deployed]:
    """The sample project with one task of each engine and an SSM parameter, deployed to an embedded AWS of its own."""
    copy_sample(folder)
    _one_task_of_each_engine(folder / "penstock.yaml")
    with deployed_project(
        folder, {contract.SERVER_VARIABLE: NOBODY}, partial(images.register_stock, report=print)
    ) as found:
        yield found


@contextlib.contextmanager
def deployed_project(
    folder: Path, variables: Mapping[str, str], stand_in: Callable[[Path, Plan], None]
) -> Iterator[Deployed]:
    """The project of a folder, deployed to an embedded AWS of its own.

    Args:
        stand_in: puts what stands for the plan's images into the images folder.
    """
    project = load(folder / "penstock.yaml")
    plan = compile_plan(project, None, variables=variables)
    with account(folder / ".penstock" / plan.environment, plan.region) as (instance, endpoint):
        stand_in(instance.folder / "images", plan)
        yield deploy_into(instance, endpoint, project, plan, folder / "bundle", variables)


@contextlib.contextmanager
def account(folder: Path, region: str) -> Iterator[tuple[Instance, Endpoint]]:
    """An embedded AWS with nothing in it."""
    instance = Instance.create(folder)
    try:
        yield instance, _aws(instance, region)
    finally:
        services.stop_all(instance)


def deploy_into(
    instance: Instance, endpoint: Endpoint, project: Project, plan: Plan, dags: Path, variables: Mapping[str, str]
) -> Deployed:
    """Deploy a plan of the project, with what it takes for granted.

    Args:
        dags: a folder for the bundle, which does not exist yet.
    """
    values = {one.name: f"value-of-{one.name}" for found in plan.task_definitions for one in found.secrets}
    secrets.store(plan, endpoint, values)
    if taken := existing.template(plan):
        existing.prepare(plan, taken, endpoint, print)
    assembly = deploy.synth(instance, project.path, plan, variables, endpoint.account)
    deploy.bootstrap(instance, endpoint, plan.iam.bootstrap_qualifier)
    deploy.deploy(instance, endpoint, assembly, docker.command(instance.folder))
    dags.mkdir()
    return Deployed(instance, plan, endpoint, dags)


def patterns(plan: Plan) -> dict[str, str]:
    """What the right to run tasks calls families and roles."""
    families = {f"{one.family[:-8]}????????": "family" for one in plan.task_definitions}
    return {**families, f"{plan.iam.role_name_prefix}{plan.prefix}-????????": "role"}


def _one_task_of_each_engine(file: Path) -> None:
    project = yaml.safe_load(file.read_text())
    project["secrets"]["PARAMETER"] = f"ssm:{PARAMETER}"
    tasks: list[dict[str, Any]] = [
        {"name": "load", "meltano": "tap-nycflights target-postgres"},
        {"name": "catalogue", "openmetadata": {"type": "metadata", "config": "ingestion/warehouse.yaml"}},
        {"name": "probe", "command": ["python", "-c", PROBE], "secrets": ["PARAMETER"]},
    ]
    project["jobs"] = {"all": {"tasks": tasks}}
    project["schedules"] = [{"name": "by-hand", "job": "all", "interval": "@manual"}]
    file.write_text(yaml.safe_dump(project, sort_keys=False))


def _aws(instance: Instance, region: str) -> Endpoint:
    state = instance.folder / "aws"
    options = {"--state": state, "--images": instance.folder / "images", "--port": instance.port("aws")}
    options |= {"--region": region, "--account": ACCOUNT}
    command = [sys.executable, "-m", "penstock.local.aws", *(str(part) for one in options.items() for part in one)]
    process = services.start(instance, "aws", command, {}, HOME)
    services.wait(process, (state / STATE_FILE).exists, seconds=30)
    return Endpoint.load(state)
