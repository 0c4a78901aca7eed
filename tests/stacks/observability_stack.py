"""The observability stack alone, synthesized."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from penstock_runtime.plan.observability import Observability
from penstock_runtime.plan.plan import Plan
from stacks.observability.stack import ObservabilityStack
from tests.stacks import plans


def plan_with(**settings: Any) -> Plan:
    return dataclasses.replace(plans.PLAN, observability=Observability(**settings))


def synthesized(
    folder: Path, plan: Plan, airflow_name: str | None = "acme-dev", *, nag: bool = False
) -> dict[str, Any]:
    """Logical id to resource, of the stack alone."""
    app = plans.application(folder / "cdk.out")
    env = cdk.Environment(account=plans.ACCOUNT, region=plans.REGION)
    ObservabilityStack(app, "watch", plan=plan, artifacts="acme-artifacts", airflow_name=airflow_name, env=env)
    if nag:
        plans.judge(app)
    resources: dict[str, Any] = app.synth().get_stack_by_name("watch").template["Resources"]
    return resources


def of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource.get("Properties", {}) for resource in resources.values() if resource["Type"] == kind]
