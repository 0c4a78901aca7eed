"""The embedded AWS enforces permissions: each call that Penstock makes is allowed with its grant and denied without."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.local.aws.endpoint import Keys
from tests.functional.embedded import Aws, aws

__all__ = ["aws"]

ECS = "arn:aws:ecs:eu-west-1:123456789012"
ON_CLUSTER = {"ArnEquals": {"ecs:cluster": f"{ECS}:cluster/main"}}
RUN = {"Action": "ecs:RunTask", "Resource": f"{ECS}:task-definition/tool:*", "Condition": ON_CLUSTER}
PASS = {
    "Action": "iam:PassRole",
    "Resource": [
        "arn:aws:iam::123456789012:role/tool-task",
        "arn:aws:iam::123456789012:role/penstock/tool-exec",
    ],
    "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
}

Try = Callable[[Aws, Keys, str], Any]

CALLS: dict[str, tuple[dict[str, Any], Try]] = {
    "describe": (
        {"Action": "ecs:DescribeTasks", "Resource": f"{ECS}:task/main/*", "Condition": ON_CLUSTER},
        lambda aws, keys, task: aws.client("ecs", keys).describe_tasks(cluster="main", tasks=[task]),
    ),
    "stop": (
        {"Action": "ecs:StopTask", "Resource": f"{ECS}:task/main/*", "Condition": ON_CLUSTER},
        lambda aws, keys, task: aws.client("ecs", keys).stop_task(cluster="main", task=task),
    ),
    "list": (
        {"Action": "ecs:ListTasks", "Resource": "*", "Condition": ON_CLUSTER},
        lambda aws, keys, task: aws.client("ecs", keys).list_tasks(cluster="main"),
    ),
    "logs": (
        {
            "Action": "logs:GetLogEvents",
            "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:/penstock/tool:log-stream:penstock/*",
        },
        lambda aws, keys, task: aws.client("logs", keys).get_log_events(
            logGroupName="/penstock/tool", logStreamName=f"penstock/main/{task.rsplit('/', 1)[-1]}"
        ),
    ),
    "get": (
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::tool-bucket/dags/*"},
        lambda aws, keys, task: aws.client("s3", keys).get_object(Bucket="tool-bucket", Key="dags/one.py"),
    ),
    "bucket": (
        {
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::tool-bucket",
            "Condition": {"StringLike": {"s3:prefix": "dags/*"}},
        },
        lambda aws, keys, task: aws.client("s3", keys).list_objects_v2(Bucket="tool-bucket", Prefix="dags/"),
    ),
    "secret": (
        {
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/token-??????",
        },
        lambda aws, keys, task: aws.client("secretsmanager", keys).get_secret_value(SecretId="app/token"),
    ),
}


@pytest.fixture(scope="module")
def task(aws: Aws) -> str:
    """A task that has run."""
    aws.client("s3").put_object(Bucket="tool-bucket", Key="dags/one.py", Body=b"")
    arn = aws.start()
    aws.stopped(arn)
    return arn


@pytest.mark.parametrize("name", CALLS)
def test_call_needs_its_grant(aws: Aws, task: str, name: str) -> None:
    """All grants but the one are not enough; the one is.

    Source: docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
        docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
        docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    """
    grant, call = CALLS[name]
    others = [one for other, (one, _) in CALLS.items() if other != name]
    without, alone = aws.role(f"{name}-without", RUN, PASS, *others), aws.role(f"{name}-alone", grant)

    with pytest.raises(ClientError) as caught:
        call(aws, without, task)
    call(aws, alone, task)

    assert "AccessDenied" in caught.value.response["Error"]["Code"]


@pytest.mark.parametrize("missing", ["run", "pass", "execution role"])
def test_run_task_needs_run_task_and_both_roles(aws: Aws, missing: str) -> None:
    """The caller passes the task role and the execution role.

    Source: docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    less = {**PASS, "Resource": PASS["Resource"][:1]}
    grants = {"run": [PASS], "pass": [RUN], "execution role": [RUN, less]}[missing]
    keys = aws.role(f"run-{missing.replace(' ', '-')}", *grants)

    with pytest.raises(ClientError, match="not authorized") as caught:
        aws.start("true", keys)

    assert ("iam:PassRole" if missing != "run" else "ecs:RunTask") in str(caught.value)


def test_run_task_is_bound_to_the_cluster(aws: Aws) -> None:
    """The condition key ecs:cluster holds the call to one cluster.

    Source: docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    """
    aws.client("ecs").create_cluster(clusterName="other")
    keys = aws.role("run-all", RUN, PASS)

    aws.stopped(aws.start("true", keys))
    with pytest.raises(ClientError, match="ecs:RunTask"):
        aws.client("ecs", keys).run_task(**{**aws.call("true"), "cluster": "other"})


def test_run_task_is_bound_to_the_family(aws: Aws) -> None:
    """The resource is the task definition; a wildcard stands for all of its revisions.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html (taskDefinition)
    """
    keys = aws.role("run-other", {**RUN, "Resource": f"{ECS}:task-definition/too:*"}, PASS)

    with pytest.raises(ClientError, match="ecs:RunTask"):
        aws.start("true", keys)


def test_tags_need_a_grant_of_their_own(aws: Aws) -> None:
    """Since 2024 every account authorizes tags given to RunTask: ecs:TagResource on the task.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
    """
    tags = [{"key": "schedule", "value": "daily"}]
    tag = {"Action": "ecs:TagResource", "Resource": f"{ECS}:task/main/*"}
    without, granted = aws.role("tag-without", RUN, PASS), aws.role("tag-with", RUN, PASS, tag)

    with pytest.raises(ClientError, match="ecs:TagResource"):
        aws.start("true", without, tags=tags)
    assert aws.stopped(aws.start("true", granted, tags=tags))


def test_tags_of_the_definition_need_the_grant_as_well(aws: Aws) -> None:
    """Tags that RunTask copies from the task definition are authorized as it starts the task.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
    """
    family = aws.call("true")["taskDefinition"]
    definition = aws.client("ecs").describe_task_definition(taskDefinition=family)["taskDefinition"]
    aws.client("ecs").tag_resource(resourceArn=definition["taskDefinitionArn"], tags=[{"key": "team", "value": "data"}])
    tag = {"Action": "ecs:TagResource", "Resource": f"{ECS}:task/main/*"}
    tag["Condition"] = {"StringEquals": {"ecs:CreateAction": "RunTask"}}
    without, granted = aws.role("copy-without", RUN, PASS), aws.role("copy-with", RUN, PASS, tag)

    with pytest.raises(ClientError, match="ecs:TagResource"):
        aws.start("true", without, propagateTags="TASK_DEFINITION")
    arn = aws.start("true", granted, propagateTags="TASK_DEFINITION")
    aws.stopped(arn)
    (task,) = aws.client("ecs").describe_tasks(cluster="main", tasks=[arn], include=["TAGS"])["tasks"]
    assert {"key": "team", "value": "data"} in task["tags"]


def test_every_task_described_is_authorized(aws: Aws, task: str) -> None:
    """A grant on the first task named does not open the second.

    Source: docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    """
    other = aws.start("true")
    aws.stopped(other)
    keys = aws.role("describe-one", {"Action": "ecs:DescribeTasks", "Resource": task})

    assert aws.client("ecs", keys).describe_tasks(cluster="main", tasks=[task])["tasks"]
    with pytest.raises(ClientError, match="ecs:DescribeTasks"):
        aws.client("ecs", keys).describe_tasks(cluster="main", tasks=[task, other])


def test_listing_tasks_needs_every_resource(aws: Aws) -> None:
    """Where no container instance is named, AWS checks the call on `*`: a grant on the cluster's instances is none.

    Source: docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    """
    keys = aws.role("list-some", {"Action": "ecs:ListTasks", "Resource": f"{ECS}:container-instance/main/*"})

    with pytest.raises(ClientError, match="ecs:ListTasks"):
        aws.client("ecs", keys).list_tasks(cluster="main")


def test_a_missing_key_is_told_to_who_may_list_it(aws: Aws) -> None:
    """S3 says "not found" where the caller may list the bucket at that key, else "denied".

    Source: docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (permissions)
    """
    get = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::tool-bucket/*"}
    listing = {
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::tool-bucket",
        "Condition": {"StringLike": {"s3:prefix": "state/*"}},
    }
    roles = {"blind": aws.role("missing-blind", get), "lists": aws.role("missing-lists", get, listing)}
    s3 = {name: aws.client("s3", keys) for name, keys in roles.items()}
    codes = {}
    for name, client in s3.items():
        for key in ("state/none", "other/none"):
            with pytest.raises(ClientError) as caught:
                client.get_object(Bucket="tool-bucket", Key=key)
            codes[name, key] = caught.value.response["Error"]["Code"]
    with pytest.raises(ClientError) as caught:
        s3["blind"].head_object(Bucket="tool-bucket", Key="state/none")

    denied = [("blind", "state/none"), ("blind", "other/none"), ("lists", "other/none")]
    assert codes == {("lists", "state/none"): "NoSuchKey", **dict.fromkeys(denied, "AccessDenied")}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_parameters_are_authorized_one_by_one(aws: Aws) -> None:
    """GetParameters is authorized on each parameter.

    Source: docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
    """
    for name in ("/app/one", "/app/two"):
        aws.client("ssm").put_parameter(Name=name, Value="x", Type="String")
    resource = "arn:aws:ssm:eu-west-1:123456789012:parameter/app/one"
    ssm = aws.client("ssm", aws.role("one-parameter", {"Action": "ssm:GetParameters", "Resource": resource}))

    assert ssm.get_parameters(Names=["/app/one"])["Parameters"]
    for names in (["/app/two"], ["/app/one", "/app/two"]):
        with pytest.raises(ClientError, match="ssm:GetParameters"):
            ssm.get_parameters(Names=names)


def test_registering_a_definition_needs_pass_role(aws: Aws) -> None:
    """The caller must be allowed to pass the roles that the definition names.

    Source: docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    register = {"Action": "ecs:RegisterTaskDefinition", "Resource": "*"}
    keys = {name: aws.role(f"register-{name}", register, *more) for name, more in (("no", []), ("yes", [PASS]))}
    call: dict[str, Any] = {
        "family": "mine",
        "containerDefinitions": [{"name": "main", "image": "x"}],
        "taskRoleArn": aws.outputs["TaskRole"],
    }

    with pytest.raises(ClientError, match="iam:PassRole"):
        aws.client("ecs", keys["no"]).register_task_definition(**call)
    aws.client("ecs", keys["yes"]).register_task_definition(**call)


@pytest.mark.parametrize("key", ["test", "123456789012", "AKIA0000000000000000"])
def test_root_is_one_secret_key(aws: Aws, key: str) -> None:
    """The keys that ministack takes for root open nothing here.

    Source: none: ours, about the emulator only
    """
    with pytest.raises(ClientError):
        aws.client("ecs", Keys(key, "test")).list_clusters()


def test_wrong_secret_key_is_refused(aws: Aws) -> None:
    """The key and the token alone open nothing.

    Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
    """
    keys = aws.role("signed", {"Action": "ecs:ListClusters", "Resource": "*"})

    assert "clusterArns" in aws.client("ecs", keys).list_clusters()
    with pytest.raises(ClientError, match="signature"):
        aws.client("ecs", Keys(keys.access_key_id, "wrong", keys.session_token)).list_clusters()


ROOTS_CALLS: dict[str, Callable[[Any], Any]] = {
    "sts": lambda client: client.get_caller_identity(),
    "s3": lambda client: client.list_buckets(),
    "ecs": lambda client: client.list_clusters(),
    "iam": lambda client: client.list_roles(),
    "cloudformation": lambda client: client.list_stacks(),
    "mwaa": lambda client: client.list_environments(),
}


@pytest.mark.parametrize("service", ROOTS_CALLS)
def test_root_key_is_worth_nothing_without_its_secret(aws: Aws, service: str) -> None:
    """Its id is in logs and on command lines; each request's signature is checked, as those of sessions are.

    Source: AWS, IAM User Guide, "AWS Signature Version 4 for API requests"
    """
    root = aws.endpoint.root()
    forged = Keys(root.access_key_id, "not-the-secret")

    ROOTS_CALLS[service](aws.endpoint.client(service, root))
    with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidSignature"):
        ROOTS_CALLS[service](aws.endpoint.client(service, forged))


def test_root_presigns_with_its_secret_only(aws: Aws) -> None:
    """A presigned address of S3 holds a signature, and that is checked too.

    Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)"
    """
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="presigned", CreateBucketConfiguration={"LocationConstraint": aws.endpoint.region})
    s3.put_object(Bucket="presigned", Key="a", Body=b"content")
    forged = aws.endpoint.client("s3", Keys(aws.endpoint.root().access_key_id, "not-the-secret"))
    trusted = ssl.create_default_context(cafile=str(aws.endpoint.ca))
    address = {"Params": {"Bucket": "presigned", "Key": "a"}}

    with urllib.request.urlopen(s3.generate_presigned_url("get_object", **address), context=trusted) as answer:
        assert answer.read() == b"content"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(forged.generate_presigned_url("get_object", **address), context=trusted)
    assert caught.value.code == 403
