"""A project whose environments turn on what the sample does without: somebody's Airflow, keys, endpoints, images."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from penstock.compile.compiler import compile_plan
from penstock.local import images
from penstock.local.aws.endpoint import Endpoint
from penstock.project.load import load
from penstock_runtime.plan.plan import SelfManagedAirflow
from tests.functional.permission_grants import Grant, Key, Role, Roles
from tests.functional.permission_system import ACCOUNT, Deployed, account, deploy_into, patterns

REGION = "eu-west-1"
LAKE, OTHER = "acme-lake", "acme-other"
REGISTRY = "acme/registry"
CONNECTIONS = "airflow/connections"
"""Where Airflow's secrets backend looks for its connections, in Secrets Manager."""
CONNECTION, VARIABLE = f"{CONNECTIONS}/warehouse", "airflow/variables/warehouse"
COPIES = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/copies"
ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
BACKEND = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
READ = "import boto3, sys; print('keys', boto3.client('s3').list_objects_v2(Bucket=sys.argv[1])['KeyCount'])"
NETWORK = {
    "use": {
        "vpc": "vpc-0a1b2c3d",
        "private_subnets": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
        "security_groups": ["sg-0a1b2c3d"],
    }
}


def project(key: str) -> dict[str, Any]:
    """The project file. `made` makes its Airflow, `used` is a guest in one of MWAA, `own` in one that is not.

    Args:
        key: ARN of the key of all DAG buckets, and of the registry's log-in.
    """
    version = "3.0.6"
    existing = {"environment": "team", "version": version, "bucket": "team-dags", "dags": "airflow/dags"}
    existing |= {"execution_role": "team-airflow", "kms_key": key}
    permission = {"actions": ["s3:ListBucket"], "resources": [f"arn:aws:s3:::{LAKE}"]}
    secrets = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{CONNECTIONS}/*"
    create = {"version": version, "kms_key": key, "endpoint_management": "customer"}
    create |= {"version": "2.11.0", "options": {"secrets.backend": BACKEND}}
    create |= {"permissions": [{"actions": ["secretsmanager:GetSecretValue"], "resources": [secrets]}]}
    task = {"name": "read", "command": ["python", "-c", READ, LAKE], "image": "quay.io/acme/reader:7", "python": True}
    task |= {"files": {"/tmp/acme/project.yaml": "penstock.yaml"}}
    return {
        "name": "acme",
        "environments": {
            "made": {
                "region": REGION,
                "network": {"create": {}},
                "airflow": {"create": create, "catalogue": {"way": "database"}},
                "images": {"command": {"pull_through": {"upstream": "quay.io"}}},
            },
            "used": {
                "region": REGION,
                "network": NETWORK,
                "airflow": {"use": existing, "catalogue": {"url": "https://team.airflow.example"}},
                "images": {"command": {"mirror": COPIES}},
            },
            "own": {
                "region": REGION,
                "network": NETWORK,
                "airflow": {"self_managed": {"version": version, "bucket": "own-dags", "kms_key": key}},
                "images": {"command": {"credentials": "REGISTRY"}},
                "secret_kms_keys": [key],
            },
        },
        "openmetadata": {"server": "http://openmetadata.internal/api", "version": "1.12.14"},
        "secrets": {"REGISTRY": f"secretsmanager:{REGISTRY}"},
        "jobs": {"read": {"tasks": [{**task, "permissions": [permission]}]}},
        "schedules": [{"name": "by-hand", "job": "read", "interval": "@manual"}],
    }


KINDS = {
    "ReleaseUploadRole": "upload",
    "ReleaseRole": "release",
    "CheckRole": "check",
    "CustomCDKBucketDeployment": "fill",
    "VpcFlowLog": "flow log",
    "StoppedRole": "failures",
    "OverdueRole": "watch",
    "ReaperRole": "reaper",
    "ExecutionRole": "airflow",
}
"""What the logical id of a role begins with → its kind. Those of task definitions go by their names."""


@dataclass
class Environment:
    """One environment of the project, deployed."""

    system: Deployed
    key: str

    @property
    def endpoint(self) -> Endpoint:
        return self.system.endpoint

    def resources(self, stack: str, kind: str) -> dict[str, str]:
        """Logical id → physical id of a stack's resources of a type."""
        cfn = self.system.root("cloudformation")
        resources = cfn.describe_stack_resources(StackName=f"{self.system.plan.prefix}-{stack}")["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources if one["ResourceType"] == kind}

    def one(self, stack: str, kind: str, start: str = "") -> str:
        """The physical id of the resource of that type whose logical id begins so."""
        (physical_id,) = [name for id_, name in self.resources(stack, kind).items() if id_.startswith(start)]
        return physical_id

    @cached_property
    def folder(self) -> str:
        """Where the bundle is, in the DAG bucket."""
        place = self.system.place
        return f"{place.prefix}{self.system.plan.prefix}" if not place.folder else place.prefix.rstrip("/")

    @cached_property
    def roles(self) -> Roles:
        """Every role that its stacks made, and the role that exists with the policies that they attached."""
        plan, found = self.system.plan, []
        for definition in plan.task_definitions:
            for kind in ("task", "exec"):
                found.append(Role(f"{definition.role_prefix}-{kind}", kind, definition.family))
        for stack in ("network", "ingestion", "airflow", "observability"):
            with contextlib.suppress(self.system.root("cloudformation").exceptions.ClientError):
                for logical_id, name in self.resources(stack, "AWS::IAM::Role").items():
                    if name not in {one.name for one in found}:
                        found.append(Role(name, kind_of(logical_id), None))
        if "airflow" not in {one.kind for one in found}:
            found.append(Role(self.system.place.role_arn.rsplit("/", 1)[-1], "policy", None, attached=True))
        return Roles(self.system.root("iam"), found, self._names())

    def role(self, kind: str) -> str:
        """The ARN of its role of a kind."""
        (name,) = {grant.role.name for grant in self.roles.grants() if grant.role.kind == kind}
        return str(self.system.root("iam").get_role(RoleName=name)["Role"]["Arn"])

    def grants(self, key: Key) -> list[Grant]:
        """The deployed grants of that key."""
        return [grant for grant in self.roles.grants() if self.roles.key(grant) == key]

    def _names(self) -> dict[str, str]:
        plan, system = self.system.plan, self.system
        names = {
            plan.prefix: "prefix",
            plan.log_group: "log_group",
            self.folder: "folder",
            system.dag_bucket: "dags",
            system.resources.artifacts_bucket: "artifacts",
            self.key.partition("key/")[2]: "key",
            ASSETS: "assets",
            LAKE: "lake",
            f"{REGISTRY}-??????": "registry",
            REGISTRY: "partial",
            f"{CONNECTIONS}/*": "connections",
            f"{plan.prefix}/airflow-database-??????": "database",
            f"{plan.prefix}/airflow-database": "partial database",
            "team/Viewer": "viewer",
            "copies/acme/reader": "mirror",
            **{f"{rule.prefix}/acme/reader": "cache" for rule in plan.pull_through},
        }
        names |= patterns(plan)
        for definition in plan.task_definitions:
            names |= {definition.family: "family", definition.role_prefix: "role"}
        if not isinstance(plan.airflow, SelfManagedAirflow):
            network = system.mwaa["NetworkConfiguration"]
            names |= dict.fromkeys(network["SubnetIds"], "subnet")
            names |= dict.fromkeys(network["SecurityGroupIds"], "group")
        names |= {one["VpcId"]: "vpc" for one in system.root("ec2").describe_vpcs()["Vpcs"]}
        names |= dict.fromkeys(self.resources("airflow", "AWS::Logs::LogGroup").values(), "log")
        stack = system.root("cloudformation").describe_stacks(StackName=f"{plan.prefix}-airflow")["Stacks"][0]
        return names | {stack["StackId"].rsplit("/", 1)[-1]: "stack"}


def kind_of(logical_id: str) -> str:
    """The kind of a role by its logical id; the id itself where it is none that we know."""
    return next((kind for start, kind in KINDS.items() if logical_id.startswith(start)), logical_id)


@contextlib.contextmanager
def environments(folder: Path) -> Iterator[dict[str, Environment]]:
    """All three environments, in one account, with what their tasks read."""
    with account(folder / "instance", REGION) as (instance, endpoint):
        key = str(endpoint.client("kms").create_key()["KeyMetadata"]["Arn"])
        (folder / "penstock.yaml").write_text(json.dumps(project(key)))
        log_in = json.dumps({"username": "u", "password": "p"})
        endpoint.client("secretsmanager").create_secret(Name=REGISTRY, SecretString=log_in, KmsKeyId=key)
        for name in (CONNECTION, VARIABLE):
            endpoint.client("secretsmanager").create_secret(Name=name, SecretString="postgres://warehouse")
        for bucket in (LAKE, OTHER):
            where = {"LocationConstraint": REGION}
            endpoint.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        read, found = load(folder / "penstock.yaml"), {}
        for name in read.environments:
            plan = compile_plan(read, name, variables={})
            stands_in = [str(Path(sys.executable).parent)]
            for image in {definition.image.reference for definition in plan.task_definitions}:
                images.write(instance.folder / "images", images.Manifest(image, stands_in))
            made = deploy_into(instance, endpoint, read, plan, folder / name, {})
            found[name] = Environment(made, key)
        yield found
