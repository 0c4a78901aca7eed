"""IAM, before and after: what each role, or the policy of each bucket, topic and key, gains and loses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from penstock.aws import policy_statement
from penstock.aws.cloudformation import Templates
from penstock.diff.templates import name
from penstock.diff.values import text

_POLICIES = frozenset({"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"})
BOUNDARY = "permissions boundary"
"""The action of a grant that is none: whatever the policies allow, it is no more than the boundary does."""


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource."""

    who: str
    """The role; or whose policy it is."""
    effect: str
    """`Allow`, `Deny`, or `Boundary`."""
    action: str
    resource: str
    condition: str = ""
    """As JSON; empty: none."""


@dataclass(frozen=True)
class Change:
    """Grants that come or go together: they differ in their action only."""

    kind: Literal["gained", "lost"]
    who: str
    effect: str
    actions: tuple[str, ...]
    resource: str
    condition: str

    def __str__(self) -> str:
        if self.actions == (BOUNDARY,):
            return f"{self.who}: {BOUNDARY} {self.resource}"
        deny = "denied " if self.effect == "Deny" else ""
        limit = f" if {self.condition}" if self.condition else ""
        return f"{self.who}: {deny}{', '.join(self.actions)} on {self.resource}{limit}"


def compare(before: Templates, after: Templates) -> list[Change]:
    """What is gained and lost, over all stacks: a statement that moves from one to another is not a change.

    A role that gets another name goes by the new one: of its grants only those that differ are listed.
    """
    old, new = set(grants(before, after)), set(grants(after))
    return [*_together("gained", new - old), *_together("lost", old - new)]


def grants(templates: Templates, called: Templates = MappingProxyType({})) -> Iterator[Grant]:
    """Every grant in the templates: of roles, of managed policies, of buckets, topics and keys; who may take a role.

    Args:
        called: templates whose names for the same resources are used.
    """
    for stack, template in templates.items():
        resources = template.get("Resources", {})
        newer = called.get(stack, {}).get("Resources", {})
        for logical_id, resource in resources.items():
            properties = resource.get("Properties", {})
            me = name((stack, logical_id), newer.get(logical_id, resource))
            if resource["Type"] == "AWS::IAM::Role":
                yield from _statements(me, properties["AssumeRolePolicyDocument"], f"role {me}")
                for policy in properties.get("Policies", []):
                    yield from _statements(me, policy["PolicyDocument"])
                for arn in properties.get("ManagedPolicyArns", []):
                    yield Grant(me, "Allow", "all of a managed policy", text(arn).rpartition("/")[2])
                if "PermissionsBoundary" in properties:
                    yield Grant(me, "Boundary", BOUNDARY, text(properties["PermissionsBoundary"]))
            elif resource["Type"] in _POLICIES:
                for role in properties.get("Roles") or [{"Ref": logical_id}]:
                    yield from _statements(_owner(stack, {**resources, **newer}, role), properties["PolicyDocument"])
            else:
                for document in (properties[key] for key in ("PolicyDocument", "KeyPolicy") if key in properties):
                    yield from _statements(f"policy of {me.removesuffix('/Policy')}", document)


def _statements(who: str, document: Mapping[str, Any], on: str | None = None) -> Iterator[Grant]:
    for statement in policy_statement.listed(document["Statement"]):
        condition = text(statement["Condition"]) if statement.get("Condition") else ""
        principal = f" by {text(statement['Principal'])}" if "Principal" in statement else ""
        for action in policy_statement.actions(statement, text):
            for resource in policy_statement.resources(statement, text) or ([on] if on else []):
                yield Grant(who, statement.get("Effect", "Allow"), action, resource + principal, condition)


def _owner(stack: str, resources: Mapping[str, Any], role: Any) -> str:
    logical_id = role.get("Ref") if isinstance(role, Mapping) else None
    if isinstance(logical_id, str) and logical_id in resources:
        return name((stack, logical_id), resources[logical_id])
    return text(role)


def _together(kind: Literal["gained", "lost"], grants: set[Grant]) -> list[Change]:
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for grant in sorted(grants):
        groups.setdefault((grant.who, grant.effect, grant.resource, grant.condition), []).append(grant.action)
    return [
        Change(kind, who, effect, tuple(actions), resource, condition)
        for (who, effect, resource, condition), actions in groups.items()
    ]
