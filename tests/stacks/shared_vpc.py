"""An MWAA environment in somebody else's VPC, synthesized."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from stacks.airflow.shared_endpoints import SharedEndpoints
from tests.stacks import plans, statements

OWNER = "arn:aws:iam::444455556666:role/penstock-endpoints"


SHARED = dataclasses.replace(
    plans.EXISTING.network, shared=True, endpoint_role=OWNER, endpoint_security_groups=("sg-0000000f",)
)


def synthesized(folder: Path, account: str = plans.ACCOUNT, **changes: Any) -> dict[str, Any]:
    """The template of a stack with nothing else in it, checked by cdk-nag."""
    app = plans.application(folder / "cdk.out")
    stack = cdk.Stack(app, "s", env=cdk.Environment(account=account, region=plans.REGION))
    arguments: dict[str, Any] = {
        "environment": "acme-dev",
        "web_server": True,
        "vpc": "vpc-1",
        "subnets": ("subnet-1", "subnet-2"),
        "security_groups": ("sg-1",),
        "owner_role": OWNER,
        "role_name": "acme-dev-endpoints",
        "topic": None,
    }
    SharedEndpoints(stack, "Endpoints", **(arguments | changes))
    plans.judge(app)
    (synth,) = app.synth().stacks
    return dict(synth.template)


def machine(template: dict[str, Any]) -> dict[str, Any]:
    """The state machine's definition."""
    (text,) = [
        resource["Properties"]["DefinitionString"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    return dict(json.loads(statements.text(text)))
