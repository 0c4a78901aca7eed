"""The artifacts bucket, the cluster, the log group and the task definitions."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from penstock_runtime.container import bootstrap
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates


def definition(templates: Templates, family: str) -> dict[str, Any]:
    (found,) = [
        resource["Properties"]
        for resource in plans.resources(templates, "AWS::ECS::TaskDefinition")
        if resource["Properties"]["Family"] == family
    ]
    return dict(found)


def container(templates: Templates, family: str) -> dict[str, Any]:
    (only,) = definition(templates, family)["ContainerDefinitions"]
    return dict(only)


def environment(templates: Templates, family: str) -> dict[str, str]:
    listed = container(templates, family)["Environment"]
    return {one["Name"]: statements.text(one["Value"]) for one in listed}


def test_a_definition_is_what_the_plan_says(templates: Templates) -> None:
    """Family, size, architecture, image and the roles' names are the plan's."""
    properties = definition(templates, plans.MELTANO.family)

    assert (properties["Cpu"], properties["Memory"]) == ("256", "512")
    assert properties["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    assert (properties["NetworkMode"], properties["RequiresCompatibilities"]) == ("awsvpc", ["FARGATE"])
    names = {resource["Properties"].get("RoleName") for resource in plans.resources(templates, "AWS::IAM::Role")}
    assert {f"{plans.MELTANO.role_prefix}-task", f"{plans.MELTANO.role_prefix}-exec"} <= names
    assert definition(templates, plans.OPENMETADATA.family)["RuntimePlatform"]["CpuArchitecture"] == "X86_64"


def test_the_container_starts_our_runtime(templates: Templates) -> None:
    """The entry point is the bootstrap, which finds the runtime's address and hash in the environment."""
    main = container(templates, plans.OPENMETADATA.family)
    (bucket,) = [
        f"<{output['Export']['Name']}>"
        for output in templates["acme-dev-ingestion"]["Outputs"].values()
        if "Export" in output and "Ref" in output["Value"]
    ]

    assert (main["Name"], main["Image"]) == ("main", plans.OPENMETADATA.image.reference)
    assert main["EntryPoint"] == list(bootstrap.ENTRY_POINT)
    assert environment(templates, plans.OPENMETADATA.family) == {
        "PENSTOCK_ARTIFACTS_BUCKET": bucket,
        "PENSTOCK_ARTIFACTS_REGION": plans.REGION,
        "PENSTOCK_RUNTIME_URI": f"s3://{bucket}/runtime/{plans.RUNTIME_SHA256}.zip",
        "PENSTOCK_RUNTIME_SHA256": plans.RUNTIME_SHA256,
        "PENSTOCK_SECRET_NAMES": '["OM_JWT", "WAREHOUSE_PASSWORD"]',
        "PENSTOCK_STOP_TIMEOUT_SECONDS": "120",
    }
    assert environment(templates, plans.MELTANO.family)["MELTANO_STATE_BACKEND_URI"] == f"s3://{bucket}/state"


def test_the_container_stops_and_logs_as_promised(templates: Templates) -> None:
    """An init process, two minutes to stop, and a log driver that blocks rather than loses lines."""
    main = container(templates, plans.COMMAND.family)

    assert main["LinuxParameters"] == {"InitProcessEnabled": True}
    assert main["StopTimeout"] == 120
    assert main["LogConfiguration"] == {
        "LogDriver": "awslogs",
        "Options": {
            "awslogs-group": "/penstock/acme-dev",
            "awslogs-region": plans.REGION,
            "awslogs-stream-prefix": "penstock",
            "mode": "blocking",
        },
    }


def test_secrets_come_by_reference_and_only_to_their_definition(templates: Templates) -> None:
    """Name, JSON field, full ARN and parameter, each in the form that ECS reads; elsewhere there are none."""
    secret = f"arn:aws:secretsmanager:{plans.REGION}:{plans.ACCOUNT}:secret"
    references = {
        secret["Name"]: secret["ValueFrom"] for secret in container(templates, plans.MELTANO.family)["Secrets"]
    }

    assert references == {
        "WAREHOUSE_PASSWORD": f"{secret}:acme/warehouse:password::",
        "KEY": f"{secret}:other-AbCdEf",
        "SLACK": f"arn:aws:ssm:{plans.REGION}:{plans.ACCOUNT}:parameter/acme/slack",
    }
    assert {secret["Name"] for secret in container(templates, plans.OPENMETADATA.family)["Secrets"]} == {
        "OM_JWT",
        "WAREHOUSE_PASSWORD",
    }
    assert "Secrets" not in container(templates, plans.COMMAND.family)


def test_definitions_come_and_go_with_the_dags_that_name_them(tmp_path: Path) -> None:
    """They are in the stack that makes the DAGs live, before these are; what they name (runtime archive, configs,
    cluster, log group) is in one that is done by then. What is gone is deleted when all of it is done."""
    templates = plans.synthesize(plans.PLAN, tmp_path)
    manifest = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text())["artifacts"]
    resources = templates["acme-dev-airflow"]["Resources"]
    definitions = {name for name, resource in resources.items() if resource["Type"] == "AWS::ECS::TaskDefinition"}
    (live,) = [resource for resource in resources.values() if resource["Type"] == "Custom::PenstockRelease"]

    assert len(definitions) == len(plans.PLAN.task_definitions)
    assert definitions <= set(live["DependsOn"])
    assert "acme-dev-ingestion" in manifest["acme-dev-airflow"]["dependencies"]
    plans.template(templates, "ingestion").resource_count_is("AWS::ECS::TaskDefinition", 0)


def test_artifacts_are_never_deleted_by_a_deploy(templates: Templates) -> None:
    """A run that started before the deploy still finds its config."""
    template = plans.template(templates, "ingestion")

    template.resource_properties_count_is("Custom::CDKBucketDeployment", {"Prune": False}, 1)
    template.resource_count_is("Custom::CDKBucketDeployment", 1)


def test_the_cluster_has_fargate_and_spot(templates: Templates) -> None:
    plans.template(templates, "ingestion").has_resource_properties(
        "AWS::ECS::Cluster",
        {
            "ClusterName": "acme-dev",
            "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}],
        },
    )


def test_what_holds_data_is_kept_and_closed(templates: Templates) -> None:
    """Buckets and the task log outlive their stack; buckets are versioned, encrypted, TLS only and not public."""
    buckets = plans.resources(templates, "AWS::S3::Bucket")
    logs = [
        resource
        for resource in plans.resources(templates, "AWS::Logs::LogGroup")
        if resource["Properties"].get("LogGroupName") == "/penstock/acme-dev"
    ]

    assert (len(buckets), len(logs)) == (2, 1)
    assert {(bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) for bucket in buckets} == {("Retain", "Retain")}
    assert {(log["DeletionPolicy"], log["UpdateReplacePolicy"]) for log in logs} == {("RetainExceptOnCreate", "Retain")}
    assert logs[0]["Properties"]["RetentionInDays"] == 30
    for bucket in buckets:
        properties = bucket["Properties"]
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert "BucketEncryption" in properties
    policies = plans.resources(templates, "AWS::S3::BucketPolicy")
    denied = [
        statement["Condition"]
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert denied == [{"Bool": {"aws:SecureTransport": "false"}}] * 2


def test_everything_carries_project_and_environment(templates: Templates) -> None:
    """Tags on what can have them, for the bill."""
    for kind in (
        "AWS::S3::Bucket",
        "AWS::ECS::Cluster",
        "AWS::ECS::TaskDefinition",
        "AWS::SNS::Topic",
        "AWS::EC2::VPC",
    ):
        for resource in plans.resources(templates, kind):
            tags = {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}
            assert tags.items() >= {"penstock:project": "acme", "penstock:environment": "dev"}.items(), kind


def test_a_plan_without_an_account_goes_where_the_credentials_point(tmp_path: Path) -> None:
    """ARNs then hold CloudFormation's own account, in policies too."""
    plan = dataclasses.replace(plans.PLAN, account=None)
    templates = plans.synthesize(plan, tmp_path)
    role = statements.of_role(templates["acme-dev-airflow"], "ExecutionRole")

    (hand_over,) = statements.that_allow(role, "iam:PassRole")
    assert "arn:aws:iam::<AWS::AccountId>:role/acme-dev-????????-task" in hand_over["Resource"]
