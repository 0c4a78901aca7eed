"""What a project takes for granted, for the embedded AWS: a network, a bucket, a role, an MWAA environment that exist.

On AWS another team or another template has made them. Here `penstock up` makes stand-ins of the same names before it
deploys, by a template of their own, so that the project's stacks find what they name and own none of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import botocore.exceptions

from penstock.local.aws.endpoint import NAMED_NETWORK, Endpoint
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.airflow import Airflow, SelfManagedAirflow, UsedAirflow
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask

_DELAY_SECONDS = 1
_ATTEMPTS = 60
_SPARE = {"Vpc": "vpc-00000000", "Subnets": ["subnet-00000000", "subnet-00000001"], "SecurityGroups": ["sg-00000000"]}
"""The network of an MWAA environment whose own the project does not say."""


@dataclass(frozen=True)
class AirflowPlace:
    """What Airflow works with: the role it acts as, and where its DAGs are."""

    role_arn: str
    bucket: str
    prefix: str
    """Of the keys of its DAGs, with its slash."""
    folder: str
    """Folder in Airflow's DAG folder that `prefix` is copied to; empty: the DAG folder itself."""
    plugins: str | None = None
    """Key of the environment's plugins."""


def prepare(plan: Plan, resources: dict[str, Any], endpoint: Endpoint, note: Callable[[str], None]) -> None:
    """Make the stand-ins that the plan needs.

    Args:
        resources: `template` of the plan.

    Raises:
        PenstockError: the embedded AWS refused one.
    """
    for line in _taken_for_granted(plan):
        note(f"stands in for {line}")
    _deploy(endpoint, f"existing-{plan.prefix}", {"Resources": resources})


def airflow_place(plan: Plan, endpoint: Endpoint) -> AirflowPlace:
    """Where Airflow finds its DAGs and its role, once the stacks are deployed."""
    if not isinstance(plan.airflow, SelfManagedAirflow):
        mwaa: dict[str, str] = endpoint.client("mwaa").get_environment(Name=plan.airflow.name)["Environment"]
        bucket = mwaa["SourceBucketArn"].rsplit(":", 1)[-1]
        folder = mwaa["DagS3Path"].rstrip("/") + "/"
        return AirflowPlace(mwaa["ExecutionRoleArn"], bucket, folder, "", mwaa.get("PluginsS3Path"))
    stack = endpoint.client("cloudformation").describe_stacks(StackName=f"{plan.prefix}-airflow")["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    iam = endpoint.client("iam")
    # As docs/airflow-self-managed.md has a person do it.
    for name, value in outputs.items():
        if name.startswith("PolicyArn"):
            iam.attach_role_policy(RoleName=_own_role(plan), PolicyArn=value)
    role = iam.get_role(RoleName=_own_role(plan))["Role"]["Arn"]
    return AirflowPlace(role, outputs["DagBucket"], outputs["DagFolder"] + "/", plan.prefix)


def template(plan: Plan) -> dict[str, Any]:
    """The resources that stand in for what the plan takes for granted; none where Penstock makes it all."""
    network, airflow = plan.network, plan.airflow
    per_task = [
        subnet
        for schedule in plan.schedules
        for task in schedule.tasks
        if isinstance(task, FargateTask)
        for subnet in task.subnets
    ]
    groups = (*network.task_security_groups, *network.airflow_security_groups, *network.endpoint_security_groups)
    named = {
        "Vpc": network.vpc,
        "Subnets": list(dict.fromkeys((*network.private_subnets, *network.task_subnets, *per_task))),
        "SecurityGroups": list(dict.fromkeys(groups)),
    }
    found: dict[str, Any] = {}
    if network.vpc:
        found["Network"] = {"Type": NAMED_NETWORK, "Properties": named}
    if isinstance(airflow, Airflow):
        if airflow.bucket is not None:
            found["Bucket"] = _bucket(airflow.bucket, airflow.kms_key)
        if airflow.execution_role is not None:
            path, _, name = f"/{airflow.execution_role}".rpartition("/")
            found["Role"] = _role(name, ["airflow", "airflow-env"], [], path=f"{path}/")
    if isinstance(airflow, UsedAirflow):
        attached = named if network.vpc and groups else _SPARE
        if attached is _SPARE:
            found["SpareNetwork"] = {"Type": NAMED_NETWORK, "Properties": _SPARE}
        found["Bucket"] = _bucket(airflow.bucket, airflow.kms_key)
        found["Role"] = _role(
            airflow.execution_role, ["airflow", "airflow-env"], _reads(plan.region, airflow.bucket, airflow.kms_key)
        )
        found["Environment"] = {
            "Type": "AWS::MWAA::Environment",
            "DependsOn": ["Bucket", "Role", *(name for name in found if name.endswith("Network"))],
            "Properties": {
                "Name": airflow.name,
                "AirflowVersion": airflow.version,
                "SourceBucketArn": f"arn:aws:s3:::{airflow.bucket}",
                "DagS3Path": airflow.dags,
                "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "NetworkConfiguration": {
                    "SubnetIds": (list(network.private_subnets) if attached is named else _SPARE["Subnets"]),
                    "SecurityGroupIds": attached["SecurityGroups"],
                },
            },
        }
    if isinstance(airflow, SelfManagedAirflow):
        found["Role"] = _role(_own_role(plan), ["ec2"], [])
        if airflow.bucket is not None:
            found["Bucket"] = _bucket(airflow.bucket, airflow.kms_key)
    for number, name in enumerate(_state_buckets(plan)):
        found[f"StateBucket{number}"] = _bucket(name, None)
    return found


def _state_buckets(plan: Plan) -> list[str]:
    """Where Meltano projects keep their state themselves."""
    addresses = sorted({definition.meltano_state for definition in plan.task_definitions if definition.meltano_state})
    names = [urlsplit(address).hostname for address in addresses if address.startswith("s3://")]
    # A bucket of one name would be there twice; a name that is not known yet is nobody's.
    taken = getattr(plan.airflow, "bucket", None)
    return [name for name in dict.fromkeys(names) if name and name != taken]


def _bucket(name: str, key: str | None) -> dict[str, Any]:
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    properties: dict[str, Any] = {
        "BucketName": name,
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": dict.fromkeys(closed, True),
    }
    if key is not None:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        rules = [{"ServerSideEncryptionByDefault": default}]
        properties["BucketEncryption"] = {"ServerSideEncryptionConfiguration": rules}
    return {"Type": "AWS::S3::Bucket", "Properties": properties}


def _reads(region: str, bucket: str, key: str | None) -> list[dict[str, Any]]:
    """What the role of an MWAA environment that exists may do: read its bucket."""
    arns = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": ["s3:GetObject*", "s3:GetBucket*", "s3:List*"], "Resource": arns}
    ]
    if key is not None:
        via_s3 = {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}
        statements.append({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key, "Condition": via_s3})
    return statements


def _role(name: str, services: list[str], statements: list[dict[str, Any]], *, path: str = "/") -> dict[str, Any]:
    """A role that may do this much, and nothing of ours."""
    principal = {"Service": [f"{service}.amazonaws.com" for service in services]}
    trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
    properties: dict[str, Any] = {"RoleName": name, "AssumeRolePolicyDocument": {"Version": "2012-10-17", **trust}}
    if path != "/":
        properties["Path"] = path
    if statements:
        document = {"Version": "2012-10-17", "Statement": statements}
        properties["Policies"] = [{"PolicyName": "Airflow", "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _own_role(plan: Plan) -> str:
    return f"{plan.prefix}-self-managed-airflow"


def _taken_for_granted(plan: Plan) -> list[str]:
    lines = [f"the network {plan.network.vpc}"] if plan.network.vpc else []
    airflow = plan.airflow
    if isinstance(airflow, Airflow):
        lines += [f"the bucket {airflow.bucket}"] if airflow.bucket else []
        lines += [f"the role {airflow.execution_role}"] if airflow.execution_role else []
    if isinstance(airflow, UsedAirflow):
        parts = f"its bucket {airflow.bucket} and its role {airflow.execution_role}"
        lines.append(f"the MWAA environment {airflow.name} of Airflow {airflow.version}, {parts}")
    if isinstance(airflow, SelfManagedAirflow):
        bucket = f", its bucket {airflow.bucket}" if airflow.bucket else ""
        lines.append(f"an Airflow {airflow.version} of your own, with the role {_own_role(plan)}{bucket}")
    return lines + [f"the bucket {name} with Meltano's state, which is empty here" for name in _state_buckets(plan)]


def _deploy(endpoint: Endpoint, name: str, template: dict[str, Any]) -> None:
    cfn = endpoint.client("cloudformation")
    call = {"StackName": name, "TemplateBody": json.dumps(template), "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    try:
        cfn.describe_stacks(StackName=name)
        there = True
    except botocore.exceptions.ClientError:
        there = False
    waiter = cfn.get_waiter("stack_update_complete" if there else "stack_create_complete")
    try:
        if there:
            cfn.update_stack(**call)
        else:
            cfn.create_stack(**call)
        waiter.wait(StackName=name, WaiterConfig={"Delay": _DELAY_SECONDS, "MaxAttempts": _ATTEMPTS})
    except botocore.exceptions.ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
    except botocore.exceptions.WaiterError as error:
        events = cfn.describe_stack_events(StackName=name)["StackEvents"]
        reasons = [event["ResourceStatusReason"] for event in events if "FAILED" in event["ResourceStatus"]]
        raise PenstockError(
            f"the embedded AWS could not make what the project takes for granted: {'; '.join(reasons)}",
            fix="run penstock down, then penstock up; if it stays, correct what airflow and network.use name",
        ) from error
