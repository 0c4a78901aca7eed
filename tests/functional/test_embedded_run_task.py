"""RunTask and ListTasks of the embedded AWS: ECS's own rules, limits and error codes."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.local.aws.task import SPOT_INTERRUPTION
from tests.functional.embedded import IMAGE, Aws, aws, until

__all__ = ["aws"]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"cluster": "other"}, "ClusterNotFoundException", "Cluster not found"),
        ({"taskDefinition": "none"}, "ClientException", "TaskDefinition not found"),
        ({"count": 11}, "InvalidParameterException", "between 1 and 10"),
        ({"launchType": "EC2"}, "InvalidParameterException", "No Container Instances"),
        ({"overrides": {"cpu": "512", "memory": "8192"}}, "ClientException", "No Fargate configuration"),
        ({"overrides": {"containerOverrides": [{"name": "x"}]}}, "InvalidParameterException", "named x"),
        (
            {"overrides": {"containerOverrides": [{"name": "main", "command": ["x" * 8192]}]}},
            "InvalidParameterException",
            "at most 8192",
        ),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0"]}}},
            "InvalidParameterException",
            "subnet-0",
        ),
        ({"startedBy": "x" * 129}, "InvalidParameterException", "startedBy"),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
            "InvalidParameterException",
            "both a launch type and capacity provider",
        ),
    ],
)
def test_run_task_is_checked(aws: Aws, change: dict[str, Any], code: str, words: str) -> None:
    """The limits and the error codes are ECS's; of the words, those that its reference gives.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
    """
    with pytest.raises(ClientError, match=words) as caught:
        aws.client("ecs").run_task(**{**aws.call("true"), **change})

    assert caught.value.response["Error"]["Code"] == code


def test_capacity_provider_must_belong_to_the_cluster(aws: Aws) -> None:
    """Fargate Spot is for clusters that name it.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html (capacityProviderStrategy)
    """
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="bare")
    call = aws.call("true", capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}])
    del call["launchType"]

    with pytest.raises(ClientError, match="not associated with the cluster"):
        ecs.run_task(**{**call, "cluster": "bare"})
    task = ecs.run_task(**call)["tasks"][0]

    assert task["capacityProviderName"] == "FARGATE_SPOT"
    aws.stopped(task["taskArn"])


def test_spot_capacity_can_be_taken_back(aws: Aws) -> None:
    """StopTask with ECS's own words ends a task on Spot as AWS does, and any other as its user's.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html (termination notices)
    """
    ecs = aws.client("ecs")
    call = aws.call("echo up; sleep 60", capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}])
    del call["launchType"]
    spot, on_demand = ecs.run_task(**call)["tasks"][0]["taskArn"], aws.start("echo up; sleep 60")
    for arn in (spot, on_demand):
        until(lambda arn=arn: "up" in aws.log(arn))
        ecs.stop_task(cluster="main", task=arn, reason=SPOT_INTERRUPTION)

    assert [aws.stopped(arn)["stopCode"] for arn in (spot, on_demand)] == ["SpotInterruption", "UserInitiated"]


def test_client_token_starts_a_task_once(aws: Aws) -> None:
    """The same token and parameters: the same task; other parameters: refused.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
    """
    first, second = (aws.start("true", clientToken="one") for _ in range(2))

    assert first == second
    with pytest.raises(ClientError, match="clientToken"):
        aws.start("false", clientToken="one")


def test_more_than_one_container_is_refused(aws: Aws) -> None:
    """Ours, and stricter: ECS runs up to ten.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
    """
    definition = aws.register("pair", {}, {"name": "side", "image": IMAGE})

    with pytest.raises(ClientError, match=r"one container.* main, side"):
        aws.start(taskDefinition=definition)


def test_inactive_revision_cannot_run(aws: Aws) -> None:
    """A family alone means its latest active revision. ECS may allow an inactive one for ten minutes; here never.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeregisterTaskDefinition.html
    """
    ecs = aws.client("ecs")
    first, second = (aws.register("twice", {"command": ["true"]}) for _ in range(2))
    ecs.deregister_task_definition(taskDefinition=second)

    with pytest.raises(ClientError, match="inactive"):
        aws.start(taskDefinition=second)
    assert aws.task(aws.start(taskDefinition="twice"))["taskDefinitionArn"] == first


def test_list_tasks_by_started_by(aws: Aws) -> None:
    """Tasks are found by who started them and by the desired status, RUNNING unless another is asked for.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
    """
    ecs = aws.client("ecs")
    arn = aws.start("sleep 30", startedBy="run-1")
    wanted = {"cluster": "main", "startedBy": "run-1"}

    assert ecs.list_tasks(**wanted)["taskArns"] == [arn]
    assert ecs.list_tasks(cluster="main", startedBy="run-2")["taskArns"] == []
    ecs.stop_task(cluster="main", task=arn)
    aws.stopped(arn)
    assert ecs.list_tasks(**wanted, desiredStatus="STOPPED")["taskArns"] == [arn]
    assert ecs.list_tasks(**wanted)["taskArns"] == []
