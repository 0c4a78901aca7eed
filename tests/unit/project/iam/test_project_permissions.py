"""`permissions`: what is too much to ask for."""

from __future__ import annotations

import pytest

from penstock.project.iam.permissions import Permission, wrong_permission

ROLES, SECRETS = "arn:aws:iam::111122223333:", "arn:aws:secretsmanager:eu-west-1:111122223333:"


def wrong(action: str, resource: str, reason: str | None = None) -> list[str]:
    """What is said of a permission for one action and resource."""
    permission = Permission(actions=[action], resources=[resource], reason=reason)
    return [problem.what for problem in wrong_permission(permission, {}, "eu-west-1")]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:PassRole", f"{ROLES}role/*"),
        ("iam:PassRole", f"{ROLES}role/?*"),
        ("iam:PassRole", f"{ROLES}role/*-admin"),
        ("iam:PassRole", f"{ROLES}role/*/*"),
        ("iam:PassRole", f"{ROLES}r*"),
        ("iam:PassRole", f"{ROLES}rol?/admin"),
        ("iam:PassRole", f"{ROLES}*/admin"),
        ("sts:AssumeRole", "arn:aws:iam::*:role/?*"),
        ("secretsmanager:GetSecretValue", f"{SECRETS}secret:?*"),
        ("secretsmanager:GetSecretValue", f"{SECRETS}s*"),
        ("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/????????-*"),
        ("ecs:RunTask", "arn:aws:ecs:eu-west-1:111122223333:task-definition/*:*"),
    ],
)
def test_no_way_round_the_resources_of_a_dangerous_action(action: str, resource: str) -> None:
    """However a wildcard is written, all of a kind is refused, with a reason too."""
    (said,) = wrong(action, resource, reason="we need it")

    assert "actions on any resource" in said


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:PassRole", f"{ROLES}role/data-*"),
        ("iam:PassRole", f"{ROLES}role/data/*"),
        ("sts:AssumeRole", "arn:aws:iam::*:role/reader"),
        ("secretsmanager:GetSecretValue", f"{SECRETS}secret:data/*"),
        ("secretsmanager:GetSecretValue", f"{SECRETS}secret:warehouse-??????"),
        ("s3:GetObject", "arn:aws:s3:::acme-*/*"),
        ("s3:GetObject", "arn:aws:s3:::acme-lake/*"),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:acme-*"),
        ("glue:GetTables", "arn:aws:glue:eu-west-1:111122223333:table/*"),
        ("apigateway:GET", "arn:aws:apigateway:eu-west-1::/restapis/*"),
    ],
)
def test_a_part_of_a_kind_needs_no_reason(action: str, resource: str) -> None:
    """A wildcard behind a name's start, or below a path, leaves most out."""
    assert wrong(action, resource) == []


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::*"),
        ("s3:GetObject", "arn:aws:s3:::*/*"),
        ("s3:GetObject", "arn:aws:s3:::?*/*"),
        ("s3:GetObject", "arn:aws:s3:::*-raw/*"),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:?*"),
        ("glue:GetTables", "arn:aws:glue:eu-west-1:111122223333:t*"),
        ("apigateway:GET", "arn:aws:apigateway:eu-west-1::/*"),
    ],
)
def test_any_of_a_service_needs_a_reason(action: str, resource: str) -> None:
    """Whichever way it is written; with one it is taken."""
    assert wrong(action, resource) == [f"a permission for any resource ({resource}) has no reason"]
    assert wrong(action, resource, reason="its names are not known") == []
