"""What the execution role allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.adopt.live import Statement
from penstock.aws.policy_statement import actions, listed, resources

READS = "iam:ListRolePolicies, iam:GetRolePolicy, iam:ListAttachedRolePolicies, iam:GetPolicy, iam:GetPolicyVersion"
"""The actions that `statements` takes."""


def statements(iam: Any, role: str) -> tuple[Statement, ...]:
    """What the role's own and its attached policies allow.

    Args:
        role: its name, without its path.
    """
    return tuple(_statements(iam, role))


def _statements(iam: Any, role: str) -> Iterator[Statement]:
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            yield from _allowing(name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for policy in page["AttachedPolicies"]:
            arn = policy["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            held = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
            yield from _allowing(policy["PolicyName"], held["Document"])


def _allowing(policy: str, document: dict[str, Any]) -> Iterator[Statement]:
    for statement in listed(document.get("Statement")):
        if statement.get("Effect") == "Allow":
            tests = statement.get("Condition") or {}
            conditions = frozenset(key.lower() for keys in tests.values() for key in keys)
            yield Statement(policy, tuple(actions(statement)), tuple(resources(statement)), conditions)
