"""A VPC that another account shares: the state machine for it, and the owner's role as docs/shared-vpc.md has it.

Owner and team are one account here. What the state machine may do is the real construct's; only that is deployed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.home import HOME
from tests.functional.embedded import deploy
from tests.functional.optional_project import Environment
from tests.functional.permission_grants import Role, Roles
from tests.functional.permission_system import ACCOUNT
from tests.stacks.shared_vpc import synthesized

STACK = "shared"


@dataclass
class SharedVpc:
    """The deployed state machine, its role, the one of the rule that starts it, and the owner's."""

    machine: str
    """Its ARN."""
    rule: str
    """The name of the rule that starts it."""
    roles: Roles
    arns: dict[str, str]
    """The ARN of each role, by its kind."""


def shared_vpc(made: Environment, folder: Path) -> SharedVpc:
    """Deploy it for the VPC of an environment."""
    mwaa, prefix = made.system.mwaa, made.system.plan.prefix
    network = mwaa["NetworkConfiguration"]
    subnets, groups = network["SubnetIds"], network["SecurityGroupIds"]
    subnets_seen = made.system.root("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    vpc = str(subnets_seen[0]["VpcId"])
    iam, role = made.system.root("iam"), f"{prefix}-{made.system.plan.region}-mwaa-endpoints"
    trust, policy = _documents(
        {
            "444455556666": ACCOUNT,
            "111122223333": ACCOUNT,
            "acme-prod-eu-west-1-mwaa-endpoints": role,
            "vpc-0a1b2c3d": vpc,
            "subnet-0a1b2c3d": subnets[0],
            "subnet-1a1b2c3d": subnets[1],
            "sg-2a1b2c3d": groups[0],
        }
    )
    owner = iam.create_role(RoleName="penstock-endpoints", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="penstock-endpoints", PolicyName="Endpoints", PolicyDocument=json.dumps(policy))
    place: dict[str, Any] = {"environment": mwaa["Name"], "vpc": vpc, "subnets": subnets, "security_groups": groups[:1]}
    template = synthesized(folder, ACCOUNT, **place, owner_role=owner, role_name=role)
    deploy(made.endpoint, STACK, template)
    resources = made.system.root("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]

    def one(kind: str, start: str = "") -> str:
        (name,) = [
            str(one["PhysicalResourceId"])
            for one in resources
            if one["ResourceType"] == kind and one["LogicalResourceId"].startswith(start)
        ]
        return name

    machine = one("AWS::StepFunctions::StateMachine")
    kinds = {
        "endpoints": role,
        "starter": one("AWS::IAM::Role", "EndpointsStarter"),
        "owner": "penstock-endpoints",
    }
    names = {prefix: "prefix", "penstock-endpoints": "owner", vpc: "vpc", machine.rsplit(":", 1)[-1]: "machine"}
    names |= dict.fromkeys(subnets, "subnet") | dict.fromkeys(groups, "group")
    return SharedVpc(
        machine,
        one("AWS::Events::Rule"),
        Roles(iam, [Role(name, kind, None) for kind, name in kinds.items()], names),
        {kind: iam.get_role(RoleName=name)["Role"]["Arn"] for kind, name in kinds.items()},
    )


def _documents(names: dict[str, str]) -> list[dict[str, Any]]:
    """The trust and the policy of the owner's role, with names of this account in place of the document's."""
    text = (HOME / "docs" / "shared-vpc.md").read_text()
    for name, here in names.items():
        text = text.replace(name, here)
    blocks = re.findall(r"(?m)^ {7}(\{\"Version\".*\n(?: {9,}.*\n)*)", text)
    assert len(blocks) == 2
    return [json.loads(one) for one in blocks]
