"""The grants of deployed roles, as the embedded AWS's IAM holds them: read, taken away one by one, put back."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Statement = dict[str, Any]
Key = tuple[str, str, str]
"""Kind of role (airflow, task, exec), action, resource; the same for every project: names of its own are in braces."""

_ARN = re.compile(r"^arn:aws:[a-z0-9-]*:[^:]*:[^:]*:")
_NOT = "not "


@dataclass(frozen=True)
class Role:
    """A role that the deployed system runs with."""

    name: str
    kind: str
    family: str | None
    """The task definition that it belongs to; None for Airflow's."""
    attached: bool = False
    """Whether what counts is the managed policies that it has; its own are somebody else's matter then."""


@dataclass(frozen=True)
class Grant:
    """One action on one resource, in a statement of a role."""

    role: Role
    policy: str
    """The name of an inline policy, or the ARN of a managed one."""
    number: int
    """Which statement of the policy."""
    action: str
    resource: str
    """An ARN pattern; begins with `not ` where it is a NotResource."""


class Roles:
    """The roles of a system in one account.

    Args:
        iam: an IAM client that may read and write policies.
        names: what this system calls things: text in an ARN → its name in braces.
    """

    def __init__(self, iam: Any, roles: Iterable[Role], names: Mapping[str, str]) -> None:
        self._iam, self._roles = iam, tuple(roles)
        # The longest first: one name may begin with another.
        self._names = sorted(names.items(), key=lambda item: -len(item[0]))

    def grants(self) -> list[Grant]:
        """Every grant of every role."""
        grants_of_all = []
        for role in self._roles:
            for policy in self._policies(role):
                for number, statement in enumerate(self._document(role.name, policy)["Statement"]):
                    assert statement["Effect"] == "Allow"
                    grants_of_all += [Grant(role, policy, number, *pair) for pair in _pairs(statement)]
        return grants_of_all

    def _policies(self, role: Role) -> list[str]:
        managed = [
            one["PolicyArn"]
            for one in self._iam.list_attached_role_policies(RoleName=role.name)["AttachedPolicies"]
            # AWS's own, for the log of a Lambda function: nobody can take that away from it.
            if not one["PolicyArn"].endswith("/AWSLambdaBasicExecutionRole")
        ]
        if role.attached:
            return managed
        assert managed == [], f"{role.name} has managed policies, which are not looked into: {managed}"
        return list(self._iam.list_role_policies(RoleName=role.name)["PolicyNames"])

    def key(self, grant: Grant) -> Key:
        """What a grant is called in the tables."""
        negative, resource = grant.resource.startswith(_NOT), grant.resource.removeprefix(_NOT)
        resource = _ARN.sub("", resource)
        for text, name in self._names:
            resource = resource.replace(text, f"{{{name}}}")
        return grant.role.kind, grant.action, f"{_NOT if negative else ''}{resource}"

    @contextlib.contextmanager
    def without(self, grant: Grant) -> Iterator[None]:
        """Take one grant away for a while; whatever else its statement grants, stays."""
        statement = self._document(grant.role.name, grant.policy)["Statement"][grant.number]
        rest = {name: value for name, value in statement.items() if name not in ("Action", "Resource", "NotResource")}
        left = [
            {**rest, "Action": action, **_resource(resource)}
            for action, resource in _pairs(statement)
            if (action, resource) != (grant.action, grant.resource)
        ]
        with self._replaced(grant, left):
            yield

    @contextlib.contextmanager
    def on_condition(self, grant: Grant, condition: Mapping[str, Any]) -> Iterator[None]:
        """Give a grant's statement another condition for a while."""
        statement = self._document(grant.role.name, grant.policy)["Statement"][grant.number]
        with self._replaced(grant, [{**statement, "Condition": condition}]):
            yield

    @contextlib.contextmanager
    def _replaced(self, grant: Grant, statements: list[Statement]) -> Iterator[None]:
        before = self._document(grant.role.name, grant.policy)
        changed = [*before["Statement"]]
        changed[grant.number : grant.number + 1] = statements
        try:
            if changed:
                self._write(grant, {**before, "Statement": changed})
            else:
                self._iam.delete_role_policy(RoleName=grant.role.name, PolicyName=grant.policy)
            yield
        finally:
            self._write(grant, before)

    def _document(self, role: str, policy: str) -> dict[str, Any]:
        if policy.startswith("arn:"):
            version = self._iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
            document = self._iam.get_policy_version(PolicyArn=policy, VersionId=version)["PolicyVersion"]["Document"]
        else:
            document = self._iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        return json.loads(document) if isinstance(document, str) else dict(document)

    def _write(self, grant: Grant, document: dict[str, Any]) -> None:
        text = json.dumps(document)
        if grant.policy.startswith("arn:"):
            before = self._iam.get_policy(PolicyArn=grant.policy)["Policy"]["DefaultVersionId"]
            self._iam.create_policy_version(PolicyArn=grant.policy, PolicyDocument=text, SetAsDefault=True)
            # A policy has at most five versions.
            self._iam.delete_policy_version(PolicyArn=grant.policy, VersionId=before)
            return
        self._iam.put_role_policy(RoleName=grant.role.name, PolicyName=grant.policy, PolicyDocument=text)


def _pairs(statement: Statement) -> list[tuple[str, str]]:
    resources = _listed(statement.get("Resource")) or [f"{_NOT}{one}" for one in _listed(statement["NotResource"])]
    return [(action, resource) for action in _listed(statement["Action"]) for resource in resources]


def _resource(resource: str) -> Statement:
    if resource.startswith(_NOT):
        return {"NotResource": resource.removeprefix(_NOT)}
    return {"Resource": resource}


def _listed(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)
