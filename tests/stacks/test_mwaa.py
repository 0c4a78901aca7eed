"""The MWAA environment: each setting in the template, the log groups, the files, the user's own key."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from penstock.diff.templates import compare
from penstock_runtime.plan.airflow import AirflowFile
from penstock_runtime.plan.plan import Plan
from stacks.build import build_stacks
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates
from tests.stacks.every_mwaa_setting import FULL, KEY, PLAN, resources


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of `PLAN`."""
    return synthesize(PLAN, tmp_path_factory.mktemp("full"))


FOLDERS = {"Requirements": "requirements", "Plugins": "plugins", "StartupScript": "startup"}
"""What a file's properties of the environment begin with → its folder in the bucket."""


def synthesize(plan: Plan, folder: Path, *, nag: bool = False, more: tuple[str, ...] = ()) -> Templates:
    """As `plans.synthesize`, with files for the environment, and `more` of them."""
    app = plans.application(folder / "cdk.out")
    environment = folder / "environment"
    for key in ("requirements/aaaaaaaa.txt", "plugins/bbbbbbbb.zip", "startup/cccccccc.sh", *more):
        (environment / key).parent.mkdir(parents=True, exist_ok=True)
        (environment / key).write_text("")
    files = dataclasses.replace(plans.files(folder), environment=environment)
    build_stacks(app, plan, files, account=None)
    if nag:
        plans.judge(app)
    return {stack.stack_name: stack.template for stack in app.synth().stacks}


def uploads(templates: Templates) -> dict[str, dict[str, Any]]:
    """The deployments of the environment's files, by logical id."""
    properties = resources(templates, "Custom::CDKBucketDeployment")
    return {
        name: one
        for name, one in properties.items()
        if one["Properties"].get("DestinationBucketKeyPrefix") in FOLDERS.values()
    }


def test_every_setting_is_in_the_template(full: Templates) -> None:
    """Under the service's name for it; what depends on other resources is in the other tests."""
    properties = resources(full, "AWS::MWAA::Environment")["Environment"]["Properties"]
    others = {"ExecutionRoleArn", "SourceBucketArn", "NetworkConfiguration", "LoggingConfiguration", "Tags"}
    others |= {name for name in properties if name.endswith("S3ObjectVersion")}

    assert {name: value for name, value in properties.items() if name not in others} == {
        "Name": "acme-dev",
        "AirflowVersion": "3.3.1",
        "EnvironmentClass": "mw1.large",
        "MinWorkers": 2,
        "MaxWorkers": 9,
        "Schedulers": 4,
        "MinWebservers": 3,
        "MaxWebservers": 5,
        "WebserverAccessMode": "PUBLIC_AND_PRIVATE",
        "DagS3Path": "dags",
        "RequirementsS3Path": "requirements/aaaaaaaa.txt",
        "PluginsS3Path": "plugins/bbbbbbbb.zip",
        "StartupScriptS3Path": "startup/cccccccc.sh",
        "KmsKey": KEY,
        "WeeklyMaintenanceWindowStart": "SUN:03:30",
        "WorkerReplacementStrategy": "FORCED",
        "EndpointManagement": "CUSTOMER",
    }
    logs = {name: (one["Enabled"], one["LogLevel"]) for name, one in properties["LoggingConfiguration"].items()}
    assert logs == {
        "DagProcessingLogs": (True, "ERROR"),
        "SchedulerLogs": (True, "ERROR"),
        "TaskLogs": (True, "DEBUG"),
        "WebserverLogs": (True, "ERROR"),
        "WorkerLogs": (False, "ERROR"),
    }


def test_what_is_fixed_at_creation_is_left_out_by_default(templates: Templates) -> None:
    """Said where it was not said before, it would be a change, and CloudFormation replaces the environment for that."""
    properties = resources(templates, "AWS::MWAA::Environment")["Environment"]["Properties"]

    assert {"KmsKey", "EndpointManagement"} & set(properties) == set()


def test_the_environment_keeps_its_logical_id(templates: Templates, full: Templates) -> None:
    """Another one would be another environment, and the database would go with the old one."""
    assert set(resources(templates, "AWS::MWAA::Environment")) == {"Environment"}
    assert set(resources(full, "AWS::MWAA::Environment")) == {"Environment"}


@pytest.mark.parametrize("which", ["templates", "full"])
def test_log_groups_are_there_first_with_a_retention(which: str, request: pytest.FixtureRequest) -> None:
    """MWAA writes to groups of these names, and would make ones that never expire. A log that is off has one too."""
    made: Templates = request.getfixturevalue(which)
    groups = resources(made, "AWS::Logs::LogGroup")
    own = {name: group for name, group in groups.items() if name.startswith("Mwaa")}

    suffixes = {one["Properties"]["LogGroupName"].removeprefix("airflow-acme-dev-") for one in own.values()}
    assert suffixes == {"DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"}
    assert {one["Properties"]["RetentionInDays"] for one in own.values()} == {7 if which == "full" else 90}
    assert {one["Properties"].get("KmsKeyId") for one in own.values()} == {KEY if which == "full" else None}
    assert {one["DeletionPolicy"] for one in own.values()} == {"RetainExceptOnCreate"}
    depends = set(resources(made, "AWS::MWAA::Environment")["Environment"]["DependsOn"])
    assert set(own) <= depends


def test_files_are_there_before_the_environment_names_them(templates: Templates, full: Templates) -> None:
    """They stay: a deploy that is rolled back needs the old ones. Without files there is no deployment for them."""
    environment, deployments = resources(full, "AWS::MWAA::Environment")["Environment"], uploads(full)

    assert {deployment["Properties"]["DestinationBucketKeyPrefix"] for deployment in deployments.values()} == set(
        FOLDERS.values()
    )
    for name, one in deployments.items():
        assert (one["Properties"]["Prune"], one["Properties"]["Extract"]) == (False, False)
        assert name in environment["DependsOn"]
    assert uploads(templates) == {}


def test_each_file_is_named_with_the_version_that_was_uploaded(full: Templates, tmp_path: Path) -> None:
    """The upload of that very key says it. Another content is another upload: what was uploaded is never sent again."""
    environment = resources(full, "AWS::MWAA::Environment")["Environment"]["Properties"]
    for name, folder in FOLDERS.items():
        (upload,) = [
            one for one, upload in uploads(full).items() if upload["Properties"]["DestinationBucketKeyPrefix"] == folder
        ]
        version = {"Fn::Select": [0, {"Fn::GetAtt": [upload, "SourceObjectVersionIds"]}]}
        assert environment[f"{name}S3ObjectVersion"] == version
        (key,) = uploads(full)[upload]["Properties"]["SourceObjectKeys"]
        assert f"{folder}/{key}" == environment[f"{name}S3Path"]
        assert uploads(full)[upload]["Properties"]["OutputObjectVersionIds"] is True
    other = dataclasses.replace(FULL, requirements=AirflowFile("requirements/dddddddd.txt", "tabulate==1\n"))
    changed = synthesize(dataclasses.replace(PLAN, airflow=other), tmp_path, more=("requirements/dddddddd.txt",))

    assert len(set(uploads(changed)) - set(uploads(full))) == 1
    assert len(set(uploads(changed)) & set(uploads(full))) == 2
    (change,) = [one for one in compare(full, changed) if one.type == "AWS::MWAA::Environment"]
    assert change.properties == ("RequirementsS3ObjectVersion", "RequirementsS3Path")
    assert [field.path for field in change.fields] == ["RequirementsS3Path"]
    assert not [one for one in compare(full, changed) if one.kind in ("added", "removed", "replaced")]


def test_a_key_of_ones_own_encrypts_the_bucket_and_is_used_by_way_of_two_services(full: Templates) -> None:
    """MWAA's user guide: the key itself, through SQS and S3; and no key but it."""
    role = statements.of_role(full["acme-dev-airflow"], "ExecutionRole")
    (statement,) = [one for one in role if any(action.startswith("kms:") for action in one["Action"])]
    encryption = resources(full, "AWS::S3::Bucket")
    (rules,) = [one["Properties"]["BucketEncryption"] for one in encryption.values()]

    assert statement["Resource"] == [KEY]
    assert "NotResource" not in statement
    services = [f"{service}.{plans.REGION}.amazonaws.com" for service in ("sqs", "s3")]
    assert statement["Condition"] == {"StringLike": {"kms:ViaService": services}}
    assert set(statement["Action"]) == {"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt"}
    (rule,) = rules["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    filler = statements.of_role(full["acme-dev-airflow"], "CustomCDKBucketDeployment")
    assert {KEY} == {arn for one in statements.that_allow(filler, "kms:Decrypt") for arn in one["Resource"]}


def test_the_log_of_cdks_function_is_there_before_it(full: Templates) -> None:
    """In each stack: CDK's own group would be made after the function, which may have made it by then itself."""
    functions = 0
    for template in full.values():
        for name, resource in template["Resources"].items():
            if resource["Type"] == "AWS::Lambda::Function" and "CDKBucketDeployment" in name:
                functions += 1
                group = template["Resources"][resource["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]]
                assert "LogGroupName" not in group["Properties"]
                assert group["Properties"]["RetentionInDays"] == 30
        assert not [
            name for name in template["Resources"] if "CDKBucketDeployment" in name and name.endswith("LogGroup")
        ]
    assert functions == 2


def test_the_role_serves_this_environment_only(templates: Templates) -> None:
    """MWAA's user guide, "Cross-service confused deputy prevention"."""
    ((trust,),) = [
        resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for name, resource in resources(templates, "AWS::IAM::Role").items()
        if name.startswith("ExecutionRole")
    ]

    assert set(trust["Principal"]["Service"]) == {"airflow.amazonaws.com", "airflow-env.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": plans.ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:airflow:{plans.REGION}:{plans.ACCOUNT}:environment/acme-dev"},
    }


def test_no_finding_of_cdk_nag_is_left(tmp_path: Path) -> None:
    """With every setting, and the user's own key."""
    synthesize(PLAN, tmp_path, nag=True)
