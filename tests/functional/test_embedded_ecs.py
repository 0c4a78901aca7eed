"""Fargate tasks of the embedded AWS: real processes, and what they need to start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.embedded import MARKER, Aws, add_image, aws, until

__all__ = ["aws"]


def test_runs_a_process_in_the_image(aws: Aws) -> None:
    """The container sees its image, definition, overrides and secrets, and nothing of the server's environment.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerOverride.html
        docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    """
    script = "greet; cat data.txt; echo; pwd; echo $HOME; echo $TMPDIR; env"
    override = {"name": "main", "command": [script], "environment": [{"name": "FROM_RUN", "value": "a=b"}]}

    arn = aws.start(overrides={"containerOverrides": [override]})
    task = aws.stopped(arn)
    lines = aws.log(arn)

    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 0)
    assert task["stoppedReason"] == "Essential container in task exited"
    assert lines[:2] == ["hello from the image", "from the image"]
    folder = str(aws.server.state / "tasks" / arn.rsplit("/", 1)[-1])
    assert all(line.startswith(folder) for line in lines[2:5])
    environ = dict(line.split("=", 1) for line in lines[5:])
    assert environ["FROM_IMAGE"] == environ["FROM_DEFINITION"] == "yes"
    assert environ["FROM_RUN"] == "a=b"
    assert environ["TOKEN"] == "s3cret"
    assert json.loads(environ["WHOLE"]) == {"token": "s3cret"}
    assert environ["PENSTOCK_INSTANCE"] == MARKER
    assert environ["PATH"].endswith("/programs:/usr/bin:/bin")
    assert "LEAK" not in environ
    assert environ["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert not Path(folder).exists()


def test_definition_keeps_what_cloudformation_says(aws: Aws) -> None:
    """What the template says is what ECS registers.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
    """
    definition = aws.client("ecs").describe_task_definition(taskDefinition="tool")["taskDefinition"]

    assert definition["containerDefinitions"][0]["stopTimeout"] == 2
    assert definition["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-group"] == "/penstock/tool"
    assert [one["name"] for one in definition["containerDefinitions"][0]["secrets"]] == ["TOKEN", "WHOLE"]


def test_exit_code_is_the_container_s(aws: Aws) -> None:
    """As the container's first process gave it.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Container.html
    """
    assert aws.stopped(aws.start("exit 3"))["containers"][0]["exitCode"] == 3


def test_task_has_the_rights_of_its_role_and_no_more(aws: Aws) -> None:
    """Inside the container boto3 works as on ECS, with the task role.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    s3 = aws.client("s3")
    for key in ("open/a", "closed/a"):
        s3.put_object(Bucket="tool-bucket", Key=key, Body=b"text of a")
    script = (
        "import boto3; s3 = boto3.client('s3'); "
        "print(s3.get_object(Bucket='tool-bucket', Key='open/a')['Body'].read().decode(), flush=True); "
        "s3.get_object(Bucket='tool-bucket', Key='closed/a')"
    )

    arn = aws.start(f'python -c "{script}"')
    task = aws.stopped(arn)

    assert task["containers"][0]["exitCode"] == 1
    assert aws.log(arn)[0] == "text of a"
    assert "AccessDenied" in aws.log(arn)[-1]


def test_stop_sends_sigterm(aws: Aws) -> None:
    """SIGTERM first; the stop code and the caller's reason are in the task's record.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html
    """
    arn = aws.start("exec sh -c 'echo up; exec sleep 60'")
    aws.wait_for(arn, "up")

    aws.client("ecs").stop_task(cluster="main", task=arn, reason="enough")
    task = aws.stopped(arn)

    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert task["containers"][0]["exitCode"] == 143


def test_stop_kills_after_the_stop_timeout(aws: Aws) -> None:
    """A process that ignores SIGTERM is killed after `stopTimeout`, here 2 s, with what it has started.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html (stopTimeout)
    """
    arn = aws.start("trap '' TERM; setsid sleep 77.5 & echo up; while true; do sleep 0.1; done")
    aws.wait_for(arn, "up")

    aws.client("ecs").stop_task(cluster="main", task=arn)
    task = aws.stopped(arn)

    assert task["containers"][0]["exitCode"] == 137
    assert task["stoppedAt"] - task["stoppingAt"] >= type(task["stoppedAt"] - task["stoppingAt"])(seconds=1.9)
    assert processes(b"sleep\x0077.5") == []


def test_end_of_the_first_process_ends_the_container(aws: Aws) -> None:
    """What the first process leaves in the background does not outlive it.

    Source: https://man7.org/linux/man-pages/man7/pid_namespaces.7.html (a container is a PID namespace)
    """
    aws.stopped(aws.start("setsid sleep 78.5 & nohup sleep 78.5 & exit 0"))

    assert processes(b"sleep\x0078.5") == []


def test_stop_before_the_start(aws: Aws) -> None:
    """A task can be stopped before its container runs.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
    """
    ecs = aws.client("ecs")
    arn = aws.start("sleep 30")
    ecs.stop_task(cluster="main", task=arn)

    assert aws.stopped(arn)["stopCode"] == "UserInitiated"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"image": "example.com/none:1"}, "CannotPullContainerError: failed to resolve ref example.com/none:1"),
        ({"entryPoint": ["no-such-program"]}, 'CannotStartContainerError: exec: "no-such-program"'),
        (
            {"secrets": [{"name": "A", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/tok"}]},
            "AccessDeniedException",
        ),
        (
            {"secrets": [{"name": "A", "valueFrom": "{secret}:nothing::"}]},
            "did not contain json key nothing",
        ),
        ({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/other"}}}, "logger args"),
    ],
)  # fmt: skip
def test_failed_start_says_why(aws: Aws, change: dict[str, Any], reason: str) -> None:
    """A container that cannot start ends the task as ECS does, with ECS's words.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
    """
    text = json.dumps(change).replace("{secret}", aws.outputs["Secret"])
    definition = aws.register("broken", json.loads(text))

    task = aws.stopped(aws.start(taskDefinition=definition))

    assert task["stopCode"] == "TaskFailedToStart"
    assert reason in task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]


def test_execution_role_must_be_granted_the_secret(aws: Aws) -> None:
    """Without secretsmanager:GetSecretValue on the execution role the task does not start; with it, it does.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
    """
    iam = aws.client("iam")
    name, role = "all", {"RoleName": "tool-exec"}
    before = iam.get_role_policy(PolicyName=name, **role)["PolicyDocument"]
    less = {**before, "Statement": [one for one in before["Statement"] if "logs:PutLogEvents" in one["Action"]]}
    iam.put_role_policy(PolicyName=name, PolicyDocument=json.dumps(less), **role)
    try:
        reason = aws.stopped(aws.start())["stoppedReason"]
    finally:
        iam.put_role_policy(PolicyName=name, PolicyDocument=json.dumps(before), **role)

    assert reason.startswith("ResourceInitializationError: unable to pull secrets or registry auth:")
    assert "tool-exec" in reason
    assert "secretsmanager:GetSecretValue" in reason
    assert aws.stopped(aws.start())["containers"][0]["exitCode"] == 0


def test_log_in_of_a_private_registry(aws: Aws) -> None:
    """By the secret's name; it must hold user and password, and the execution role must be granted it.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html
    """
    manager = aws.client("secretsmanager")
    manager.create_secret(Name="registry", SecretString='{"username": "u", "password": "p"}')
    reasons = {}
    for name in ("registry", "app/token"):
        change = {"repositoryCredentials": {"credentialsParameter": name}}
        definition = aws.register(f"log-in-{name.replace('/', '-')}", change)
        reasons[name] = aws.stopped(aws.start("true", taskDefinition=definition))["stoppedReason"]

    assert "secretsmanager:GetSecretValue" in reasons["registry"]
    assert "did not contain json key username" in reasons["app/token"]


def test_partial_secret_arn_names_one_secret_only(aws: Aws) -> None:
    """`…:secret:app/token` is app/token, also beside app/token2; an ARN cut anywhere else is nothing.

    Source: docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html (SecretId)
    """
    manager = aws.client("secretsmanager")
    other = manager.create_secret(Name="app/token2", SecretString="other")["ARN"]
    base = other.rsplit(":", 1)[0]

    assert manager.get_secret_value(SecretId=f"{base}:app/token")["SecretString"] == '{"token": "s3cret"}'
    assert manager.get_secret_value(SecretId=f"{base}:app/token2")["SecretString"] == "other"
    with pytest.raises(ClientError, match="can't find"):
        manager.get_secret_value(SecretId=f"{base}:app/tok")


def test_partial_secret_arn_must_be_granted_as_well(aws: Aws) -> None:
    """AWS's own check is in doubt: a role that is granted one of the two ARNs alone is refused on the other.

    Source: aws-cdk #18555 and #20744
    """
    stored = aws.client("secretsmanager").create_secret(Name="app/both", SecretString="both")["ARN"]
    partial = stored[:-7]
    definition = aws.register(
        "both", {"secrets": [{"name": "BOTH", "valueFrom": partial}], "command": ["greet"], "environment": []}
    )
    refused = []
    for granted in ([stored], [partial], [stored, partial]):
        allow = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": granted}
        aws.client("iam").put_role_policy(
            RoleName="tool-exec", PolicyName="both", PolicyDocument=json.dumps({"Statement": [allow]})
        )
        refused.append(aws.stopped(aws.start("true", taskDefinition=definition))["stoppedReason"])

    assert f"on resource: {partial} because" in refused[0]
    assert f"on resource: {stored} because" in refused[1]
    assert "not authorized" not in refused[2]


def test_parameter_as_secret(aws: Aws) -> None:
    """The execution role needs ssm:GetParameters.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html
    """
    aws.client("ssm").put_parameter(Name="/app/word", Value="plain", Type="SecureString")
    arn = f"arn:aws:ssm:eu-west-1:{aws.endpoint.account}:parameter/app/word"
    definition = aws.register("ssm", {"secrets": [{"name": "WORD", "valueFrom": arn}], "command": ["echo $WORD"]})

    denied = aws.stopped(aws.start(taskDefinition=definition))
    aws.client("iam").put_role_policy(
        RoleName="tool-exec",
        PolicyName="ssm",
        PolicyDocument=json.dumps({"Statement": [{"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": arn}]}),
    )
    granted = aws.start(taskDefinition=definition)
    aws.stopped(granted)

    assert "ssm:GetParameters" in denied["stoppedReason"]
    assert aws.log(granted) == ["plain"]


def test_image_of_ecr_needs_grants(aws: Aws) -> None:
    """An image asset is pulled with the execution role's ECR permissions.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
    """
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName="assets")
    reference = f"{aws.endpoint.account}.dkr.ecr.eu-west-1.amazonaws.com/assets:abc"
    ecr.put_image(repositoryName="assets", imageTag="abc", imageManifest='{"schemaVersion": 2}')
    add_image(aws.server.images, reference, aws.server.state.parent)
    definition = aws.register("asset", {"image": reference, "command": ["greet"]})
    denied = aws.stopped(aws.start(taskDefinition=definition))
    repository = "arn:aws:ecr:eu-west-1:123456789012:repository/assets"
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    statements = [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": pull, "Resource": repository},
    ]
    aws.client("iam").put_role_policy(
        RoleName="tool-exec", PolicyName="ecr", PolicyDocument=json.dumps({"Statement": statements})
    )

    task = aws.stopped(aws.start(taskDefinition=definition))

    assert "ecr:GetAuthorizationToken" in denied["stoppedReason"]
    assert task["containers"][0]["exitCode"] == 0
    assert ecr.describe_images(repositoryName="assets", imageIds=[{"imageTag": "abc"}])["imageDetails"]
    assert ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]


def test_state_changes_are_events(aws: Aws) -> None:
    """A rule on ECS Task State Change sees the task stop, with exit code and reason.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
    """
    sqs, events = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName="stopped")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.ecs"], "detail": {"lastStatus": ["STOPPED"], "startedBy": ["watched"]}}
    events.put_rule(Name="stopped", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="stopped", Targets=[{"Id": "queue", "Arn": arn}])

    task = aws.start("exit 5", startedBy="watched")
    aws.stopped(task)
    message = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))[0]
    event = json.loads(message["Body"])

    assert event["detail-type"] == "ECS Task State Change"
    assert event["detail"]["taskArn"] == task
    assert event["detail"]["containers"][0]["exitCode"] == 5
    assert event["detail"]["stoppedAt"].endswith("Z")


def processes(words: bytes) -> list[str]:
    """Processes of this machine with these bytes in their command lines."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words in one.read_bytes():
                found.append(one.parent.name)
        except OSError:
            continue
    return found


def test_secret_and_variable_of_one_name_are_refused(aws: Aws) -> None:
    """ECS registers no such definition.

    Source: github.com/dagster-io/dagster/issues/11622 (what RegisterTaskDefinition answers)
    """
    change = {"environment": [{"name": "A", "value": "a"}], "secrets": [{"name": "A", "valueFrom": "/parameter"}]}

    with pytest.raises(ClientError, match=r"secret name must be unique and not shared with .* such as 'A'"):
        aws.register("twice", change)


@pytest.mark.parametrize("store", ["secretsmanager", "ssm"])
def test_key_of_ones_own_must_be_granted_too(aws: Aws, store: str) -> None:
    """Who may read what a customer's key encrypts needs kms:Decrypt on that key, by way of that store.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html ("Secrets Manager or
        Systems Manager permissions")
    """
    key = aws.client("kms").create_key()["KeyMetadata"]
    aws.client("kms").create_alias(AliasName=f"alias/{store}", TargetKeyId=key["KeyId"])
    if store == "ssm":
        aws.client("ssm").put_parameter(Name="/own/key", Value="v", Type="SecureString", KeyId=key["KeyId"])
        arn, action = f"arn:aws:ssm:eu-west-1:{aws.endpoint.account}:parameter/own/key", "ssm:GetParameters"
    else:
        secret = aws.client("secretsmanager").create_secret(Name="own/key", SecretString="v", KmsKeyId="alias/" + store)
        arn, action = secret["ARN"], "secretsmanager:GetSecretValue"
    change = {"secrets": [{"name": "A", "valueFrom": arn}], "command": ["echo $A"]}
    definition = aws.register(f"own-key-{store}", change)
    iam, role = aws.client("iam"), {"RoleName": "tool-exec", "PolicyName": f"own-key-{store}"}
    read = {"Effect": "Allow", "Action": action, "Resource": arn}

    def started(*resources: tuple[str, str]) -> str:
        """How the task ends where these keys may be used by way of these services."""
        decrypt = [
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": resource,
             "Condition": {"StringEquals": {"kms:ViaService": f"{service}.eu-west-1.amazonaws.com"}}}
            for resource, service in resources
        ]  # fmt: skip
        iam.put_role_policy(PolicyDocument=json.dumps({"Statement": [read, *decrypt]}), **role)
        return str(aws.stopped(aws.start(taskDefinition=definition))["stoppedReason"])

    other = {"ssm": "secretsmanager", "secretsmanager": "ssm"}[store]
    refused = [started(), started((f"{key['Arn']}x", store)), started((key["Arn"], other))]
    granted = started((key["Arn"], store))
    iam.delete_role_policy(**role)

    assert all("AccessDeniedException" in one and ("KMS" in one or "kms:Decrypt" in one) for one in refused), refused
    assert granted == "Essential container in task exited"
