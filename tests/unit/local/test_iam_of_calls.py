"""On what the embedded AWS checks a call: the resources and conditions that AWS's own services use."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.local.aws import iam


@pytest.mark.parametrize(
    ("operation", "call", "resource"),
    [
        ("StopTask", {"cluster": "acme-dev", "task": "0a1b"}, "task/acme-dev/0a1b"),
        ("StopTask", {"task": "0a1b"}, "task/default/0a1b"),
        ("DescribeTasks", {"cluster": "acme-dev", "tasks": ["0a1b"]}, "task/acme-dev/0a1b"),
        (
            "RunTask",
            {"cluster": "acme-dev", "taskDefinition": "acme-dev-meltano:3"},
            "task-definition/acme-dev-meltano:3",
        ),
        ("RegisterTaskDefinition", {"family": "acme-dev-meltano"}, "task-definition/acme-dev-meltano:*"),
    ],
)
def test_call_of_ecs_is_checked_on_its_resource(operation: str, call: dict[str, Any], resource: str) -> None:
    """Otherwise a role that may stop its own tasks could stop every task."""
    assert iam.ecs_resource(operation, call) == iam.ecs_arn(resource)


@pytest.mark.parametrize("operation", ["ListTasks", "ListTaskDefinitions", "DescribeTaskDefinition", "ListClusters"])
def test_call_of_ecs_without_a_resource(operation: str) -> None:
    """AWS knows none for these."""
    assert iam.ecs_resource(operation, {"cluster": "acme-dev"}) == "*"


def test_whole_arn_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever cluster the call names."""
    arn = "arn:aws:ecs:eu-west-1:111122223333:task/acme-dev/0a1b"

    assert iam.ecs_resource("StopTask", {"cluster": "other", "task": arn}) == arn


def test_log_is_read_by_its_stream() -> None:
    """A call on a group is checked on all of its streams."""
    call = {"logGroupName": "/penstock/acme-dev", "logStreamName": "penstock/runtime/0a1b"}

    assert str(iam.logs_resource("GetLogEvents", call)).endswith(
        ":log-group:/penstock/acme-dev:log-stream:penstock/runtime/0a1b"
    )
    assert str(iam.logs_resource("FilterLogEvents", call)).endswith(":log-group:/penstock/acme-dev:log-stream:")


def trust(**condition: Any) -> dict[str, Any]:
    """The trust of a role that ECS may take."""
    principal = {"Service": "ecs-tasks.amazonaws.com"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(
    ("service", "account", "taken"),
    [
        ("ecs-tasks.amazonaws.com", "111122223333", True),
        ("ecs-tasks.amazonaws.com", "444455556666", False),
        ("lambda.amazonaws.com", "111122223333", False),
    ],
)
def test_role_is_taken_by_its_service_for_its_account(service: str, account: str, taken: bool) -> None:
    """`aws:SourceAccount` of a trust policy counts: without it any account's service could take the role."""
    document = trust(StringEquals={"aws:SourceAccount": "111122223333"})

    assert iam._trusts(document, service, account, "eu-west-1") is taken
