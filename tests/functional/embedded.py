"""A real embedded AWS for tests, and a stack with what a Fargate task needs. Not a conftest: tests import it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.local.aws.endpoint import STATE_FILE, Endpoint, Keys

ROOT = Path(__file__).parents[2]
REGION, ACCOUNT = "eu-west-1", "123456789012"
IMAGE = "example.com/tools:1"
MARKER = "test-instance"
UNCHECKED = {"CDK_VALIDATION": "false"}
"""For a synth of templates like those of `tests/stacks` and `tests/golden`, which CDK checks there: its check takes two
thirds of the time of a synth, and changes no template. Annotations and cdk-nag stay."""


@dataclass
class Server:
    """A running server process."""

    process: subprocess.Popen[bytes]
    state: Path
    images: Path

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint.load(self.state)

    def end(self) -> float:
        """SIGTERM; the seconds that the server took to end."""
        start = time.monotonic()
        self.process.terminate()
        self.process.wait(60)
        return time.monotonic() - start


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    state, images = folder / "state", folder / "images"
    images.mkdir(parents=True)
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}", "PENSTOCK_INSTANCE": MARKER, "LEAK": "1"}
    command = [
        sys.executable, "-m", "penstock.local.aws", "--state", str(state), "--port", str(free_port()),
        "--images", str(images), "--region", REGION, "--account", ACCOUNT,
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=subprocess.STDOUT)
    server = Server(process, state, images)
    try:
        until(lambda: (state / STATE_FILE).exists() or process.poll() is not None, 120)
        assert process.poll() is None, (folder / "server.log").read_text()
        add_image(images, IMAGE, folder)
        yield server
    finally:
        if process.poll() is None:
            server.end()


def add_image(images: Path, reference: str, folder: Path) -> None:
    """An image with one program on its PATH, `greet`, and one file in its working directory."""
    programs, workdir = folder / "programs", folder / "workdir"
    programs.mkdir(exist_ok=True)
    workdir.mkdir(exist_ok=True)
    (programs / "greet").write_text("#!/bin/sh\necho hello from the image\n")
    (programs / "greet").chmod(0o755)
    python = programs / "python"
    if not python.exists():
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
    (workdir / "data.txt").write_text("from the image")
    name = hashlib.sha256(reference.encode()).hexdigest()[:32]
    manifest = {
        "reference": reference,
        "path": [str(programs)],
        "workdir": str(workdir),
        "environment": {"FROM_IMAGE": "yes"},
    }
    (images / f"{name}.json").write_text(json.dumps(manifest))


def until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until `holds` returns something true, and return that."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)
    return found


def deploy(endpoint: Endpoint, name: str, template: dict[str, Any]) -> dict[str, str]:
    """Create or update a stack; its outputs.

    Raises:
        AssertionError: the operation failed; the text holds the reasons of its events.
    """
    cfn = endpoint.client("cloudformation")
    call = {"StackName": name, "TemplateBody": json.dumps(template), "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    try:
        cfn.describe_stacks(StackName=name)
        before = cfn.describe_stack_events(StackName=name)["StackEvents"]
        cfn.update_stack(**call)
    except cfn.exceptions.ClientError as error:
        if "does not exist" not in str(error):
            raise
        before = []
        cfn.create_stack(**call)

    def ended() -> Any:
        stack = cfn.describe_stacks(StackName=name)["Stacks"][0]
        return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

    stack = until(ended)
    events = cfn.describe_stack_events(StackName=name)["StackEvents"]
    seen = {one["EventId"] for one in before}
    reasons = [one.get("ResourceStatusReason", "") for one in events if one["EventId"] not in seen]
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), " | ".join(filter(None, reasons))
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}


def delete(endpoint: Endpoint, name: str) -> str:
    """Delete a stack; its last status."""
    cfn = endpoint.client("cloudformation")
    stack_id = cfn.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    cfn.delete_stack(StackName=name)

    def ended() -> Any:
        status = cfn.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
        return None if status.endswith("_IN_PROGRESS") else status

    return str(until(ended))


def trust(*services: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def policy(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    allowed = [{"Effect": "Allow", **one} for one in statements]
    return {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": allowed}}


def base_template() -> dict[str, Any]:
    """A network of two zones, a cluster, roles, a log group, a secret and a task definition named `tool`."""
    secret_arn = {"Fn::Sub": "arn:aws:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:app/token"}
    execution = policy(
        "all",
        {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": {"Fn::GetAtt": ["Logs", "Arn"]}},
        {
            "Action": "secretsmanager:GetSecretValue",
            "Resource": [secret_arn, {"Fn::Join": ["", [secret_arn, "-??????"]]}],
        },
    )
    container = {
        "Name": "main",
        "Image": IMAGE,
        "EntryPoint": ["/bin/sh", "-c"],
        "Command": ["greet"],
        "StopTimeout": 2,
        "Environment": [{"Name": "FROM_DEFINITION", "Value": "yes"}],
        "Secrets": [
            {"Name": "TOKEN", "ValueFrom": {"Fn::Join": ["", [secret_arn, ":token::"]]}},
            {"Name": "WHOLE", "ValueFrom": {"Ref": "Secret"}},
        ],
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": {"Ref": "Logs"},
                "awslogs-region": {"Ref": "AWS::Region"},
                "awslogs-stream-prefix": "penstock",
            },
        },
    }
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "tasks", "VpcId": {"Ref": "Vpc"}},
        },
        "Cluster": {
            "Type": "AWS::ECS::Cluster",
            "Properties": {"ClusterName": "main", "CapacityProviders": ["FARGATE", "FARGATE_SPOT"]},
        },
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/penstock/tool"}},
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "app/token", "SecretString": '{"token": "s3cret"}'},
        },
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "tool-bucket"}},
        "TaskRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "tool-task",
                "AssumeRolePolicyDocument": trust("ecs-tasks.amazonaws.com"),
                "Policies": [policy("s3", {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::tool-bucket/open/*"})],
            },
        },
        "ExecutionRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "tool-exec",
                "Path": "/penstock/",
                "AssumeRolePolicyDocument": trust("ecs-tasks.amazonaws.com"),
                "Policies": [execution],
            },
        },
        "Definition": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "tool",
                "Cpu": "256",
                "Memory": "512",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
                "TaskRoleArn": {"Fn::GetAtt": ["TaskRole", "Arn"]},
                "ExecutionRoleArn": {"Fn::GetAtt": ["ExecutionRole", "Arn"]},
                "ContainerDefinitions": [container],
            },
        },
    }
    for number in (0, 1):
        resources[f"Subnet{number}"] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": f"10.1.{number}.0/24",
                "AvailabilityZone": {"Fn::Select": [number, {"Fn::GetAZs": ""}]},
            },
        }
    outputs = {
        "Subnet0": {"Value": {"Ref": "Subnet0"}},
        "Subnet1": {"Value": {"Ref": "Subnet1"}},
        "Group": {"Value": {"Ref": "Group"}},
        "Definition": {"Value": {"Ref": "Definition"}},
        "ExecutionRole": {"Value": {"Fn::GetAtt": ["ExecutionRole", "Arn"]}},
        "TaskRole": {"Value": {"Fn::GetAtt": ["TaskRole", "Arn"]}},
        "Secret": {"Value": {"Ref": "Secret"}},
    }
    return {"Resources": resources, "Outputs": outputs}


@dataclass
class Aws:
    """A server with the base stack deployed."""

    server: Server
    endpoint: Endpoint
    outputs: dict[str, str]

    def client(self, service: str, keys: Keys | None = None) -> Any:
        return self.endpoint.client(service, keys)

    def call(self, script: str | None = None, **more: Any) -> dict[str, Any]:
        """The arguments of a RunTask; `script` is what the container's shell runs."""
        network = {"subnets": [self.outputs["Subnet0"]], "securityGroups": [self.outputs["Group"]]}
        request: dict[str, Any] = {
            "cluster": "main",
            "taskDefinition": "tool",
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": network},
        }
        if script is not None:
            request["overrides"] = {"containerOverrides": [{"name": "main", "command": [script]}]}
        return request | more

    def start(self, script: str | None = None, keys: Keys | None = None, **more: Any) -> str:
        answer = self.client("ecs", keys).run_task(**self.call(script, **more))
        assert not answer["failures"]
        return str(answer["tasks"][0]["taskArn"])

    def register(self, family: str, change: dict[str, Any], *more: dict[str, Any]) -> str:
        """A copy of `tool` with another family and a changed container; its ARN."""
        ecs = self.client("ecs")
        definition = ecs.describe_task_definition(taskDefinition="tool")["taskDefinition"]
        names = ("cpu", "memory", "networkMode", "requiresCompatibilities", "taskRoleArn", "executionRoleArn")
        container = {**definition["containerDefinitions"][0], **change}
        answer = ecs.register_task_definition(
            family=family, containerDefinitions=[container, *more], **{name: definition[name] for name in names}
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def task(self, arn: str) -> dict[str, Any]:
        tasks = self.client("ecs").describe_tasks(cluster="main", tasks=[arn])["tasks"]
        return dict(tasks[0])

    def stopped(self, arn: str) -> dict[str, Any]:
        return dict(until(lambda: (one := self.task(arn))["lastStatus"] == "STOPPED" and one))

    def wait_for(self, arn: str, line: str) -> None:
        until(lambda: line in self.log(arn))

    def log(self, arn: str) -> list[str]:
        logs = self.client("logs")
        stream = f"penstock/main/{arn.rsplit('/', 1)[-1]}"
        try:
            events = logs.get_log_events(logGroupName="/penstock/tool", logStreamName=stream, startFromHead=True)
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [one["message"] for one in events["events"]]

    def role(self, name: str, *statements: dict[str, Any]) -> Keys:
        """A session of a new role with these grants."""
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust("airflow.amazonaws.com")))
        if statements:
            document = policy("grants", *statements)
            iam.put_role_policy(
                RoleName=name, PolicyName="grants", PolicyDocument=json.dumps(document["PolicyDocument"])
            )
        return self.endpoint.assume(arn["Role"]["Arn"], "test")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A server with the base stack."""
    with serving(tmp_path_factory.mktemp("aws")) as server:
        yield Aws(server, server.endpoint, deploy(server.endpoint, "base", base_template()))


def listen(aws: Aws, topic: str) -> str:
    """URL of a new queue that hears what a topic says."""
    sqs = aws.client("sqs")
    url: str = sqs.create_queue(QueueName=f"heard-{uuid.uuid4().hex}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = policy("sns", {"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(allow["PolicyDocument"])})
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return url


def heard(aws: Aws, queue: str) -> list[dict[str, Any]]:
    """The messages of a queue, which forgets them."""
    messages = aws.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for one in messages:
        aws.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    return [json.loads(one["Body"]) for one in messages]


def upload_functions(endpoint: Endpoint, template: dict[str, Any], assembly: Path) -> dict[str, Path]:
    """Put the code of a template's functions where CDK's CLI would; handler → folder of its code."""
    s3, code_folders = endpoint.client("s3"), {}
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        code, folder = resource["Properties"]["Code"], assembly
        with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=code["S3Bucket"], CreateBucketConfiguration={"LocationConstraint": REGION})
        folder = assembly / f"asset.{Path(code['S3Key']).stem}"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for file in sorted(one for one in folder.rglob("*") if one.is_file()):
                archive.write(file, file.relative_to(folder))
        s3.put_object(Bucket=code["S3Bucket"], Key=code["S3Key"], Body=packed.getvalue())
        code_folders[resource["Properties"]["Handler"]] = folder
    return code_folders
