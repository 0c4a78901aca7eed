"""What the project permits its Airflow: on the execution role, for nobody else, within what a role has room for."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from penstock.diff import permissions as diffed
from penstock.diff.templates import compare
from penstock.project.airflow.mwaa_checks import MAX_PERMISSIONS
from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import Permission
from stacks.build import build_stacks
from stacks.managed_policies import _longest
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates

CONNECTIONS = f"arn:aws:secretsmanager:{plans.REGION}:{plans.ACCOUNT}:secret:airflow/connections/*"
IN_REGION = {"StringEquals": {"aws:RequestedRegion": [plans.REGION]}}
PERMITTED = (
    Permission(("secretsmanager:GetSecretValue",), (CONNECTIONS,), IN_REGION, ""),
    Permission(("glue:Get*",), ("*",), {}, "Which tables there are."),
)
INLINE = 10_240
"""Characters of all inline policies of a role (IAM User Guide, "IAM and AWS STS quotas")."""


def permitted(plan: Plan, *permissions: Permission) -> Plan:
    assert isinstance(plan.airflow, Airflow)
    airflow = dataclasses.replace(plan.airflow, permissions=permissions, web_access_cidrs=("10.8.0.0/16",))
    return dataclasses.replace(plan, airflow=airflow)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """With cdk-nag's findings: a wildcard that nobody accounts for would have failed the synth."""
    folder = tmp_path_factory.mktemp("permitted")
    app = plans.application(folder / "cdk.out")
    build_stacks(app, permitted(plans.PLAN, *PERMITTED), plans.files(folder), account=None)
    plans.judge(app)
    return {stack.stack_name: stack.template for stack in app.synth().stacks}


def roles_with(templates: Templates, text: str) -> list[str]:
    """The logical ids of roles and policies that name something."""
    return [
        name
        for template in templates.values()
        for name, resource in template["Resources"].items()
        if resource["Type"].startswith("AWS::IAM::") and text in json.dumps(resource["Properties"])
    ]


def test_permissions_are_the_execution_roles_and_no_other(templates: Templates) -> None:
    """In a policy of their own, conditions included; tasks do not get them."""
    (name,) = roles_with(templates, "airflow/connections")
    role = templates["acme-dev-airflow"]["Resources"][name]["Properties"]
    (policy,) = role["Policies"]
    read, look = policy["PolicyDocument"]["Statement"]

    assert name.startswith("ExecutionRole")
    assert policy["PolicyName"] == "Permissions"
    assert statements.listed(read["Action"]) == ["secretsmanager:GetSecretValue"]
    assert (read["Resource"], read["Condition"]) == (CONNECTIONS, IN_REGION)
    assert (look["Action"], look["Resource"]) == ("glue:Get*", "*")
    assert roles_with(templates, "glue:Get*") == [name]


def test_without_them_there_is_no_policy(tmp_path: Path) -> None:
    """The role is what MWAA and our DAGs need."""
    (role,) = [
        resource["Properties"]
        for name, resource in plans.synthesize(plans.PLAN, tmp_path)["acme-dev-airflow"]["Resources"].items()
        if name.startswith("ExecutionRole") and resource["Type"] == "AWS::IAM::Role"
    ]

    assert "Policies" not in role


def test_diff_shows_them_and_who_reaches_the_page(templates: Templates, tmp_path: Path) -> None:
    """As it shows whatever else a deploy changes: they wait for one."""
    before = plans.synthesize(plans.PLAN, tmp_path)
    gained = diffed.compare(before, templates)
    (group,) = [one for one in compare(before, templates) if one.type == "AWS::EC2::SecurityGroup"]

    assert [(one.kind, one.actions, one.resource) for one in gained] == [
        ("gained", ("glue:Get*",), "*"),
        ("gained", ("secretsmanager:GetSecretValue",), CONNECTIONS),
    ]
    assert {one.who.rpartition("/")[2][:13] for one in gained} == {"ExecutionRole"}
    assert (group.kind, group.properties) == ("changed", ("SecurityGroupIngress",))


def test_the_role_has_room_for_the_most_that_a_project_may_permit(tmp_path: Path) -> None:
    """Beside what MWAA and our DAGs need with the longest names and paths that there are."""
    project, environment = "p" * 20, "e-" + "e" * 10
    prefix = f"{project}--{environment}"
    plan = dataclasses.replace(
        plans.PLAN,
        prefix=prefix,
        cluster=prefix,
        log_group=f"/penstock/{prefix}",
        iam=dataclasses.replace(plans.PLAN.iam, role_path=f"/{'d' * 510}/", role_name_prefix="n" * 16),
        airflow=dataclasses.replace(plans.PLAN.airflow, name="t" * 80, bucket="b" * 63, dags="d" * 59),
    )
    template = plans.synthesize(plan, tmp_path)[f"{prefix}-airflow"]["Resources"]
    (policy,) = [
        one["Properties"]["PolicyDocument"]
        for name, one in template.items()
        if name.startswith("ExecutionRole") and one["Type"] == "AWS::IAM::Policy"
    ]

    assert len(_longest(policy)) + MAX_PERMISSIONS <= INLINE, len(_longest(policy))
