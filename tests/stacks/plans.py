"""Plans made by hand, and the stacks that come out of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag
from aws_cdk import assertions

from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.network import Network
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask, Schedule
from penstock_runtime.plan.task_definition import Image, Secret, TaskDefinition
from penstock_runtime.release.resources import Resources
from stacks.build import Files, build_stacks
from stacks.nag import InlinePolicies
from stacks.release.source import Source
from tests.stacks import statements

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "111122223333", "eu-west-1"
RUNTIME_SHA256 = "ab" * 32
RELEASE = "cd" * 8

TOKEN = Secret("OM_JWT", "secretsmanager", "acme/openmetadata", "jwt_token")
PASSWORD = Secret("WAREHOUSE_PASSWORD", "secretsmanager", "acme/warehouse", "password")
BY_ARN = Secret("KEY", "secretsmanager", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:other-AbCdEf")
PARAMETER = Secret("SLACK", "ssm", "/acme/slack")

OPENMETADATA = TaskDefinition(
    family="acme-dev-openmetadata-1a2b3c00",
    role_prefix="acme-dev-1a2b3c4d",
    engine="openmetadata",
    image=Image("registry", "docker.getcollate.io/openmetadata/ingestion-base:1.12.14"),
    architecture="x86_64",
    secrets=(TOKEN, PASSWORD),
    cpu_units=512,
    memory_mib=2048,
)
MELTANO = TaskDefinition(
    family="acme-dev-meltano-5e6f7a00",
    role_prefix="acme-dev-5e6f7a8b",
    engine="meltano",
    image=Image("registry", f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/acme/meltano:7"),
    architecture="arm64",
    secrets=(PASSWORD, BY_ARN, PARAMETER),
    cpu_units=256,
    memory_mib=512,
)
COMMAND = TaskDefinition(
    family="acme-dev-command-9c0d1e00",
    role_prefix="acme-dev-9c0d1e2f",
    engine="command",
    image=Image("registry", "public.ecr.aws/docker/library/python:3.12"),
    architecture="x86_64",
    secrets=(),
    cpu_units=256,
    memory_mib=512,
)
OWN_IMAGE = TaskDefinition(
    family="acme-dev-command-ad5b1f00",
    role_prefix="acme-dev-ad5b1f2a",
    engine="command",
    image=Image("registry", "public.ecr.aws/docker/library/busybox:1.37"),
    architecture="x86_64",
    secrets=(TOKEN,),
    cpu_units=256,
    memory_mib=512,
    runtime=False,
)
"""Its container has nothing of Penstock's. Not in `PLAN`."""
TASK = FargateTask(
    name="catalogue",
    after=(),
    engine="openmetadata",
    operator="ecs",
    family=OPENMETADATA.family,
    cpu_units=512,
    memory_mib=2048,
    ephemeral_storage_gib=20,
    timeout_minutes=30,
    spot=False,
    environment={},
    names=("OM_JWT",),
)
SCHEDULE = Schedule(
    name="daily",
    dag_id="daily",
    job="warehouse",
    cron="0 3 * * *",
    timezone="UTC",
    start_date="2026-01-01",
    catchup=False,
    paused=False,
    owner="data",
    email=(),
    retries=1,
    retry_delay_seconds=300,
    tags=(),
    description="",
    source="",
    overdue_after_minutes=1560,
    tasks=(TASK,),
)
PLAN = Plan(
    format=1,
    project="acme",
    environment="dev",
    account=ACCOUNT,
    region=REGION,
    prefix="acme-dev",
    cluster="acme-dev",
    log_group="/penstock/acme-dev",
    log_retention_days=30,
    network=Network(cidr="10.20.0.0/16", egress="nat"),
    airflow=Airflow("acme-dev", "3.0.6", "mw1.small", 1, 2, "private", {"core.parallelism": "40"}),
    task_definitions=(OPENMETADATA, MELTANO, COMMAND),
    configs=(),
    schedules=(SCHEDULE,),
    dag_files=(),
)
EXISTING = dataclasses.replace(
    PLAN,
    network=Network(
        None,
        None,
        "vpc-0a1b2c3d",
        private_subnets=("subnet-0000000a", "subnet-0000000b"),
        task_security_groups=("sg-0000000a",),
        airflow_security_groups=("sg-0000000a", "sg-0000000b"),
    ),
)
UNNAMED = dataclasses.replace(
    EXISTING,
    network=dataclasses.replace(
        EXISTING.network,
        task_subnets=("subnet-0000000c",),
        assign_public_ip=True,
        task_security_groups=(),
        airflow_security_groups=(),
    ),
)
"""A network that exists, none of its security groups named."""
SEALED = dataclasses.replace(
    PLAN,
    network=Network(
        cidr="10.20.0.0/16",
        egress="endpoints",
        nat_gateways=0,
        endpoints=("airflow.api", "dynamodb", "ecs", "logs", "secretsmanager"),
        trusted_accounts=("444455556666",),
        flow_log_days=None,
    ),
)
"""No way to the internet, no flow log."""


def files(folder: Path) -> Files:
    """A bundle and artifacts of a few bytes; the stacks copy them and do not read them."""
    contents = {
        f"dags/release/{RELEASE}/shards/00.json": "{}",
        "dags/schedules_00.py": "",
        "dags/.airflowignore": "",
        "dags/release/.airflowignore": "",
        f"artifacts/runtime/{RUNTIME_SHA256}.zip": "zip",
        "artifacts/configs/ef.yaml": "source: {}",
    }
    for path, text in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return Files(folder / "dags", folder / "artifacts", RUNTIME_SHA256, folder)


def application(outdir: Path) -> cdk.App:
    """An app with the feature flags of cdk.json, as the CLI and app.py make it."""
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    return cdk.App(context=flags, outdir=str(outdir), analytics_reporting=False)


def synthesize(
    plan: Plan, folder: Path, *, source: Source | None = None, environment: Path | None = None
) -> dict[str, dict[str, Any]]:
    """Stack name to template, for a plan; `environment` holds the files of the MWAA environment that it names."""
    app = application(folder / "cdk.out")
    build_stacks(app, plan, dataclasses.replace(files(folder), environment=environment), account=None, source=source)
    return {stack.stack_name: stack.template for stack in app.synth().stacks}


def template(templates: dict[str, dict[str, Any]], stack: str) -> assertions.Template:
    """One stack's template, for assertions."""
    return assertions.Template.from_json(templates[f"{PLAN.prefix}-{stack}"])


def resources(templates: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """All resources of one type, in all stacks."""
    return [
        resource
        for one in templates.values()
        for resource in one.get("Resources", {}).values()
        if resource["Type"] == kind
    ]


def deployed_resources(templates: dict[str, dict[str, Any]], folder: Path) -> Resources:
    """`resources.json` as CDK's Lambda writes it."""
    return Resources.from_json(deployed_file(templates, folder, "resources.json"))


def deployed_file(templates: dict[str, dict[str, Any]], folder: Path, file: str) -> str:
    """A file of the facts as CDK's Lambda writes it: the asset's text, with each marker replaced by its value."""
    (facts,) = [
        resource["Properties"]
        for resource in resources(templates, "Custom::CDKBucketDeployment")
        if resource["Properties"].get("DestinationBucketKeyPrefix") == f"dags/{PLAN.prefix}"
    ]
    for number, key in enumerate(facts["SourceObjectKeys"]):
        path = folder / "cdk.out" / f"asset.{key.removesuffix('.zip')}" / file
        if path.exists():
            text = path.read_text()
            for marker, value in facts.get("SourceMarkers", [{}] * (number + 1))[number].items():
                text = text.replace(marker, statements.text(value))
            return text
    raise AssertionError(f"no deployment has {file}")


def judge(app: cdk.App) -> None:
    """Have both packs of cdk-nag look at the app; a finding that is not acknowledged fails its synth."""
    # As `build_stacks` does; some tests look at one stack alone.
    cdk.Aspects.of(app).add(InlinePolicies())
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app), cdk_nag.NIST80053R5Checks(app))
