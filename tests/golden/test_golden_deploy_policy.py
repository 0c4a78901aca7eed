"""The policies of `penstock deploy-policy`, for every golden case: they let CloudFormation make each resource of the
templates under the name that it will have, and touch nobody else's.

This is IAM's evaluation and no deploy: the embedded AWS makes resources without asking what a role may do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from penstock_runtime.plan.iam_limits import MAX_POLICY_CHARACTERS
from penstock_runtime.plan.plan import Plan
from tests.golden import regenerate
from tests.golden.deployments import CASES, account_of, allows, policies, read

_DASHBOARD = "cloudwatch::{account}:dashboard/{name}"
MADE = {
    "AWS::CloudWatch::Alarm": ("cloudwatch:PutMetricAlarm", "cloudwatch:{place}:alarm:{name}", "AlarmName", 255),
    "AWS::CloudWatch::Dashboard": ("cloudwatch:PutDashboard", _DASHBOARD, "DashboardName", 255),
    "AWS::ECS::Cluster": ("ecs:CreateCluster", "ecs:{place}:cluster/{name}", "ClusterName", 255),
    "AWS::ECS::TaskDefinition": ("ecs:TagResource", "ecs:{place}:task-definition/{name}:7", "Family", 255),
    "AWS::Events::Rule": ("events:PutRule", "events:{place}:rule/{name}", "Name", 64),
    "AWS::IAM::ManagedPolicy": ("iam:CreatePolicy", "iam::{account}:policy/{name}", "ManagedPolicyName", 128),
    "AWS::IAM::Role": ("iam:CreateRole", "iam::{account}:role/{name}", "RoleName", 64),
    "AWS::Lambda::Function": ("lambda:CreateFunction", "lambda:{place}:function:{name}", "FunctionName", 64),
    "AWS::Lambda::LayerVersion": ("lambda:PublishLayerVersion", "lambda:{place}:layer:{name}", "LayerName", 140),
    "AWS::Logs::LogGroup": ("logs:CreateLogGroup", "logs:{place}:log-group:{name}:log-stream:", "LogGroupName", 512),
    "AWS::MWAA::Environment": ("airflow:CreateEnvironment", "airflow:{place}:environment/{name}", "Name", 80),
    "AWS::S3::Bucket": ("s3:CreateBucket", "s3:::{name}", "BucketName", 63),
    "AWS::SNS::Topic": ("sns:CreateTopic", "sns:{place}:{name}", "TopicName", 256),
    "AWS::StepFunctions::StateMachine": ("states:CreateStateMachine", "states:{place}:stateMachine:{name}", "", 80),
}  # fmt: skip
"""Type → what makes one, on what, the property that names it, and the longest name."""
RANDOM = "UJ5n2NwuSPZB"


def physical(stack: str, logical_id: str, maximum: int) -> str:
    """A name as CloudFormation makes one: cut in two halves where it is too long, the stack's the larger."""
    room = maximum - len(RANDOM) - 1
    whole = f"{stack}-{logical_id}"
    if len(whole) > room:
        half = (room - 1) // 2
        whole = f"{stack[: room - 1 - half]}-{logical_id[:half]}"
    return f"{whole}-{RANDOM}"


def made(case: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Type, action, ARN and properties of each resource of a case that has a name."""
    deployment = read(case)
    account, region = account_of(deployment.plan), deployment.plan.region
    for stack, template in deployment.templates.items():
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] not in MADE:
                continue
            action, arn, attribute, maximum = MADE[resource["Type"]]
            properties = resource.get("Properties", {})
            name = properties.get(attribute) or physical(stack, f"{logical_id}1A2B3C4D", maximum)
            name = name.lower() if resource["Type"] == "AWS::S3::Bucket" else name
            filled = arn.format(place=f"{region}:{account}", account=account, name=name)
            yield resource["Type"], action, f"arn:aws:{filled}", properties


def tags(plan: Plan) -> dict[str, str]:
    return {"penstock:project": plan.project, "penstock:environment": plan.environment}


OTHER = {"penstock:project": "other", "penstock:environment": "dev"}


@pytest.mark.parametrize("case", CASES)
def test_what_the_templates_name_can_be_made(case: str) -> None:
    """Each under its own name, or under the one that CloudFormation will give it."""
    plan = read(case).plan
    keys = {"iam__PermissionsBoundary": plan.iam.permissions_boundary} if plan.iam.permissions_boundary else {}
    refused = [
        (action, arn)
        for _, action, arn, _ in made(case)
        if not allows(policies(case), action, arn, request_tags=tags(plan), **keys)
    ]

    assert refused == []


@pytest.mark.parametrize("case", CASES)
def test_what_another_project_names_cannot(case: str) -> None:
    """The same templates with another prefix: nothing of theirs, but for layers, which the logical id names."""
    plan = read(case).plan
    for kind, action, arn, _ in made(case):
        for prefix in ("other-dev", f"{plan.prefix}-x", f"{plan.prefix}x", f"x{plan.prefix}"):
            theirs = arn.replace(plan.prefix, prefix)
            if kind in ("AWS::Lambda::LayerVersion", "AWS::StepFunctions::StateMachine") and plan.prefix not in arn:
                continue
            if theirs != arn:
                assert not allows(policies(case), action, theirs, request_tags=OTHER, resource_tags=OTHER), theirs


@pytest.mark.parametrize("case", CASES)
def test_roles_pass_to_the_service_that_they_trust_and_no_other(case: str) -> None:
    """Not to EC2, nor a role of somebody else to any."""
    roles = [(arn, properties) for kind, _, arn, properties in made(case) if kind == "AWS::IAM::Role"]
    assert roles
    for arn, properties in roles:
        (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
        services = statement["Principal"]["Service"]
        for service in [services] if isinstance(services, str) else services:
            assert allows(policies(case), "iam:PassRole", arn, iam__PassedToService=service)
            theirs = f"{arn.partition(':role/')[0]}:role/Admin"
            assert not allows(policies(case), "iam:PassRole", theirs, iam__PassedToService=service)
        assert not allows(policies(case), "iam:PassRole", arn, iam__PassedToService="ec2.amazonaws.com")
        assert not allows(policies(case), "iam:PassRole", arn)


CHANGES = (
    "CreateRole", "DeleteRole", "PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy", "TagRole",
    "UpdateAssumeRolePolicy", "UpdateRole", "PassRole", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_roles_of_others_stay_as_they_are(case: str) -> None:
    """CDK's own among them: the execution role cannot widen itself. Of a guest's, only our own policy is attached."""
    plan = read(case).plan
    account = account_of(plan)
    own = next((arn for kind, _, arn, _ in made(case) if kind == "AWS::IAM::ManagedPolicy"), "")
    for name in (
        "Admin",
        f"cdk-hnb659fds-cfn-exec-role-{account}-{plan.region}",
        f"cdk-hnb659fds-deploy-role-{account}-{plan.region}",
        f"{plan.prefix}",
        f"{plan.prefix}-admin",
        f"{plan.prefix}-12345678-admin",
        "service-role/team-airflow-execution",
        "aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
    ):
        for change in CHANGES:
            arn = f"arn:aws:iam::{account}:role/{name}"
            for policy in ("arn:aws:iam::aws:policy/AdministratorAccess", f"arn:aws:iam::{account}:policy/theirs"):
                keys = {"iam__PolicyARN": policy, "iam__PassedToService": "lambda.amazonaws.com"}
                assert not allows(policies(case), f"iam:{change}", arn, **keys), (change, arn)
    guest = f"arn:aws:iam::{account}:role/service-role/team-airflow-execution"
    assert allows(policies(case), "iam:AttachRolePolicy", guest, iam__PolicyARN=own) == case.startswith(
        "use/expected/prod"
    )


@pytest.mark.parametrize("case", CASES)
def test_roles_of_ours_get_known_managed_policies_alone(case: str) -> None:
    """AdministratorAccess is none of them."""
    attached = [(arn, one["ManagedPolicyArns"]) for _, _, arn, one in made(case) if "ManagedPolicyArns" in one]
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    for arn, _ in attached:
        assert allows(policies(case), "iam:AttachRolePolicy", arn, iam__PolicyARN=basic)
    for kind, _, arn, _ in made(case):
        if kind == "AWS::IAM::Role":
            for policy in ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess"):
                keys = {"iam__PolicyARN": f"arn:aws:iam::aws:policy/{policy}"}
                assert not allows(policies(case), "iam:AttachRolePolicy", arn, **keys)
    assert attached


CREATED = "acme/expected/dev"
"""A case that creates its network."""
ON_OURS = (
    ("ec2:DeleteVpc", "vpc"), ("ec2:CreateSubnet", "vpc"), ("ec2:DeleteSubnet", "subnet"),
    ("ec2:CreateRoute", "route-table"),
    ("ec2:ReleaseAddress", "elastic-ip"), ("ec2:DeleteNatGateway", "natgateway"), ("ec2:AttachInternetGateway", "vpc"),
    ("ec2:DeleteSecurityGroup", "security-group"), ("ec2:DeleteVpcEndpoints", "vpc-endpoint"),
    ("ec2:DeleteFlowLogs", "vpc-flow-log"), ("ec2:CreateVpcEndpoint", "subnet"), ("ec2:DeleteTags", "vpc"),
)  # fmt: skip


@pytest.mark.parametrize(("action", "kind"), ON_OURS)
def test_tags_tell_what_is_ours_where_names_do_not(action: str, kind: str) -> None:
    """Ids are EC2's: what has another's tags, or none, is left alone."""
    plan = read(CREATED).plan
    arn = f"arn:aws:ec2:{plan.region}:{account_of(plan)}:{kind}/x-1"

    assert allows(policies(CREATED), action, arn, resource_tags=tags(plan))
    assert not allows(policies(CREATED), action, arn, resource_tags=OTHER)
    assert not allows(policies(CREATED), action, arn, resource_tags={**tags(plan), "penstock:environment": "prod"})
    assert not allows(policies(CREATED), action, arn)
    assert not allows(policies(CREATED), action, arn.replace(plan.region, "us-west-2"), resource_tags=tags(plan))


def test_what_is_without_tags_yet_can_be_finished_and_what_is_anothers_cannot() -> None:
    """CloudFormation may tag something only after it has made it."""
    plan = read(CREATED).plan
    for action, kind in (
        ("ec2:ModifyVpcAttribute", "vpc"),
        ("ec2:AuthorizeSecurityGroupEgress", "security-group"),
        ("ec2:CreateTags", "vpc"),
    ):
        arn = f"arn:aws:ec2:{plan.region}:{account_of(plan)}:{kind}/x-1"
        assert allows(policies(CREATED), action, arn)
        assert not allows(policies(CREATED), action, arn, resource_tags=OTHER)


def test_keys_are_made_with_our_tags_and_only_those_are_changed() -> None:
    plan = read(CREATED).plan
    key = f"arn:aws:kms:{plan.region}:{account_of(plan)}:key/1"

    assert allows(policies(CREATED), "kms:CreateKey", "*", request_tags=tags(plan))
    assert not allows(policies(CREATED), "kms:CreateKey", "*")
    assert not allows(policies(CREATED), "kms:CreateKey", "*", request_tags=OTHER)
    for action in ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey"):
        assert allows(policies(CREATED), action, key, resource_tags=tags(plan))
        assert not allows(policies(CREATED), action, key, resource_tags=OTHER)
        assert not allows(policies(CREATED), action, key)
    for action in ("kms:Decrypt", "kms:CreateGrant"):
        assert not allows(policies(CREATED), action, key, resource_tags=tags(plan))


def test_a_key_of_the_users_is_used_as_mwaa_asks_for_and_granted_to_aws_alone() -> None:
    case = "full/expected/dev"
    (key,) = {one["KmsKey"] for kind, _, _, one in made(case) if kind == "AWS::MWAA::Environment"}

    assert allows(policies(case), "kms:DescribeKey", key)
    assert allows(policies(case), "kms:CreateGrant", key, kms__GrantIsForAWSResource="true")
    assert not allows(policies(case), "kms:CreateGrant", key, kms__GrantIsForAWSResource="false")
    assert not allows(policies(case), "kms:CreateGrant", f"{key[:-1]}0", kms__GrantIsForAWSResource="true")
    assert not allows(policies(case), "kms:PutKeyPolicy", key)


def test_a_network_that_exists_is_used_and_not_changed() -> None:
    """A security group in its VPC, and nothing else."""
    case = "existing-network/expected/prod"
    plan = read(case).plan
    vpc = f"arn:aws:ec2:{plan.region}:999988887777:vpc/{plan.network.vpc}"

    assert allows(policies(case), "ec2:CreateSecurityGroup", vpc)
    assert not allows(policies(case), "ec2:CreateSecurityGroup", f"{vpc}0")
    for action in ("ec2:DeleteVpc", "ec2:ModifyVpcAttribute", "ec2:CreateTags", "ec2:CreateSubnet"):
        assert not allows(policies(case), action, vpc)


@pytest.mark.parametrize("case", CASES)
def test_no_statement_allows_everything(case: str) -> None:
    """Nor all of IAM, nor anything with a name of another account; what is on `*` says why."""
    wild = {"s3:GetBucket*", "kms:ReEncrypt*", "kms:GenerateDataKey*"}
    for policy in policies(case):
        assert policy.size <= MAX_POLICY_CHARACTERS
        for sid, statement in policy.by_sid.items():
            assert {one for one in statement.actions if "*" in one} <= wild
            assert "*" not in statement.resources or statement.resources == ("*",)
            if statement.resources == ("*",):
                assert statement.reasons, sid
                assert not any(one.startswith(("iam:", "s3:", "lambda:", "airflow:")) for one in statement.actions)
    assert not re.search(r'"iam:\*"|"\*:\*"|"Action": "\*"', json.dumps([one.document for one in policies(case)]))


def test_every_case_is_read() -> None:
    assert {case.split("/")[0] for case in CASES} == set(regenerate.cases())
