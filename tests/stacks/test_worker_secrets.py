"""What Airflow's role may read for tasks that run in its workers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import aws_cdk as cdk

from penstock_runtime.plan.plan import Plan
from stacks.ingestion.run_grant import run_statements
from tests.stacks.plans import ACCOUNT, BY_ARN, PARAMETER, PASSWORD, PLAN, REGION

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
READING = ("secretsmanager:GetSecretValue", "ssm:GetParameters", "kms:Decrypt")


def _statements(plan: Plan) -> dict[str, dict[str, Any]]:
    """Action → statement, of those that read secrets."""
    stack = cdk.Stack(cdk.App(), "stack", env=cdk.Environment(account=ACCOUNT, region=REGION))
    found = [
        stack.resolve(statement.to_statement_json())
        for statements in run_statements(stack, plan).values()
        for statement in statements
    ]
    return {one["Action"]: one for one in found if one["Action"] in READING}


def test_nothing_where_no_task_runs_there() -> None:
    """The roles of projects with `ecs` only are as they were."""
    assert _statements(PLAN) == {}


def test_exactly_the_secrets_of_such_tasks() -> None:
    """By name with the six characters of the ARN, by ARN as written, parameters, the keys that encrypt them."""
    plan = replace(PLAN, worker_secrets=(BY_ARN, PARAMETER, PASSWORD), worker_secret_kms_keys=(KEY,))

    found = _statements(plan)

    assert set(found) == set(READING)
    named = f"secret:{PASSWORD.id}"
    granted = {str(one) for one in found["secretsmanager:GetSecretValue"]["Resource"]}
    assert BY_ARN.id in granted
    by_name = sorted(one.rstrip("]}'") for one in granted - {BY_ARN.id})
    assert [one[one.index("secret:") :] for one in by_name] == [named, f"{named}-??????"]
    assert "parameter/acme/slack" in str(found["ssm:GetParameters"]["Resource"])
    assert found["kms:Decrypt"]["Resource"] == KEY
    assert set(found["kms:Decrypt"]["Condition"]["StringEquals"]["kms:ViaService"]) == {
        f"secretsmanager.{REGION}.amazonaws.com",
        f"ssm.{REGION}.amazonaws.com",
    }
