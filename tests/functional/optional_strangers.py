"""Calls that no role of these settings needs, as `permission_strangers` has them for every project."""

from __future__ import annotations

from typing import Any

from tests.functional.optional_project import CONNECTION, LAKE, OTHER, REGISTRY, VARIABLE, Environment
from tests.functional.permission_strangers import STRANGER, Call, call

UNKNOWN = "0" * 17


def of_the_key(environment: Environment) -> list[Call]:
    """The key of the bucket, but not by way of S3."""
    key = environment.key
    return [
        call("decrypt", "kms:Decrypt", "decrypt", {"KeyId": key, "CiphertextBlob": b"x"}),
        call("encrypt", "kms:Encrypt", "encrypt", {"KeyId": key, "Plaintext": b"x"}),
        call("a data key", "kms:GenerateDataKey", "generate_data_key", {"KeyId": key, "KeySpec": "AES_256"}),
        call("the key's policy", "kms:GetKeyPolicy", "get_key_policy", {"KeyId": key}),
        call("delete the key", "kms:ScheduleKeyDeletion", "schedule_key_deletion", {"KeyId": key}),
    ]


def of_another_environment(environment: Environment, other: Environment) -> list[Call]:
    """For Airflow's role: the same project's tasks, log and DAGs of another environment; and its own files."""
    system, theirs = environment.system, other.system
    ours = system.call(system.plain)
    log = {"logGroupName": theirs.plan.log_group, "logStreamName": "penstock/main/1"}
    own = {"Bucket": system.dag_bucket, "Key": f"{environment.folder}/theirs.py"}
    return [
        call("its family", "ecs:RunTask", "run_task", {**ours, "taskDefinition": theirs.plain.family}),
        call("its cluster", "ecs:RunTask", "run_task", {**ours, "cluster": theirs.plan.cluster}),
        call("its log", "logs:GetLogEvents", "get_log_events", log),
        call("its DAGs", "s3:ListBucket", "list_objects_v2", {"Bucket": theirs.dag_bucket, "Prefix": other.folder}),
        call("write our DAGs", "s3:PutObject", "put_object", own),
        call("delete our DAGs", "s3:DeleteObject", "delete_object", own),
        Call(
            "a machine",
            "states:StartExecution",
            "start_execution",
            {"stateMachineArn": _machine(environment)},
            "stepfunctions",
        ),
    ]


def of_a_writer(environment: Environment) -> list[Call]:
    """For who puts the bundle into a bucket: other folders, other buckets, what it need not do in its own."""
    place = {"Bucket": environment.system.dag_bucket}
    beside = {**place, "Key": f"{environment.folder}-2/theirs.py"}
    within = {**place, "Key": f"{environment.folder}/theirs.py"}
    parent = environment.folder.rpartition("/")[0]
    return [
        call("write beside", "s3:PutObject", "put_object", beside),
        call("delete beside", "s3:DeleteObject", "delete_object", beside),
        call("read beside", "s3:GetObject", "get_object", beside),
        call("list beside", "s3:ListBucket", "list_objects_v2", {**place, "Prefix": f"{parent}/"}),
        call("list the bucket", "s3:ListBucket", "list_objects_v2", place),
        call("read a DAG", "s3:GetObject", "get_object", within),
        call("a version", "s3:DeleteObjectVersion", "delete_object", {**within, "VersionId": "1"}),
        call("share a DAG", "s3:PutObjectAcl", "put_object_acl", {**within, "ACL": "public-read"}),
        call("open the bucket", "s3:PutBucketPolicy", "put_bucket_policy", {**place, "Policy": "{}"}),
        call("another bucket", "s3:PutObject", "put_object", {"Bucket": STRANGER, "Key": "theirs"}),
        call("a task", "ecs:RunTask", "run_task", environment.system.call(environment.system.plain)),
        call("list roles", "iam:ListRoles", "list_roles", {}),
    ]


def of_an_endpoint_maker(environment: Environment) -> list[Call]:
    """For the state machine and who starts it. Each endpoint differs from the right one in one thing."""
    network = environment.system.mwaa["NetworkConfiguration"]
    region, account = environment.system.plan.region, environment.endpoint.account
    (endpoint, *_) = environment.system.root("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    right = {
        "VpcEndpointType": "Interface",
        "VpcId": endpoint["VpcId"],
        "ServiceName": f"com.amazonaws.vpce.{region}.vpce-svc-{UNKNOWN}",
        "SubnetIds": network["SubnetIds"],
        "SecurityGroupIds": network["SecurityGroupIds"][:1],
    }

    def make(name: str, **changes: Any) -> Call:
        return call(name, "ec2:CreateVpcEndpoint", "create_vpc_endpoint", {**right, **changes})

    machine = _machine(environment)
    ids = {"VpcEndpointIds": [endpoint["VpcEndpointId"]]}
    return [
        make("another VPC", VpcId=f"vpc-{UNKNOWN}"),
        make("another subnet", SubnetIds=[f"subnet-{UNKNOWN}"]),
        make("another group", SecurityGroupIds=[f"sg-{UNKNOWN}"]),
        make("a service of AWS", ServiceName=f"com.amazonaws.{region}.s3"),
        make("a service elsewhere", ServiceName=f"com.amazonaws.vpce.us-east-1.vpce-svc-{UNKNOWN}"),
        call(
            "tag a subnet",
            "ec2:CreateTags",
            "create_tags",
            {"Resources": network["SubnetIds"], "Tags": [{"Key": "a", "Value": "b"}]},
        ),
        call("delete endpoints", "ec2:DeleteVpcEndpoints", "delete_vpc_endpoints", ids),
        call("look at endpoints", "ec2:DescribeVpcEndpoints", "describe_vpc_endpoints", {}),
        Call("another environment", "airflow:GetEnvironment", "get_environment", {"Name": STRANGER}, "mwaa"),
        Call("its web page", "airflow:CreateWebLoginToken", "create_web_login_token", {"Name": STRANGER}, "mwaa"),
        Call(
            "another machine", "states:StartExecution", "start_execution", {"stateMachineArn": machine}, "stepfunctions"
        ),
        call(
            "another role",
            "sts:AssumeRole",
            "assume_role",
            {"RoleArn": f"arn:aws:iam::{account}:role/{STRANGER}", "RoleSessionName": "theirs"},
        ),
    ]


def of_ecs(environment: Environment) -> list[Call]:
    """For the role that ECS starts the container with."""
    other = {"repositoryName": STRANGER, "imageIds": [{"imageTag": "1"}]}
    return [
        call("the registry's log-in", "secretsmanager:GetSecretValue", "get_secret_value", {"SecretId": REGISTRY}),
        call("another secret", "secretsmanager:GetSecretValue", "get_secret_value", {"SecretId": STRANGER}),
        call("another image", "ecr:BatchGetImage", "batch_get_image", other),
        call("another repository", "ecr:CreateRepository", "create_repository", {"repositoryName": STRANGER}),
        call("what is permitted", "s3:ListBucket", "list_objects_v2", {"Bucket": LAKE}),
        *of_the_key(environment),
    ]


def of_a_backend() -> list[Call]:
    """For Airflow's role: beside the connections that one environment permits it to read, and more than reading."""
    read, write = "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"
    return [
        call("a connection", read, "get_secret_value", {"SecretId": CONNECTION}),
        call("a variable", read, "get_secret_value", {"SecretId": VARIABLE}),
        call("the registry's log-in", read, "get_secret_value", {"SecretId": REGISTRY}),
        call("write a connection", write, "put_secret_value", {"SecretId": CONNECTION, "SecretString": "x"}),
        call("list secrets", "secretsmanager:ListSecrets", "list_secrets", {}),
    ]


def of_a_task(environment: Environment) -> list[Call]:
    """For the role of the task."""
    dags = {"Bucket": environment.system.dag_bucket, "Key": f"{environment.folder}/resources.json"}
    return [
        call("list what is permitted", "s3:ListBucket", "list_objects_v2", {"Bucket": LAKE}),
        call("read it", "s3:GetObject", "get_object", {"Bucket": LAKE, "Key": "any"}),
        call("write it", "s3:PutObject", "put_object", {"Bucket": LAKE, "Key": "any"}),
        call("list another", "s3:ListBucket", "list_objects_v2", {"Bucket": OTHER}),
        call("read a DAG", "s3:GetObject", "get_object", dags),
        call("the registry's log-in", "secretsmanager:GetSecretValue", "get_secret_value", {"SecretId": REGISTRY}),
        *of_the_key(environment),
    ]


def _machine(environment: Environment) -> str:
    region, account = environment.system.plan.region, environment.endpoint.account
    return f"arn:aws:states:{region}:{account}:stateMachine:{STRANGER}"
