"""MWAA, its bucket and what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.stacks import plans, statements
from tests.stacks.conftest import Templates


def mwaa(templates: Templates) -> dict[str, Any]:
    (found,) = plans.resources(templates, "AWS::MWAA::Environment")
    return dict(found)


def deployments(templates: Templates) -> dict[str, dict[str, Any]]:
    resources = templates["acme-dev-airflow"]["Resources"]
    return {name: one for name, one in resources.items() if one["Type"] == "Custom::CDKBucketDeployment"}


def test_the_environment_is_what_the_plan_says(templates: Templates) -> None:
    found = mwaa(templates)["Properties"]

    assert found["Name"] == "acme-dev"
    assert (found["AirflowVersion"], found["EnvironmentClass"]) == ("3.0.6", "mw1.small")
    assert (found["MinWorkers"], found["MaxWorkers"]) == (1, 2)
    assert found["WebserverAccessMode"] == "PRIVATE_ONLY"
    assert found["AirflowConfigurationOptions"] == {"core.parallelism": "40"}
    assert found["DagS3Path"] == "dags"
    assert len(found["NetworkConfiguration"]["SubnetIds"]) == 2
    assert len(found["LoggingConfiguration"]) == 5
    assert {one["Enabled"] for one in found["LoggingConfiguration"].values()} == {True}


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
    assert anywhere == {"logs:DescribeLogGroups", "cloudwatch:PutMetricData", "s3:GetAccountPublicAccessBlock"}


def test_a_release_is_there_before_a_loader_names_it(templates: Templates) -> None:
    """Releases go first and stay; loaders replace what is below the prefix, but for the releases."""
    found = deployments(templates)
    ((release, first),) = [(name, one) for name, one in found.items() if one["Properties"]["Prune"] is False]
    ((_, second),) = [(name, one) for name, one in found.items() if one["Properties"]["Prune"] is True]

    assert first["Properties"]["DestinationBucketKeyPrefix"] == "dags/acme-dev/release"
    assert second["Properties"]["DestinationBucketKeyPrefix"] == "dags/acme-dev"
    assert second["Properties"]["Exclude"] == ["release/*"]
    assert release in second["DependsOn"]


def test_each_deployment_holds_its_half_of_the_bundle(tmp_path: Path) -> None:
    """The release is in the first and not in the second, dot files included; nothing is lost."""
    templates = plans.synthesize(plans.PLAN, tmp_path)
    contents = {}
    for one in deployments(templates).values():
        properties = one["Properties"]
        asset = tmp_path / "cdk.out" / f"asset.{properties['SourceObjectKeys'][0].removesuffix('.zip')}"
        files = {path.relative_to(asset).as_posix() for path in asset.rglob("*") if path.is_file()}
        contents[properties["Prune"]] = files

    assert contents == {
        False: {f"{plans.RELEASE}/shards/00.json"},
        True: {"schedules_00.py", ".airflowignore"},
    }


def test_the_deploy_writes_what_a_dag_needs_to_run_a_task(tmp_path: Path) -> None:
    """resources.json, with CloudFormation's values filled in, is one that the DAG loader reads."""
    templates = plans.synthesize(plans.PLAN, tmp_path)
    found = plans.deployed_resources(templates, tmp_path)

    assert (found.region, found.cluster, found.log_group) == (plans.REGION, "acme-dev", "/penstock/acme-dev")
    assert (len(found.subnets), len(found.security_groups)) == (2, 1)
    assert "TaskSecurityGroup" in found.security_groups[0]
    assert "Artifacts" in found.artifacts_bucket
    assert found.assign_public_ip is False
