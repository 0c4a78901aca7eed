"""The stacks of a project and environment, as CloudFormation reports them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import botocore.exceptions

from penstock.deployed.account import Account, aws, error_code
from penstock.project.environments import prefix_of
from penstock_runtime.plan.plan import Plan

Stack = Mapping[str, Any]
"""As DescribeStacks gives it."""

_FAILED_AT_FIRST = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
"""Such a stack can only be deleted. Source: CloudFormation user guide, "Understand stack status codes"."""
_NOT_THERE = _FAILED_AT_FIRST | {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}


def of_plan(account: Account, plan: Plan, names: Collection[str]) -> list[Stack]:
    """The stacks that belong to a plan's project and environment, by their tags; also those that were never made.

    Args:
        names: what the plan's stacks are called. One without tags, of an older Penstock, is known by its name alone:
            `acme-dev-x-airflow` may be of project `acme-dev`.
    """
    with aws("read the deployed stacks"):
        pages = list(account.client("cloudformation").get_paginator("describe_stacks").paginate())
    every = [stack for page in pages for stack in page["Stacks"]]
    listed = [stack for stack in every if _name(stack).startswith(f"{plan.prefix}-")]
    return [stack for stack in listed if _owner(stack) == plan.prefix or (not _owner(stack) and _name(stack) in names)]


def templates(account: Account, stacks: Collection[Stack]) -> dict[str, dict[str, Any]]:
    """Name → template of those that are there."""
    cfn = account.client("cloudformation")
    bodies = {}
    with aws("read the deployed templates"):
        for name in (_name(stack) for stack in stacks if is_there(stack)):
            body = cfn.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
            bodies[name] = dict(body) if isinstance(body, dict) else json.loads(body)
    return bodies


def protection(stacks: Collection[Stack]) -> dict[str, bool]:
    """Name → whether CloudFormation refuses to delete it, of those that are there."""
    return {_name(stack): bool(stack.get("EnableTerminationProtection")) for stack in stacks if is_there(stack)}


def named(account: Account, name: str) -> Stack | None:
    """One stack, if it exists."""
    with aws(f"read the outputs of stack {name}"):
        try:
            (stack,) = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except botocore.exceptions.ClientError as error:
            if error_code(error) == "ValidationError" and "does not exist" in str(error):
                return None
            raise
    return dict(stack)


def is_there(stack: Stack) -> bool:
    """Whether it has ever been made: if not, CloudFormation lists it all the same."""
    return stack["StackStatus"] not in _NOT_THERE


def remnant(stack: Stack) -> tuple[str, str] | None:
    """What is left of a first deploy that failed, and how to delete it ("" if cdk deletes it)."""
    if stack["StackStatus"] not in _FAILED_AT_FIRST:
        return None
    name = _name(stack)
    what = f"the first deploy of stack {name} failed ({stack['StackStatus']}); cdk deploy deletes it and makes it anew"
    if not stack.get("EnableTerminationProtection"):
        return what, ""
    # The CDK CLI protects a stack before it makes it, and does not take that back before it deletes it.
    command = f"aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name {name}"
    return f"{what}, once its termination protection is off", command


def _name(stack: Stack) -> str:
    return str(stack["StackName"])


def _owner(stack: Stack) -> str | None:
    """The prefix of the project and environment that its tags name."""
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    project, environment = tags.get("penstock:project"), tags.get("penstock:environment")
    return prefix_of(project, environment) if project and environment else None
