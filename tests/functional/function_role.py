"""What the role of a deployed function is granted, and what it must not do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.embedded import Aws
from tests.functional.permission_grants import Role, Roles

NOT_HERE = {
    ("kms:Decrypt", "{key}"): "the embedded SNS encrypts nothing",
    ("kms:GenerateDataKey", "{key}"): "the embedded SNS encrypts nothing",
    ("logs:CreateLogStream", "{log}"): "Lambda writes the log",
    ("logs:PutLogEvents", "{log}"): "Lambda writes the log",
}
"""Grants of every such role that no call here needs, and why."""


def roles_of(function: Mapping[str, Any], aws: Aws, title: str) -> Roles:
    """The grants of a function's role, with its topic, keys and log group under names that do not change."""
    topic = function["Environment"]["Variables"]["TOPIC"].rsplit(":", 1)[-1]
    role = function["Role"].rsplit("/", 1)[-1]
    iam = aws.client("iam")
    names = {topic: "topic"}
    for statement in iam.get_role_policy(RoleName=role, PolicyName="Needs")["PolicyDocument"]["Statement"]:
        resources = statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            names |= {resource.split(":", 5)[-1]: "key"} if ":kms:" in resource else {}
            names |= {resource.split(":", 5)[-1]: "log"} if ":logs:" in resource else {}
    return Roles(iam, [Role(role, title, None)], names)


def assert_refused(attempts: Mapping[str, Callable[[], object]]) -> None:
    """Each attempt, by what it is, is refused."""
    for what, attempt in attempts.items():
        with pytest.raises(ClientError) as caught:
            attempt()
        assert "not authorized" in str(caught.value), what
