"""Permissions as managed policies, for a role that is not ours: as many as their size asks for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from penstock_runtime.errors import InputError
from penstock_runtime.plan.iam_limits import MAX_POLICIES, MAX_POLICY_CHARACTERS, MAX_RAISED_POLICIES

_LONGEST = {"AWS::Partition": "aws-us-gov", "AWS::AccountId": "1" * 12, "AWS::Region": "x" * 16}
"""What CloudFormation fills in later, at its longest. A bucket's name has at most 63 characters."""
_LONGEST_NAME = 63


class ManagedPolicies(Construct):
    """Collects what is granted to it; `make` writes it down.

    A role that Penstock makes takes statements itself, and CDK splits what is too long. For an existing role CDK puts
    all into one inline policy, which shares 10,240 characters with those that the role already has.
    """

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self._statements: list[iam.PolicyStatement] = []

    def add_to_principal_policy(self, statement: iam.PolicyStatement) -> None:
        """As a role's."""
        self._statements.append(statement)

    def make(self, description: str, *, role: str | None = None) -> list[iam.ManagedPolicy]:
        """The policies, attached to the role of that name; None: to nobody.

        Raises:
            InputError: they are more than IAM attaches to a role.
        """
        documents = pack(self._statements, cdk.Stack.of(self))
        if len(documents) > MAX_RAISED_POLICIES:
            raise InputError(
                f"the DAGs need {len(documents)} managed policies, "
                f"and IAM attaches at most {MAX_RAISED_POLICIES} to a role",
                fix="split the project, or let more tasks share engine, image and secrets",
            )
        if len(documents) >= MAX_POLICIES:
            cdk.Annotations.of(self).add_warning_v2(
                "penstock:managed-policies",
                f"{len(documents)} managed policies for one role; IAM attaches {MAX_POLICIES}: have the quota raised",
            )
        roles = [] if role is None else [iam.Role.from_role_name(self, "Role", role)]
        return [
            iam.ManagedPolicy(
                self,
                f"Policy{number}",
                description=description,
                document=iam.PolicyDocument(statements=document, minimize=True),
                roles=roles,
            )
            for number, document in enumerate(documents, 1)
        ]


def pack(statements: Sequence[iam.PolicyStatement], stack: cdk.Stack) -> list[list[iam.PolicyStatement]]:
    """The statements in as few documents as they fit into, those that differ in resources only made one."""
    groups: dict[str, list[iam.PolicyStatement]] = {}
    for statement in statements:
        shape = json.dumps([sorted(statement.actions), stack.resolve(statement.conditions)], sort_keys=True)
        groups.setdefault(shape, []).append(statement)
    documents: list[list[iam.PolicyStatement]] = [[]]
    room = MAX_POLICY_CHARACTERS - len('{"Version":"2012-10-17","Statement":[]}')
    for alike in groups.values():
        resources = list(dict.fromkeys(resource for statement in alike for resource in statement.resources))
        frame = len(_longest(_frame(alike[0], stack))) + len('"Resource":[],')
        taken: list[str] = []
        left = room - frame
        for resource in resources:
            size = len(_longest(stack.resolve(resource))) + 1
            if size > left:
                if taken:
                    documents[-1].append(_with(alike[0], taken))
                documents.append([])
                taken, room = [], MAX_POLICY_CHARACTERS - len('{"Version":"2012-10-17","Statement":[]}')
                left = room - frame
            taken.append(resource)
            left -= size
        documents[-1].append(_with(alike[0], taken))
        room = left
    return documents


def longest(value: object) -> int:
    """Characters of a resolved policy as IAM counts them, with whatever CloudFormation fills in at its longest."""
    return len(_longest(value))


def _with(statement: iam.PolicyStatement, resources: Sequence[str]) -> iam.PolicyStatement:
    """A copy for other resources; of a statement without any, a copy of it."""
    return statement.copy(resources=list(resources) or None)


def _frame(statement: iam.PolicyStatement, stack: cdk.Stack) -> dict[str, Any]:
    """All of a statement but its resources."""
    return {name: value for name, value in stack.resolve(statement.to_json()).items() if name != "Resource"}


def _longest(value: object) -> str:
    """A resolved value as JSON without white space, at its longest."""
    if isinstance(value, dict) and len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Fn::Join":
            parts = (_longest(part).strip('"') for part in argument[1])
            return json.dumps(argument[0].join(parts))
        if function in ("Ref", "Fn::GetAtt", "Fn::ImportValue"):
            return json.dumps(_LONGEST.get(str(argument), "x" * _LONGEST_NAME))
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_longest(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_longest(item) for item in value) + "]"
    return json.dumps(value)
