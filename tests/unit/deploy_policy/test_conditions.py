"""Under which conditions CloudFormation's role may do something."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.deploy_policy.scope import Deployment
from penstock.deploy_policy.statements import Statement, statements
from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.plan import Plan
from tests.unit.project_files import loaded

ACCOUNT = "111122223333"
VPC = {"acme-dev-network": {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC"}}}}
TAGS = {"project": "acme", "environment": "dev"}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return compile_plan(loaded(tmp_path), "dev")


def of(found: list[Statement], action: str) -> Statement:
    """The one statement about an action."""
    (statement,) = [one for one in found if action in one.actions]
    return statement


def test_what_has_no_tags_yet_may_get_them(plan: Plan) -> None:
    """CloudFormation makes a VPC before it tags it; what has another project's tags stays out of reach."""
    policy = statements([Deployment(plan, VPC)], ACCOUNT)
    tags = {f"aws:ResourceTag/penstock:{key}": value for key, value in TAGS.items()}

    assert of(policy, "ec2:CreateTags").condition == {"StringEqualsIfExists": tags}
    assert of(policy, "ec2:DeleteVpc").condition == {"StringEquals": tags}


def test_a_role_that_exists_is_passed_to_both_services_of_mwaa(plan: Plan) -> None:
    """MWAA takes it as two services, and as no other."""
    assert isinstance(plan.airflow, Airflow)
    own = replace(plan, airflow=replace(plan.airflow, execution_role="team/airflow-role"))
    arn = f"arn:aws:iam::{ACCOUNT}:role/team/airflow-role"

    passed = [statement for statement in statements([Deployment(own, VPC)], ACCOUNT) if arn in statement.resources]

    assert {one.actions for one in passed} == {("iam:PassRole",)}
    assert sorted(str(one.condition["StringEquals"]["iam:PassedToService"]) for one in passed) == [
        "airflow-env.amazonaws.com",
        "airflow.amazonaws.com",
    ]
