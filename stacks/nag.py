"""Findings of cdk-nag that we have looked at and keep, each on one construct and with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from stacks.managed_policies import ManagedPolicies

Grantee: TypeAlias = iam.IRole | ManagedPolicies
"""Whom statements are given to: a role, or policies that a role which is not ours will have."""


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings on one construct: rule, with the finding in brackets where it has one, to the reason."""
    rules = [cdk.Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items()]
    if rules:
        cdk.Validations.of(construct).acknowledge(*rules)


def acknowledge_wildcards(
    construct: IConstruct, statements: Iterable[iam.PolicyStatement | Mapping[str, Any]], reason: str
) -> None:
    """Accept on one construct the wildcards that these statements hold, and no other."""
    stack = cdk.Stack.of(construct)
    for statement in statements:
        written = statement.to_statement_json() if isinstance(statement, iam.PolicyStatement) else statement
        document = stack.resolve(written)
        findings = [f"Action::{action}" for action in _listed(document.get("Action"))]
        findings += [f"Resource::{_flat(resource)}" for resource in _listed(document.get("Resource"))]
        acknowledge(construct, {f"AwsSolutions-IAM5[{found}]": reason for found in findings if "*" in found})


def grant(grantee: Grantee, statements: Sequence[iam.PolicyStatement], reason: str) -> None:
    """Add statements to a role's policy, or to what stands for it; both are constructs.

    Args:
        reason: why their wildcards are as narrow as can be.
    """
    for statement in statements:
        grantee.add_to_principal_policy(statement)
    acknowledge_wildcards(cast(IConstruct, grantee), statements, reason)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _flat(value: Any) -> str:
    """A resolved value as cdk-nag writes it in the id of a finding: `<LogicalId.Arn>/*`."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Ref":
        return f"<{argument}>"
    if function == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    if function == "Fn::Join":
        separator, parts = argument
        return str(separator).join(_flat(part) for part in parts)
    if function == "Fn::Sub":
        return str(argument).replace("${", "<").replace("}", ">")
    raise ValueError(f"no id for {function} in a finding")
