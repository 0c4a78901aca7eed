"""An MWAA environment that Penstock creates with the user's own name, bucket, DAG folder and role."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from penstock_runtime.plan.airflow import AirflowFile
from stacks.build import build_stacks
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates
from tests.stacks.every_mwaa_setting import FULL, resources

BUCKET, FILES = "team-airflow", "penstock/acme-dev"
OWN = dataclasses.replace(
    plans.PLAN,
    airflow=dataclasses.replace(
        FULL,
        name="Team_Airflow",
        bucket=BUCKET,
        dags="team/dags",
        execution_role="team/airflow-role",
        kms_key=None,
        endpoint_management="service",
        requirements=AirflowFile(f"{FILES}/requirements/aaaaaaaa.txt", "tabulate\n"),
        plugins=f"{FILES}/plugins/bbbbbbbb.zip",
        startup_script=AirflowFile(f"{FILES}/startup/cccccccc.sh", "true\n"),
    ),
)
KEYS = (
    f"{FILES}/requirements/aaaaaaaa.txt",
    f"{FILES}/plugins/bbbbbbbb.zip",
    f"{FILES}/startup/cccccccc.sh",
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of `OWN`, which leave cdk-nag no finding."""
    folder = tmp_path_factory.mktemp("own")
    app = plans.application(folder / "cdk.out")
    for key in KEYS:
        (folder / "environment" / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / "environment" / key).write_text("")
    files = dataclasses.replace(plans.files(folder), environment=folder / "environment")
    build_stacks(app, OWN, files, account=None)
    plans.judge(app)
    return {stack.stack_name: stack.template for stack in app.synth().stacks}


def granted(templates: Templates, role: str) -> list[dict[str, Any]]:
    """The statements for a role, or for what stands for it."""
    return statements.of_role(templates["acme-dev-airflow"], role)


def test_the_environment_is_made_in_what_exists(own: Templates) -> None:
    """The names of the plan; MWAA's bucket and role are not resources of the stack."""
    environment = resources(own, "AWS::MWAA::Environment")["Environment"]["Properties"]
    roles = [name for name in resources(own, "AWS::IAM::Role") if name.startswith("ExecutionRole")]

    assert (environment["Name"], environment["DagS3Path"]) == ("Team_Airflow", "team/dags")
    assert statements.text(environment["SourceBucketArn"]) == f"arn:aws:s3:::{BUCKET}"
    role = f"arn:aws:iam::{plans.ACCOUNT}:role/team/airflow-role"
    assert statements.text(environment["ExecutionRoleArn"]) == role
    assert environment["RequirementsS3Path"] == f"{FILES}/requirements/aaaaaaaa.txt"
    assert "Fn::GetAtt" in str(environment["RequirementsS3ObjectVersion"])
    assert roles == list(resources(own, "AWS::S3::Bucket")) == []


def test_its_role_is_given_what_mwaa_and_the_dags_need(own: Templates) -> None:
    """By managed policies that are there before the environment; of the bucket MWAA reads its own objects only."""
    policies = resources(own, "AWS::IAM::ManagedPolicy")
    found = granted(own, "ExecutionPolicies")
    (objects,) = statements.that_allow(found, "s3:GetObject*")
    (run,) = statements.that_allow(found, "ecs:RunTask")

    assert {tuple(policy["Properties"]["Roles"]) for policy in policies.values()} == {("airflow-role",)}
    assert set(policies) <= set(resources(own, "AWS::MWAA::Environment")["Environment"]["DependsOn"])
    assert set(objects["Resource"]) == {f"arn:aws:s3:::{BUCKET}/team/dags/*", f"arn:aws:s3:::{BUCKET}/{FILES}/*"}
    assert statements.that_allow(found, "airflow:PublishMetrics")[0]["Resource"] == [
        f"arn:aws:airflow:{plans.REGION}:{plans.ACCOUNT}:environment/Team_Airflow"
    ]
    assert run["Condition"]


def test_uploads_touch_two_folders_of_the_bucket(own: Templates) -> None:
    """The bundle's, which goes with the stack, and that of MWAA's files, where nothing is ever deleted."""
    (role,) = [
        resource["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        for name, resource in resources(own, "AWS::IAM::Role").items()
        if name.startswith("UploadRole")
    ]

    def may(action: str) -> set[str]:
        """The resources that the upload may do this with."""
        found = [statements.listed(one["Resource"]) for one in role if action in statements.listed(one["Action"])]
        return {statements.text(resource) for some in found for resource in some}

    writes, deletes = may("s3:PutObject"), may("s3:DeleteObject")
    uploads = resources(own, "Custom::CDKBucketDeployment").values()

    assert deletes == {f"arn:aws:s3:::{BUCKET}/team/dags/acme-dev/*"}
    assert writes == {*deletes, f"arn:aws:s3:::{BUCKET}/{FILES}/*"}
    kept = {
        upload["Properties"]["DestinationBucketKeyPrefix"]: upload["Properties"]["RetainOnDelete"] for upload in uploads
    }
    assert {folder: stays for folder, stays in kept.items() if stays} == {
        f"{FILES}/requirements": True,
        f"{FILES}/plugins": True,
        f"{FILES}/startup": True,
    }
