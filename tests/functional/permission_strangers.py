"""Calls that nothing of ours needs, for each role to try: another's tasks, roles, secrets, buckets, keys, logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError

from penstock_runtime import contract
from tests.functional.permission_system import ACCOUNT, PARAMETER, Deployed

STRANGER = "stranger"
OPENMETADATA, WAREHOUSE = "penstock-sample/openmetadata", "penstock-sample/warehouse"


@dataclass(frozen=True)
class Call:
    """One call of AWS's API."""

    name: str
    action: str
    """The permission that it needs."""
    operation: str
    """boto3's name for it."""
    arguments: dict[str, Any]
    service: str
    """boto3's name for the service that is called."""


SCRIPT = """
import boto3, json, sys
from botocore.exceptions import ClientError
for call in json.loads(sys.argv[1]):
    try:
        getattr(boto3.client(call["service"]), call["operation"])(**call["arguments"])
        answer = ""
    except ClientError as error:
        answer = str(error)
    print(json.dumps([call["name"], answer]), flush=True)
"""
"""`attempt`, for a container: one line of JSON per call."""


def attempt(client: Callable[[str], Any], calls: Sequence[Call]) -> dict[str, str]:
    """Try calls; each call's name → the text of the error that it met, empty where it met none."""
    refusals = {}
    for call in calls:
        try:
            getattr(client(call.service), call.operation)(**call.arguments)
            refusals[call.name] = ""
        except ClientError as error:
            refusals[call.name] = str(error)
    return refusals


def as_text(calls: Sequence[Call]) -> str:
    """Calls for `SCRIPT`."""
    return json.dumps([asdict(call) for call in calls], separators=(",", ":"))


def allowed(calls: Sequence[Call], answers: dict[str, str]) -> set[str]:
    """The calls that were not denied for want of their permission, whatever else became of them."""
    assert answers.keys() == {call.name for call in calls}
    return {call.name for call in calls if f"not authorized to perform: {call.action} " not in answers[call.name]}


def double(system: Deployed, role: str) -> str:
    """A role with the same grants as one that only ECS may take; its ARN."""
    iam, name = system.root("iam"), f"{role}-double"
    statement = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    return arn


def settle(system: Deployed) -> None:
    """Put things of somebody else into the account."""
    ecs, family = system.root("ecs"), system.plain.family
    ecs.create_cluster(clusterName=STRANGER, capacityProviders=["FARGATE"])
    ours = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    names = ("taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "cpu", "memory")
    ecs.register_task_definition(
        family=STRANGER, requiresCompatibilities=["FARGATE"], **{name: ours[name] for name in names}
    )
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    system.root("iam").create_role(RoleName=STRANGER, AssumeRolePolicyDocument=document)
    system.root("secretsmanager").create_secret(Name=STRANGER, SecretString="theirs")
    system.root("ssm").put_parameter(Name=f"/{STRANGER}", Value="theirs", Type="SecureString")
    system.root("logs").create_log_group(logGroupName=STRANGER)
    s3 = system.root("s3")
    s3.create_bucket(Bucket=STRANGER, CreateBucketConfiguration={"LocationConstraint": system.plan.region})
    s3.put_object(Bucket=STRANGER, Key="theirs", Body=b"")


def of_airflow(system: Deployed) -> list[Call]:
    """What the execution role may not do: not one of these."""
    plan, artifacts, region = system.plan, system.resources.artifacts_bucket, system.plan.region
    ours = system.call(system.plain)
    task = f"arn:aws:ecs:{region}:{ACCOUNT}:task/{STRANGER}/{'0' * 32}"
    log = {"logGroupName": plan.log_group, "logStreamName": "theirs/main/1"}
    own_role = system.place.role_arn

    def run(name: str, action: str = "ecs:RunTask", **changes: Any) -> Call:
        return Call(name, action, "run_task", {**ours, **changes}, "ecs")

    def run_as(name: str, **roles: str) -> Call:
        return run(name, "iam:PassRole", overrides={**ours["overrides"], **roles})

    return [
        run("another family", taskDefinition=STRANGER),
        run("another cluster", cluster=STRANGER),
        run_as("another task role", taskRoleArn=_role(STRANGER)),
        run_as("its own role for a task", taskRoleArn=own_role),
        run_as("another execution role", executionRoleArn=_role(STRANGER)),
        call(
            "tag a task that runs",
            "ecs:TagResource",
            "tag_resource",
            {"resourceArn": task.replace(STRANGER, plan.cluster), "tags": [{"key": "a", "value": "b"}]},
        ),
        call(
            "look at another cluster's task",
            "ecs:DescribeTasks",
            "describe_tasks",
            {"cluster": STRANGER, "tasks": [task]},
        ),
        call("stop another cluster's task", "ecs:StopTask", "stop_task", {"cluster": STRANGER, "task": task}),
        call("list another cluster's tasks", "ecs:ListTasks", "list_tasks", {"cluster": STRANGER}),
        call(
            "read a definition",
            "ecs:DescribeTaskDefinition",
            "describe_task_definition",
            {"taskDefinition": ours["taskDefinition"]},
        ),
        call(
            "write a definition",
            "ecs:RegisterTaskDefinition",
            "register_task_definition",
            {"family": ours["taskDefinition"], "containerDefinitions": [{"name": "main", "image": "theirs"}]},
        ),
        call("another log group", "logs:GetLogEvents", "get_log_events", {**log, "logGroupName": STRANGER}),
        call("another's log stream", "logs:GetLogEvents", "get_log_events", log),
        call("search the log", "logs:FilterLogEvents", "filter_log_events", {"logGroupName": plan.log_group}),
        call("write our log", "logs:CreateLogStream", "create_log_stream", log),
        call("list artifacts", "s3:ListBucket", "list_objects_v2", {"Bucket": artifacts}),
        call("read a config", "s3:GetObject", "get_object", {"Bucket": artifacts, "Key": _config(system)}),
        call("write a DAG", "s3:PutObject", "put_object", {"Bucket": system.dag_bucket, "Key": "dags/theirs.py"}),
        call(
            "delete a DAG", "s3:DeleteObject", "delete_object", {"Bucket": system.dag_bucket, "Key": "dags/theirs.py"}
        ),
        call("another bucket", "s3:GetObject", "get_object", {"Bucket": STRANGER, "Key": "theirs"}),
        *_secrets(),
        call(
            "take a task's role",
            "sts:AssumeRole",
            "assume_role",
            _assume(plan.task_definitions[0].role_prefix + "-task"),
        ),
        call("take another role", "sts:AssumeRole", "assume_role", _assume(STRANGER)),
        call(
            "read its own grants",
            "iam:ListRolePolicies",
            "list_role_policies",
            {"RoleName": own_role.rsplit("/", 1)[-1]},
        ),
    ]


def of_a_task(system: Deployed) -> list[Call]:
    """What a task role may not do, but for the few that one engine needs."""
    plan, artifacts = system.plan, system.resources.artifacts_bucket
    state, runtime = f"{contract.STATE_PREFIX}/some-pipeline/state.json", f"{contract.RUNTIME_PREFIX}/theirs.zip"
    return [
        call("read a config", "s3:GetObject", "get_object", {"Bucket": artifacts, "Key": _config(system)}),
        call("read state", "s3:GetObject", "get_object", {"Bucket": artifacts, "Key": state}),
        call("write state", "s3:PutObject", "put_object", {"Bucket": artifacts, "Key": state}),
        call("delete state", "s3:DeleteObject", "delete_object", {"Bucket": artifacts, "Key": state}),
        call("list state", "s3:ListBucket", "list_objects_v2", {"Bucket": artifacts, "Prefix": "state/"}),
        call("list artifacts", "s3:ListBucket", "list_objects_v2", {"Bucket": artifacts}),
        call("list configs", "s3:ListBucket", "list_objects_v2", {"Bucket": artifacts, "Prefix": "configs/"}),
        call("write a config", "s3:PutObject", "put_object", {"Bucket": artifacts, "Key": _config(system)}),
        call("write a runtime", "s3:PutObject", "put_object", {"Bucket": artifacts, "Key": runtime}),
        call("delete a runtime", "s3:DeleteObject", "delete_object", {"Bucket": artifacts, "Key": runtime}),
        call("read a DAG", "s3:ListBucket", "list_objects_v2", {"Bucket": system.dag_bucket}),
        call("write a DAG", "s3:PutObject", "put_object", {"Bucket": system.dag_bucket, "Key": "dags/theirs.py"}),
        call("another bucket", "s3:GetObject", "get_object", {"Bucket": STRANGER, "Key": "theirs"}),
        *_secrets(),
        call("list tasks", "ecs:ListTasks", "list_tasks", {"cluster": plan.cluster}),
        call("search the log", "logs:FilterLogEvents", "filter_log_events", {"logGroupName": plan.log_group}),
        call(
            "take an execution role",
            "sts:AssumeRole",
            "assume_role",
            _assume(plan.task_definitions[0].role_prefix + "-exec"),
        ),
        call("list roles", "iam:ListRoles", "list_roles", {}),
    ]


def of_ecs(system: Deployed) -> list[Call]:
    """What a task definition's execution role may not do, but for its own secrets and streams."""
    group = system.plan.log_group

    def stream(name: str, group: str, stream: str) -> Call:
        return call(name, "logs:CreateLogStream", "create_log_stream", {"logGroupName": group, "logStreamName": stream})

    return [
        *_secrets(),
        stream("open its log", group, "penstock/main/1"),
        stream("open another log stream", group, "theirs/main/1"),
        stream("open another log group", STRANGER, "penstock/main/1"),
        call("search the log", "logs:FilterLogEvents", "filter_log_events", {"logGroupName": group}),
        *[one for one in of_a_task(system) if one.service != "secretsmanager" and one.service != "ssm"],
    ]


def call(name: str, action: str, operation: str, arguments: dict[str, Any]) -> Call:
    """A call whose service is that of its permission."""
    return Call(name, action, operation, arguments, action.partition(":")[0])


def _secrets() -> list[Call]:
    names = (OPENMETADATA, WAREHOUSE, STRANGER)
    calls = [call(name, "secretsmanager:GetSecretValue", "get_secret_value", {"SecretId": name}) for name in names]
    parameters = (PARAMETER, f"/{STRANGER}")
    return [*calls, *(call(name, "ssm:GetParameters", "get_parameters", {"Names": [name]}) for name in parameters)]


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def _assume(role: str) -> dict[str, Any]:
    return {"RoleArn": _role(role), "RoleSessionName": "theirs"}


def _config(system: Deployed) -> str:
    return contract.config_key(system.plan.configs[0].sha256 if system.plan.configs else "0" * 64)
