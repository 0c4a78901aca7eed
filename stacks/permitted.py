"""What the project permits a role, by its `permissions`: in a separate policy, so that its origin is visible."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam

from penstock_runtime.plan.task_definition import Permission
from stacks.nag import acknowledge_wildcards

POLICY = "Permissions"
"""The name of that inline policy."""


def statements_of(permissions: Sequence[Permission]) -> list[iam.PolicyStatement]:
    """A statement for each."""
    return [
        iam.PolicyStatement(
            actions=list(permission.actions),
            resources=list(permission.resources),
            conditions=dict(permission.conditions) or None,
        )
        for permission in permissions
    ]


def policies_of(permissions: Sequence[Permission]) -> dict[str, iam.PolicyDocument]:
    """The policy, for a role's inline ones; none if nothing is permitted."""
    statements = statements_of(permissions)
    return {POLICY: iam.PolicyDocument(statements=statements)} if statements else {}


def acknowledge_permitted(role: iam.Role, permissions: Sequence[Permission]) -> None:
    """Accept the wildcards on the role that has the policy, each for the reason that the project gives."""
    for permission, statement in zip(permissions, statements_of(permissions), strict=True):
        acknowledge_wildcards(role, [statement], permission.reason or "Named in the project file, as `permissions`.")
