"""MWAA, its bucket and what is in it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from penstock.diff.replacement import HOLDS_DATA
from penstock_runtime.release import infrastructure
from stacks.build import build_stacks
from stacks.release.source import Source
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates


def mwaa(templates: Templates) -> dict[str, Any]:
    (environment,) = plans.resources(templates, "AWS::MWAA::Environment")
    return dict(environment)


def deployments(templates: Templates) -> dict[str, dict[str, Any]]:
    """Prefix in the DAG bucket to deployment, with its logical id as `id`."""
    uploads = {}
    for logical_id, resource in templates["acme-dev-airflow"]["Resources"].items():
        if resource["Type"] == "Custom::CDKBucketDeployment":
            uploads[str(resource["Properties"]["DestinationBucketKeyPrefix"])] = {**resource, "id": logical_id}
    return uploads


def switch(templates: Templates, stack: str) -> dict[str, Any]:
    (resource_of_type,) = (
        resource for resource in templates[stack]["Resources"].values() if resource["Type"] == "Custom::PenstockRelease"
    )
    return dict(resource_of_type)


def test_the_environment_is_what_the_plan_says(templates: Templates) -> None:
    properties = mwaa(templates)["Properties"]

    assert properties["Name"] == "acme-dev"
    assert (properties["AirflowVersion"], properties["EnvironmentClass"]) == ("3.0.6", "mw1.small")
    assert (properties["MinWorkers"], properties["MaxWorkers"]) == (1, 2)
    assert properties["WebserverAccessMode"] == "PRIVATE_ONLY"
    assert properties["AirflowConfigurationOptions"] == {"core.parallelism": "40"}
    assert properties["DagS3Path"] == "dags"
    assert len(properties["NetworkConfiguration"]["SubnetIds"]) == 2
    assert len(properties["LoggingConfiguration"]) == 5
    assert {one["Enabled"] for one in properties["LoggingConfiguration"].values()} == {True}


def test_policies_are_there_before_the_environment(templates: Templates) -> None:
    """MWAA tries its role while it creates the environment, and fails for good if that is too early."""
    template = templates["acme-dev-airflow"]["Resources"]
    policies = {
        name
        for name, one in template.items()
        if one["Type"] in ("AWS::IAM::Policy", "AWS::S3::BucketPolicy")
        and not name.startswith("CustomCDKBucketDeployment")
    }

    assert len(policies) == 2
    assert policies <= set(mwaa(templates)["DependsOn"])


def test_the_execution_role_has_what_mwaa_asks_for(templates: Templates) -> None:
    """The actions of the MWAA user guide, on this environment's own queue, logs and bucket."""
    role = statements.of_role(templates["acme-dev-airflow"], "ExecutionRole")
    (metrics,) = statements.that_allow(role, "airflow:PublishMetrics")
    (queue,) = statements.that_allow(role, "sqs:SendMessage")
    (logs,) = statements.that_allow(role, "logs:CreateLogGroup")
    (key,) = statements.that_allow(role, "kms:Decrypt")

    assert metrics["Resource"] == [f"arn:aws:airflow:{plans.REGION}:{plans.ACCOUNT}:environment/acme-dev"]
    assert queue["Resource"] == [f"arn:aws:sqs:{plans.REGION}:*:airflow-celery-*"]
    assert (len(queue["Action"]), len(logs["Action"])) == (6, 7)
    assert logs["Resource"] == [f"arn:aws:logs:{plans.REGION}:{plans.ACCOUNT}:log-group:airflow-acme-dev-*"]
    assert key["NotResource"] == f"arn:aws:kms:*:{plans.ACCOUNT}:key/*"
    assert key["Condition"] == {"StringLike": {"kms:ViaService": [f"sqs.{plans.REGION}.amazonaws.com"]}}
    anywhere = {action for one in role if "*" in one["Resource"] for action in one["Action"]}
    # ListTasks on one cluster, by its condition.
    assert anywhere == {
        "logs:DescribeLogGroups",
        "cloudwatch:PutMetricData",
        "s3:GetAccountPublicAccessBlock",
        "ecs:ListTasks",
    }


def test_a_release_is_made_live_when_everything_else_is_there(templates: Templates) -> None:
    """Its files, what they find deployed, and MWAA come first; nothing is deleted by a deployment of files."""
    deployment = deployments(templates)
    live = switch(templates, "acme-dev-airflow")
    (environment,) = (
        name
        for name, resource in templates["acme-dev-airflow"]["Resources"].items()
        if resource["Type"] == "AWS::MWAA::Environment"
    )

    assert set(deployment) == {"dags/acme-dev/release", "dags/acme-dev"}
    assert {one["Properties"]["Prune"] for one in deployment.values()} == {False}
    assert {environment, *(one["id"] for one in deployment.values())} <= set(live["DependsOn"])
    assert live["Properties"] | {"ServiceToken": None, "Bucket": None, "Artifacts": None} == {
        "ServiceToken": None,
        "ServiceTimeout": "360",
        "Artifacts": None,
        "Bucket": None,
        "Do": "activate",
        "Folder": "dags/acme-dev",
        "Release": plans.RELEASE,
        "Plan": infrastructure.plan_sha256(plans.PLAN),
        "Order": "0",
        "Committed": "0",
        "Revision": "",
        "Replace": "false",
    }


def test_a_deploy_is_checked_before_it_changes_a_task(templates: Templates) -> None:
    """Task definitions and roles wait for the check, which may write nothing."""
    resources = templates["acme-dev-ingestion"]["Resources"]
    (name,) = (name for name, resource in resources.items() if resource["Type"] == "Custom::PenstockRelease")
    tasks = [resource for resource in resources.values() if resource["Type"] == "AWS::ECS::TaskDefinition"]
    role = statements.of_role(templates["acme-dev-ingestion"], "CheckRole")

    assert resources[name]["Properties"]["Do"] == "check"
    assert all(name in task["DependsOn"] for task in tasks)
    assert not any(action.startswith(("s3:Put", "s3:Delete")) for one in role for action in one["Action"])


def test_facts_are_written_after_what_they_tell_of(templates: Templates) -> None:
    """resources.json and infrastructure.json follow MWAA and the task definitions, and the switch follows them."""
    resources = templates["acme-dev-airflow"]["Resources"]
    facts = deployments(templates)["dags/acme-dev"]["id"]
    there = [name for name, resource in resources.items() if resource["Type"] == "AWS::ECS::TaskDefinition"]

    assert {"Environment", *there} <= set(resources[facts]["DependsOn"])
    assert facts in switch(templates, "acme-dev-airflow")["DependsOn"]


def test_where_the_project_comes_from_is_in_the_template(tmp_path: Path) -> None:
    """So that a newer commit takes effect, though its files be the deployed ones."""
    source = Source(1_700_000_060, 1_700_000_000, "abc1234+", replace="2026-11-21T10:00:00+00:00")
    live = switch(plans.synthesize(plans.PLAN, tmp_path, source=source), "acme-dev-airflow")["Properties"]

    assert (live["Order"], live["Committed"], live["Revision"]) == ("1700000060", "1700000000", "abc1234+")
    assert live["Replace"] == "2026-11-21T10:00:00+00:00"


def test_the_bundle_is_laid_out_for_the_switch(tmp_path: Path) -> None:
    """The release unchanged, and in its folder `top/` the files that go beside it, dot files included."""
    templates = plans.synthesize(plans.PLAN, tmp_path)
    properties = deployments(templates)["dags/acme-dev/release"]["Properties"]
    asset = tmp_path / "cdk.out" / f"asset.{properties['SourceObjectKeys'][0].removesuffix('.zip')}"

    assert {path.relative_to(asset).as_posix() for path in asset.rglob("*") if path.is_file()} == {
        ".airflowignore",
        f"{plans.RELEASE}/shards/00.json",
        f"{plans.RELEASE}/top/schedules_00.py",
        f"{plans.RELEASE}/top/.airflowignore",
    }


def test_the_deploy_writes_what_a_push_compares_with(tmp_path: Path) -> None:
    """infrastructure.json is `describe` of the plan, with the account that CloudFormation knows."""
    templates = plans.synthesize(dataclasses.replace(plans.PLAN, account=None), tmp_path)
    data = json.loads(plans.deployed_file(templates, tmp_path, "infrastructure.json"))
    expected = infrastructure.describe(
        dataclasses.replace(plans.PLAN, account=None),
        runtime_sha256=plans.RUNTIME_SHA256,
        images={},
        account="<AWS::AccountId>",
    )

    assert data == expected
    assert set(data["task_definitions"]) == {definition.family for definition in plans.PLAN.task_definitions}


@pytest.mark.parametrize("protected", [True, False])
def test_termination_protection_where_the_environment_is_marked(tmp_path: Path, protected: bool) -> None:
    """On every stack of it, or none."""
    app = plans.application(tmp_path / "cdk.out")
    build_stacks(app, dataclasses.replace(plans.PLAN, protected=protected), plans.files(tmp_path), account=None)
    stacks = [child for child in app.node.children if isinstance(child, cdk.Stack)]

    assert len(stacks) == 4
    assert {bool(stack.termination_protection) for stack in stacks} == {protected}


KEPT_NOWHERE = {
    ("network", "Flows", "AWS::Logs::LogGroup"): "the VPC's flow log: addresses, none of the project's data",
    ("ingestion", "CheckLog", "AWS::Logs::LogGroup"): "the log of the deploy's own function",
    ("airflow", "ReleaseLog", "AWS::Logs::LogGroup"): "the log of the deploy's own function",
    ("ingestion", "UploadLog", "AWS::Logs::LogGroup"): "the log of the deploy's own function",
    ("airflow", "UploadLog", "AWS::Logs::LogGroup"): "the log of the deploy's own function",
    ("observability", "OverdueLog", "AWS::Logs::LogGroup"): "the log of the function that looks for overdue schedules",
    ("observability", "ReaperLog", "AWS::Logs::LogGroup"): "the log of the function that stops tasks",
    ("observability", "StoppedLog", "AWS::Logs::LogGroup"): "the log of the function that reports failed tasks",
    ("observability", "Key", "AWS::KMS::Key"): "encrypts messages for the seconds that SNS holds them",
}
"""Stack, logical id and type of what goes with its stack, and why nothing is lost."""


def test_what_holds_data_outlives_its_stack(templates: Templates) -> None:
    """What `penstock diff` says holds data is retained, on a delete and on a replacement; but for MWAA's environment,
    which cannot live on without its role: it has termination protection and `penstock diff`."""
    seen = set()
    for stack, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] not in HOLDS_DATA or resource["Type"] == "AWS::MWAA::Environment":
                continue
            if any(
                (stack.removeprefix("acme-dev-"), resource["Type"]) == (where, kind) and logical_id.startswith(name)
                for where, name, kind in KEPT_NOWHERE
            ):
                continue
            seen.add(resource["Type"])
            # A stack whose creation fails takes its log groups along, which nobody has written to.
            assert resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate"), logical_id
            assert resource.get("UpdateReplacePolicy") == "Retain", logical_id

    assert seen >= {"AWS::S3::Bucket", "AWS::Logs::LogGroup"}


def test_the_deploy_writes_what_a_dag_needs_to_run_a_task(tmp_path: Path) -> None:
    """resources.json, with CloudFormation's values filled in, is one that the DAG loader reads."""
    templates = plans.synthesize(plans.PLAN, tmp_path)
    deployed = plans.deployed_resources(templates, tmp_path)

    assert (deployed.region, deployed.cluster, deployed.log_group) == (plans.REGION, "acme-dev", "/penstock/acme-dev")
    assert (len(deployed.subnets), len(deployed.security_groups)) == (2, 1)
    assert "TaskSecurityGroup" in deployed.security_groups[0]
    assert "Artifacts" in deployed.artifacts_bucket
    assert deployed.assign_public_ip is False
