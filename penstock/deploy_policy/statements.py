"""Templates → IAM statements: the grants of each resource type, narrowed to what this project names."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from penstock.deploy_policy.grant import Grant
from penstock.deploy_policy.scope import Deployment, Scope, scope_of
from penstock.deploy_policy.types import EVERY_STACK, TYPES
from penstock_runtime.errors import PenstockError

Condition = dict[str, dict[str, str | list[str]]]


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, and why it is not narrower."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Condition
    reasons: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As IAM takes it."""
        document: dict[str, Any] = {"Effect": "Allow", "Action": _one(self.actions), "Resource": _one(self.resources)}
        return document | ({"Condition": self.condition} if self.condition else {})


def statements(deployments: list[Deployment], account: str) -> list[Statement]:
    """What CloudFormation needs to create, update, roll back and delete the stacks of these environments.

    Args:
        deployments: environments with the same account, region and bootstrap.
        account: twelve digits.

    Raises:
        PenstockError: a template has a resource type whose permissions are not known.
    """
    by_boundary = sorted(deployments, key=_boundary)
    needed: list[Statement] = []
    for _, alike in itertools.groupby(by_boundary, key=_boundary):
        needed += _of(scope_of(list(alike), account))
    return _merge(needed)


def _boundary(deployment: Deployment) -> str:
    return deployment.plan.iam.permissions_boundary or ""


def _of(scope: Scope) -> Iterable[Statement]:
    unknown = sorted(scope.types - set(TYPES))
    if unknown:
        raise PenstockError(
            f"it is not known what CloudFormation needs to make {unknown[0]}",
            fix="deploy with a role that may make it, and report it with your project file",
        )
    for grant in (*EVERY_STACK, *(grant for kind in sorted(scope.types) for grant in TYPES[kind])):
        condition, resources = _condition(grant, scope), scope.fill(grant.on)
        if condition is not None and resources:
            yield Statement(grant.actions, tuple(resources), condition, (grant.why,) if grant.why else ())
    for service, roles in scope.passed.items():
        arns = scope.fill(f"iam::{{account}}:role{role}" for role in roles)
        yield Statement(("iam:PassRole",), tuple(arns), {"StringEquals": {"iam:PassedToService": service}})


def _condition(grant: Grant, scope: Scope) -> Condition | None:
    """The condition of a grant; None where the grant is for nothing here."""
    boundary: Condition = {"StringEquals": {"iam:PermissionsBoundary": scope.boundary}} if scope.boundary else {}
    match grant.when:
        case "ours":
            return {"StringEquals": _tags("aws:ResourceTag", scope)}
        case "ours or none":
            return {"StringEqualsIfExists": _tags("aws:ResourceTag", scope)}
        case "tagged ours":
            return {"StringEquals": _tags("aws:RequestTag", scope)}
        case "bounded":
            return boundary
        case "boundary":
            return boundary or None
        case "known policy":
            return {**boundary, "ArnLike": {"iam:PolicyARN": scope.attached}} if scope.attached else None
        case "own policy":
            own = scope.fill(["iam::{account}:policy{AWS::IAM::ManagedPolicy}"])
            return {"ArnLike": {"iam:PolicyARN": own}} if own else None
        case "for aws":
            return {"Bool": {"kms:GrantIsForAWSResource": "true"}}
        case "service":
            return {"StringEquals": {"iam:AWSServiceName": grant.service}}
        case "":
            return {}


def _tags(key: str, scope: Scope) -> dict[str, str | list[str]]:
    # What `stacks/build.py` gives every stack.
    return {f"{key}/penstock:project": scope.project, f"{key}/penstock:environment": _one(tuple(scope.environments))}


def _merge(needed: Iterable[Statement]) -> list[Statement]:
    """Those on the same resources become one, then those with the same actions."""
    alike = _join(needed, lambda statement: (sorted(statement.resources), statement.condition))
    return _join(alike, lambda statement: (sorted(statement.actions), statement.condition))


def _join(needed: Iterable[Statement], key: Any) -> list[Statement]:
    groups: dict[str, list[Statement]] = {}
    for statement in needed:
        groups.setdefault(json.dumps(key(statement), sort_keys=True), []).append(statement)
    return [
        Statement(
            actions=tuple(sorted({action for statement in group for action in statement.actions})),
            resources=tuple(dict.fromkeys(resource for statement in group for resource in statement.resources)),
            condition=group[0].condition,
            reasons=tuple(dict.fromkeys(reason for statement in group for reason in statement.reasons)),
        )
        for group in groups.values()
    ]


def _one(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
