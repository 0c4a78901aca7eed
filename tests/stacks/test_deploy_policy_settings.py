"""The policies of a deploy with what a project may ask of its roles, and with what no golden case has."""

from __future__ import annotations

import dataclasses

import pytest

from penstock.deploy_policy.bootstrap import Bootstrap
from penstock.deploy_policy.documents import Policy, pack
from penstock.deploy_policy.scope import Deployment
from penstock.deploy_policy.statements import statements
from penstock.deploy_policy.types import TYPES
from penstock_runtime.plan.airflow import AirflowCatalogue
from tests.golden.deployments import CASES, allows, read
from tests.stacks import every_setting, plans
from tests.stacks.conftest import Templates

BOUNDARY = every_setting.BOUNDARY
PLAN = dataclasses.replace(
    every_setting.PLAN,
    catalogue=AirflowCatalogue(
        way="database",
        reason="",
        environment="acme-dev",
        service="acme-dev",
        dag_id="airflow-catalogue",
        secret="acme-dev/airflow-database",
        discovery_dag_id="airflow-database-address",
    ),
    task_definitions=tuple(
        dataclasses.replace(
            definition, role_prefix=f"{every_setting.PLAN.iam.role_name_prefix}{definition.role_prefix}"
        )
        for definition in every_setting.PLAN.task_definitions
    ),
)
ROLES = f"arn:aws:iam::{plans.ACCOUNT}:role"
OURS = f"{ROLES}/data/dp-acme-dev-1a2b3c4d-task"


@pytest.fixture(scope="module")
def all_set(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of a plan with boundary, path, prefix, qualifier and a pull-through cache."""
    return plans.synthesize(PLAN, tmp_path_factory.mktemp("all-set"))


@pytest.fixture(scope="module")
def policies(all_set: Templates) -> list[Policy]:
    return pack(statements([Deployment(PLAN, all_set)], plans.ACCOUNT), "penstock")


def test_every_type_of_our_templates_is_known_and_no_other(all_set: Templates) -> None:
    """Those of all golden cases, and of the settings that none of them has."""
    templates = [*all_set.values(), *(template for case in CASES for template in read(case).templates.values())]

    assert {resource["Type"] for template in templates for resource in template["Resources"].values()} == set(TYPES)


@pytest.mark.parametrize("change", ["CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary"])
def test_no_role_without_the_boundary(policies: list[Policy], change: str) -> None:
    """Neither made nor widened; nor is the boundary another one, or none."""
    assert allows(policies, f"iam:{change}", OURS, iam__PermissionsBoundary=BOUNDARY)
    assert not allows(policies, f"iam:{change}", OURS, iam__PermissionsBoundary=f"{BOUNDARY}-2")
    assert not allows(policies, f"iam:{change}", OURS)


def test_the_boundary_cannot_be_taken_off(policies: list[Policy]) -> None:
    assert not allows(policies, "iam:DeleteRolePermissionsBoundary", OURS, iam__PermissionsBoundary=BOUNDARY)


def test_nor_is_a_managed_policy_attached_without_it(policies: list[Policy], all_set: Templates) -> None:
    (role,) = {
        resource["Properties"]["RoleName"]
        for resource in all_set["acme-dev-ingestion"]["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role" and "ManagedPolicyArns" in resource["Properties"]
    }
    arn = f"{ROLES}/data/{role}"
    keys = {"iam__PolicyARN": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}

    assert allows(policies, "iam:AttachRolePolicy", arn, **keys, iam__PermissionsBoundary=BOUNDARY)
    assert not allows(policies, "iam:AttachRolePolicy", arn, **keys)
    assert not allows(policies, "iam:AttachRolePolicy", OURS, **keys, iam__PermissionsBoundary=BOUNDARY)


def test_every_role_is_matched_with_its_path_and_prefix(policies: list[Policy], all_set: Templates) -> None:
    roles = [
        f"{ROLES}{resource['Properties']['Path']}{resource['Properties']['RoleName']}"
        for template in all_set.values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
    ]

    assert roles
    for arn in roles:
        assert allows(policies, "iam:CreateRole", arn, iam__PermissionsBoundary=BOUNDARY)
        for other in (arn.replace("/data/", "/"), arn.replace("dp-", ""), arn.replace("acme", "other")):
            assert not allows(policies, "iam:CreateRole", other, iam__PermissionsBoundary=BOUNDARY)


def test_the_assets_and_the_version_are_those_of_the_qualifier(policies: list[Policy]) -> None:
    """Another bootstrap's are not read."""
    assets = f"arn:aws:s3:::cdk-{{}}-assets-{plans.ACCOUNT}-{plans.REGION}/x.zip"
    version = f"arn:aws:ssm:{plans.REGION}:{plans.ACCOUNT}:parameter/cdk-bootstrap/{{}}/version"
    for action, arn in (("s3:GetObject", assets), ("ssm:GetParameters", version)):
        assert allows(policies, action, arn.format("acme"))
        assert not allows(policies, action, arn.format("hnb659fds"))
    assert Bootstrap.of(PLAN, plans.ACCOUNT).role.startswith("cdk-acme-cfn-exec-role-")


def test_the_cache_reads_its_own_log_in_alone(policies: list[Policy]) -> None:
    assert allows(policies, "secretsmanager:GetSecretValue", str(every_setting.RULE.credentials))
    assert not allows(policies, "secretsmanager:GetSecretValue", f"{every_setting.RULE.credentials}-other")
    assert allows(policies, "ecr:CreatePullThroughCacheRule", "*")
