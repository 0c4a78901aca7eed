"""An MWAA environment with every file, deployed and changed by the real CDK CLI; what changes restarts it, no more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
import yaml

from penstock.local.aws.endpoint import Endpoint
from tests.functional.embedded import ACCOUNT, REGION, ROOT, UNCHECKED, serving

CDK = ROOT / "node_modules" / ".bin" / "cdk"
PROJECT = ROOT / "tests" / "golden" / "full" / "project"


class Deployed:
    """The project of the golden case `full`, in the embedded AWS."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self.endpoint, self.folder = endpoint, folder
        shutil.copytree(PROJECT, folder / "project")
        self.edit("penstock.yaml", "111122223333", ACCOUNT)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / "project" / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def deploy(self) -> str:
        """Synthesize and deploy; what the CLI said. Where it failed, that."""
        shutil.rmtree(self.folder / "cdk.out", ignore_errors=True)
        # The arguments that the CLI would hand over in its context.
        context = f'{{"project": "{self.folder / "project" / "penstock.yaml"}"}}'
        environ = {**self._environ(), "CDK_OUTDIR": str(self.folder / "cdk.out"), "CDK_CONTEXT_JSON": context}
        subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environ, check=True, capture_output=True)
        return self.cdk("deploy", "--all", "--require-approval", "never", "-a", "cdk.out")

    def cdk(self, *arguments: str) -> str:
        command = [str(CDK), "--no-notices", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self._environ(), capture_output=True, text=True)
        return done.stdout + done.stderr + f"exit {done.returncode}"

    def environment(self) -> dict[str, Any]:
        found: dict[str, Any] = self.endpoint.client("mwaa").get_environment(Name="full-dev")["Environment"]
        return found

    def read(self, name: str) -> bytes:
        """A file that the environment names, with what its execution role may do."""
        environment = self.environment()
        keys = self.endpoint.assume(environment["ExecutionRoleArn"], "airflow")
        bucket = environment["SourceBucketArn"].rsplit(":", 1)[-1]
        body: bytes = self.endpoint.client("s3", keys).get_object(Bucket=bucket, Key=environment[name])["Body"].read()
        return body

    def _environ(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        more = {**UNCHECKED, "CI": "true", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}
        return {**kept, **self.endpoint.environ(self.endpoint.root()), **more, "CDK_DEFAULT_ACCOUNT": ACCOUNT}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with serving(tmp_path_factory.mktemp("aws")) as server:
        deployed_app = Deployed(server.endpoint, tmp_path_factory.mktemp("app"))
        assert deployed_app.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}").endswith("exit 0")
        said = deployed_app.deploy()
        assert said.endswith("exit 0"), said
        yield deployed_app


def test_the_environment_has_its_files_and_its_log_groups(deployed: Deployed) -> None:
    """The role can read each file that the environment names, in that version; the groups have their retention."""
    groups = deployed.endpoint.client("logs").describe_log_groups(logGroupNamePrefix="airflow-full-dev-")["logGroups"]

    assert deployed.read("RequirementsS3Path").startswith(b'--constraint "https://')
    assert deployed.read("StartupScriptS3Path") == (PROJECT / "airflow" / "startup.sh").read_bytes()
    assert b"acme_plugin.py" in deployed.read("PluginsS3Path")
    environment = deployed.environment()
    for kind in ("Requirements", "Plugins", "StartupScript"):
        there = deployed.endpoint.client("s3").list_object_versions(
            Bucket=environment["SourceBucketArn"].rsplit(":", 1)[-1], Prefix=environment[f"{kind}S3Path"]
        )["Versions"]
        assert [one["VersionId"] for one in there] == [environment[f"{kind}S3ObjectVersion"]]
    assert {one["logGroupName"].rsplit("-", 1)[-1] for one in groups} == {
        *("DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"),
    }
    assert {one["retentionInDays"] for one in groups} == {30}


def test_the_role_is_taken_for_its_environment_only(deployed: Deployed) -> None:
    """A copy of it that no environment has: MWAA would not get it, whoever asks."""
    iam = deployed.endpoint.client("iam")
    role = deployed.environment()["ExecutionRoleArn"]
    trust = iam.get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]["AssumeRolePolicyDocument"]
    copy = iam.create_role(RoleName="copy", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    assert deployed.endpoint.assume(role, "airflow")
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        deployed.endpoint.assume(copy, "airflow")


def test_only_a_changed_file_changes_the_environment(deployed: Deployed) -> None:
    """No change: nothing happens. A schedule: not to the environment. A requirement: one key; the old file stays."""
    before = deployed.environment()
    assert deployed.deploy().count("(no changes)") == 4

    deployed.edit("penstock.yaml", "@daily", "@hourly")
    assert deployed.deploy().endswith("exit 0")
    assert deployed.environment() == before

    deployed.edit("airflow/requirements.txt", "tabulate", "tabulate==0.10.0")
    assert deployed.deploy().endswith("exit 0")
    after = deployed.environment()
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"RequirementsS3Path", "RequirementsS3ObjectVersion", "LastUpdate"}
    assert b"tabulate==0.10.0" in deployed.read("RequirementsS3Path")
    bucket = after["SourceBucketArn"].rsplit(":", 1)[-1]
    assert deployed.endpoint.client("s3").head_object(Bucket=bucket, Key=before["RequirementsS3Path"])


def test_what_leaves_the_project_leaves_the_environment(deployed: Deployed) -> None:
    """Options, requirements and plugins; MWAA keeps what a template does not hold, as the startup script here."""
    before = deployed.environment()
    kept = (deployed.folder / "project" / "penstock.yaml").read_text()
    document = yaml.safe_load(kept)
    for name in ("options", "requirements", "plugins", "startup_script"):
        del document["airflow"]["create"][name]
    (deployed.folder / "project" / "penstock.yaml").write_text(yaml.safe_dump(document))
    said = deployed.deploy()
    assert said.endswith("exit 0"), said

    assert deployed.read("RequirementsS3Path") == b"# The project asks for no packages.\n"
    assert b"acme_plugin.py" not in deployed.read("PluginsS3Path")
    assert deployed.environment()["AirflowConfigurationOptions"] == {"core.default_task_retries": "0"}
    assert deployed.environment()["StartupScriptS3Path"] == before["StartupScriptS3Path"]

    (deployed.folder / "project" / "penstock.yaml").write_text(kept)
    assert deployed.deploy().endswith("exit 0")
    assert deployed.environment()["AirflowConfigurationOptions"] == before["AirflowConfigurationOptions"]


def test_the_version_moves_within_its_line_and_not_past_2_11(deployed: Deployed) -> None:
    """With the version, the constraints; what MWAA refuses is rolled back, and the environment is as before."""
    deployed.edit("penstock.yaml", "3.2.1", "3.3.1")
    assert deployed.deploy().endswith("exit 0")
    assert deployed.environment()["AirflowVersion"] == "3.3.1"
    assert b"constraints-3.3.1" in deployed.read("RequirementsS3Path")

    project, requirements = (
        deployed.folder / "project" / name for name in ("penstock.yaml", "airflow/requirements.txt")
    )
    kept = {file: file.read_text() for file in (project, requirements)}
    # 2.10.3's constraints hold another one.
    deployed.edit("airflow/requirements.txt", "tabulate==0.10.0", "tabulate")
    deployed.edit("penstock.yaml", "3.3.1", "2.10.3")
    deployed.edit("penstock.yaml", "public_and_private", "private")
    said = deployed.deploy()
    assert "between 2 and 3 the way leads over 2.11" in said
    environment = deployed.environment()
    assert (environment["AirflowVersion"], environment["WebserverAccessMode"]) == ("3.3.1", "PUBLIC_AND_PRIVATE")
    assert b"constraints-3.3.1" in deployed.read("RequirementsS3Path")
    for file, text in kept.items():
        file.write_text(text)


def test_it_moves_to_a_bucket_and_a_role_that_exist(deployed: Deployed) -> None:
    """In place: the environment reads DAGs and files in that bucket, as that role, by what we attach to it."""
    s3, iam = deployed.endpoint.client("s3"), deployed.endpoint.client("iam")
    s3.create_bucket(Bucket="team-airflow", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="team-airflow", VersioningConfiguration={"Status": "Enabled"})
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket="team-airflow", PublicAccessBlockConfiguration=dict.fromkeys(blocks, True))
    services = [f"{one}.amazonaws.com" for one in ("airflow", "airflow-env")]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="team-role", Path="/team/", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]["Arn"]
    deployed.edit(
        "penstock.yaml",
        "  create:\n",
        f"  create:\n    bucket: team-airflow\n    dags: a/dags\n    execution_role: {role}\n",
    )
    said = deployed.deploy()
    assert said.endswith("exit 0"), said

    environment = deployed.environment()
    assert (environment["SourceBucketArn"], environment["DagS3Path"]) == ("arn:aws:s3:::team-airflow", "a/dags")
    assert environment["ExecutionRoleArn"] == role
    assert environment["RequirementsS3Path"].startswith("penstock/full-dev/requirements/")
    for name in ("RequirementsS3Path", "PluginsS3Path", "StartupScriptS3Path"):
        assert deployed.read(name)
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="team-airflow")["Contents"]]
    assert "a/dags/full-dev/schedules_00.py" in keys
    assert all(key.startswith(("a/dags/full-dev/", "penstock/full-dev/")) for key in keys)
