"""An MWAA environment that another template made: adopted, deployed into by the real CDK CLI, left as it was.

The tests of this module follow each other on one embedded AWS, as a team's weeks do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
import yaml

from penstock.local.aws.endpoint import Endpoint, Keys
from tests.functional.embedded import ACCOUNT, IMAGE, REGION, ROOT, UNCHECKED, deploy, policy, serving, trust

CDK = ROOT / "node_modules" / ".bin" / "cdk"
BUCKET, DAGS = "team-airflow-dags", "airflow/dags"
OURS = f"{DAGS}/guest-dev/"
FOREIGN = {
    f"{DAGS}/foreign.py": "# somebody's",
    f"{DAGS}/.airflowignore": "drafts/",
    # Its name starts as ours does: a prefix without its slash would take it along.
    f"{DAGS}/guest-dev-2/other.py": "# somebody's",
    f"{DAGS}/guest/other.py": "# somebody's",
    "airflow/requirements.txt": "pandas",
    "plugins.zip": "zip",
}
PROJECT = """\
# The team's ingestion.
name: guest
environments:
  dev: {region: eu-west-1}    # the first is the default
network: {create: {cidr: 10.20.0.0/16}}
airflow:
  dag_prefix: guest_          # the team has DAGs of its own
  create:
    version: 3.0.6
# What runs.
jobs:
  hello:
    tasks:
      - {name: greet, command: [greet], image: "IMAGE"}
schedules:
  - {name: hello, job: hello, interval: "@daily"}
  - {name: again, job: hello, interval: "@hourly"}
"""


def team_template() -> dict[str, Any]:
    """What a platform team has: a VPC with NAT, a bucket, a role with what MWAA asks for, an environment."""
    vpc, table = {"VpcId": {"Ref": "Vpc"}}, {"RouteTableId": {"Ref": "Routes"}}
    kinds = {
        "Vpc": ("EC2::VPC", {"CidrBlock": "10.1.0.0/16"}),
        "Group": ("EC2::SecurityGroup", {"GroupDescription": "MWAA", **vpc}),
        "OwnMembers": ("EC2::SecurityGroupIngress", {"GroupId": {"Ref": "Group"}, "IpProtocol": "-1",
                       "SourceSecurityGroupId": {"Ref": "Group"}}),
        "Address": ("EC2::EIP", {"Domain": "vpc"}),
        "Nat": ("EC2::NatGateway", {"SubnetId": {"Ref": "Subnet0"},
                "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}}),
        "Routes": ("EC2::RouteTable", vpc),
        "Out": ("EC2::Route", {**table, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": {"Ref": "Nat"}}),
        "Bucket": ("S3::Bucket", {"BucketName": BUCKET, "VersioningConfiguration": {"Status": "Enabled"},
                   "PublicAccessBlockConfiguration": dict.fromkeys(
                       ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)}),
        "Role": ("IAM::Role", {"RoleName": "team-airflow", "Path": "/service-role/",
                 "AssumeRolePolicyDocument": trust("airflow.amazonaws.com", "airflow-env.amazonaws.com"),
                 "Policies": [policy("mwaa", {"Action": ["s3:GetObject*", "s3:List*"],
                              "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]})]}),
        "Environment": ("MWAA::Environment", {
            "Name": "team-airflow", "AirflowVersion": "2.10.3", "DagS3Path": DAGS,
            "SourceBucketArn": {"Fn::GetAtt": ["Bucket", "Arn"]}, "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "NetworkConfiguration": {"SubnetIds": [{"Ref": "Subnet0"}, {"Ref": "Subnet1"}],
                                     "SecurityGroupIds": [{"Ref": "Group"}]},
            "LoggingConfiguration": {name: {"Enabled": True, "LogLevel": "INFO"} for name in (
                "DagProcessingLogs", "SchedulerLogs", "TaskLogs", "WebserverLogs", "WorkerLogs")}}),
    }  # fmt: skip
    for number in (0, 1):
        zone = {"Fn::Select": [number, {"Fn::GetAZs": ""}]}
        block = f"10.1.{number}.0/24"
        kinds[f"Subnet{number}"] = ("EC2::Subnet", {**vpc, "CidrBlock": block, "AvailabilityZone": zone})
        association = {**table, "SubnetId": {"Ref": f"Subnet{number}"}}
        kinds[f"Association{number}"] = ("EC2::SubnetRouteTableAssociation", association)
    outputs = {name: {"Value": {"Ref": name}} for name in ("Vpc", "Subnet0", "Subnet1", "Group")}
    resources = {name: {"Type": f"AWS::{kind}", "Properties": body} for name, (kind, body) in kinds.items()}
    return {"Resources": resources, "Outputs": outputs}


class Team:
    """The account, the project in a folder, and the commands."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self.endpoint, self.folder = endpoint, folder
        self.ids = deploy(endpoint, "platform", team_template())
        (folder / "dags").mkdir()
        (folder / "dags" / "own.py").write_text("# of the project\n")
        self.file.write_text(PROJECT.replace("IMAGE", IMAGE))
        for key, text in FOREIGN.items():
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
        self.before = self.versions()
        self.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}")

    @property
    def file(self) -> Path:
        return self.folder / "penstock.yaml"

    @property
    def s3(self) -> Any:
        return self.endpoint.client("s3")

    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        more = UNCHECKED | {"CI": "true", "CDK_DEFAULT_ACCOUNT": ACCOUNT}
        return kept | self.endpoint.environ(self.endpoint.root()) | more

    def versions(self) -> list[tuple[str, str, str]]:
        """Every version and every delete marker of what is not ours."""
        versions = self.s3.list_object_versions(Bucket=BUCKET)
        listed = [("version", one) for one in versions.get("Versions", [])]
        listed += [("delete", one) for one in versions.get("DeleteMarkers", [])]
        return sorted((one["Key"], one["VersionId"], kind) for kind, one in listed if not one["Key"].startswith(OURS))

    def keys(self) -> set[str]:
        """What is below our folder."""
        objects = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=OURS).get("Contents", [])
        return {one["Key"].removeprefix(OURS) for one in objects}

    def adopt(self, *options: str) -> subprocess.CompletedProcess[str]:
        penstock = Path(sys.executable).with_name("penstock")
        command = [str(penstock), "--project", str(self.file), "adopt", "team-airflow", *options]
        return subprocess.run(command, env=self.environ(), capture_output=True, text=True)

    def deploy(self) -> None:
        context = json.dumps({"project": str(self.file)})
        environ = self.environ() | {"CDK_OUTDIR": str(self.folder / "cdk.out"), "CDK_CONTEXT_JSON": context}
        subprocess.run([sys.executable, str(ROOT / "app.py")], cwd=self.folder, env=environ, check=True)
        self.cdk("deploy", "--all", "--require-approval", "never", "-a", "cdk.out")

    def cdk(self, *arguments: str) -> None:
        command = [str(CDK), "--no-notices", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self.environ(), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def session(self) -> Keys:
        """Airflow's: the execution role of the environment."""
        mwaa = self.endpoint.client("mwaa").get_environment(Name="team-airflow")["Environment"]
        return self.endpoint.assume(mwaa["ExecutionRoleArn"], "airflow")

    def start(self, keys: Keys) -> str:
        """Start the project's task as the operator does; what ECS answers."""
        resources = json.loads(self.s3.get_object(Bucket=BUCKET, Key=f"{OURS}resources.json")["Body"].read())
        network = {"subnets": resources["subnets"], "securityGroups": resources["security_groups"]}
        (family,) = self.endpoint.client("ecs").list_task_definition_families()["families"]
        try:
            answer = self.endpoint.client("ecs", keys).run_task(
                cluster=resources["cluster"], taskDefinition=family, launchType="FARGATE",
                networkConfiguration={"awsvpcConfiguration": network},
            )  # fmt: skip
        except botocore.exceptions.ClientError as error:
            return str(error.response["Error"]["Code"])
        return "started" if answer["tasks"] else str(answer["failures"])


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with serving(tmp_path_factory.mktemp("aws")) as server:
        yield Team(server.endpoint, tmp_path_factory.mktemp("project"))


def test_dry_run_shows_and_writes_nothing(team: Team) -> None:
    before = team.file.read_bytes()
    done = team.adopt("--dry-run")

    assert (done.returncode, team.file.read_bytes()) == (0, before), done.stderr
    assert "+    environment: team-airflow" in done.stdout
    assert "nothing is written" in done.stderr


def test_adopt_writes_what_is_there(team: Team) -> None:
    """What AWS says, in place of what the project had; comments and all else stay. Nothing is wrong with this one."""
    done = team.adopt("--format", "json")
    output = json.loads(done.stdout)
    project = yaml.safe_load(team.file.read_text())

    assert done.returncode == 0, done.stdout + done.stderr
    assert (output["written"], output["findings"]) == (True, [])
    assert project["network"] == {
        "use": {"vpc": team.ids["Vpc"], "private_subnets": [team.ids["Subnet0"], team.ids["Subnet1"]]}
    }
    assert project["airflow"] == {
        "dag_prefix": "guest_",
        "use": {
            "environment": "team-airflow",
            "version": "2.10.3",
            "bucket": BUCKET,
            "dags": DAGS,
            "execution_role": f"arn:aws:iam::{ACCOUNT}:role/service-role/team-airflow",
            "security_groups": [team.ids["Group"]],
        },
    }
    for comment in ("# The team's ingestion.", "# the first is", "# the team has DAGs of its own", "# What runs."):
        assert comment in team.file.read_text()


def test_adopting_again_changes_nothing(team: Team) -> None:
    before = team.file.read_bytes()
    done = team.adopt()

    assert (done.returncode, team.file.read_bytes()) == (0, before)
    assert "says it already" in done.stdout


def test_deploy_adds_a_folder_and_permissions(team: Team) -> None:
    """The bundle is below its own folder, the role that exists may start the task, and nothing else is touched."""
    team.deploy()

    keys = team.keys()
    assert {".airflowignore", "own.py", "resources.json", "schedules_00.py"} <= keys
    assert any(key.startswith("release/") for key in keys)
    assert team.versions() == team.before
    assert team.start(team.session()) == "started"


def test_the_role_gets_nothing_else(team: Team) -> None:
    """Another role of the account, with the same trust, may not start the task; this one may not start another."""
    iam = team.endpoint.client("iam")
    role = iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(trust("airflow.amazonaws.com")))
    attached = iam.list_attached_role_policies(RoleName="team-airflow")["AttachedPolicies"]

    assert "AccessDenied" in team.start(team.endpoint.assume(role["Role"]["Arn"], "test"))
    assert len(attached) == 1
    assert iam.list_role_policies(RoleName="team-airflow")["PolicyNames"] == ["mwaa"]
    ecs = team.endpoint.client("ecs", team.session())
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        ecs.run_task(cluster="guest-dev", taskDefinition="another")


def test_the_upload_may_not_leave_its_folder(team: Team) -> None:
    """With the upload's own role: what is foreign cannot be overwritten, deleted or even listed."""
    role = next(one for one in team.endpoint.client("iam").list_roles()["Roles"] if "UploadRole" in one["RoleName"])
    s3 = team.endpoint.client("s3", team.endpoint.assume(role["Arn"], "test"))
    s3.put_object(Bucket=BUCKET, Key=f"{OURS}x.py", Body=b"")
    s3.delete_object(Bucket=BUCKET, Key=f"{OURS}x.py")

    for key in FOREIGN:
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=BUCKET, Prefix=DAGS)
    assert team.versions() == team.before


def test_redeploy_removes_what_the_project_dropped(team: Team) -> None:
    """A schedule and a DAG file are gone from our folder, and everything foreign is as it was, version for version."""
    text = team.file.read_text()
    team.file.write_text(text.replace('  - {name: again, job: hello, interval: "@hourly"}\n', ""))
    (team.folder / "dags" / "own.py").unlink()
    shards_before = team.keys()
    team.deploy()

    keys = team.keys()
    new = [key for key in keys - shards_before if key.endswith(".json")]
    shard = json.loads(team.s3.get_object(Bucket=BUCKET, Key=OURS + new[0])["Body"].read())
    assert "own.py" not in keys
    assert [one["dag_id"] for one in shard["schedules"]] == ["guest_hello"]
    assert team.versions() == team.before


def test_destroy_leaves_everything_as_it_was(team: Team) -> None:
    """Our folder and our policy are gone; bucket, foreign files, role and environment are as the team made them."""
    team.cdk("destroy", "--all", "--force", "-a", "cdk.out")

    iam = team.endpoint.client("iam")
    assert team.keys() == set()
    assert team.versions() == team.before
    assert iam.list_attached_role_policies(RoleName="team-airflow")["AttachedPolicies"] == []
    assert iam.list_role_policies(RoleName="team-airflow")["PolicyNames"] == ["mwaa"]
    assert team.endpoint.client("mwaa").get_environment(Name="team-airflow")["Environment"]["Status"] == "AVAILABLE"


def test_adopt_says_what_is_wrong(team: Team) -> None:
    """The same environment after somebody has let it go: errors make exit code 1."""
    team.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    team.s3.delete_public_access_block(Bucket=BUCKET)
    document = policy("", {"Action": "ecs:*", "Resource": "*"})["PolicyDocument"]
    team.endpoint.client("iam").put_role_policy(
        RoleName="team-airflow", PolicyName="wide", PolicyDocument=json.dumps(document)
    )
    rule = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": team.ids["Group"]}]}]
    team.endpoint.client("ec2").revoke_security_group_ingress(GroupId=team.ids["Group"], IpPermissions=rule)
    done = team.adopt("--dry-run", "--format", "json")
    levels = [(one["level"], one["what"]) for one in json.loads(done.stdout)["findings"]]

    assert done.returncode == 1, done.stderr
    assert [level for level, _ in levels] == ["error", "error", "error", "warning"]
    for part in (
        "is not versioned",
        "nor its account blocks",
        "lets its own members in",
        "wide lets whoever writes DAGs",
    ):
        assert any(part in what for _, what in levels), part


def test_adopt_without_permissions_says_which(team: Team) -> None:
    """A role that may read the environment only: what it could not look at is named, and the network left alone."""
    before = team.file.read_bytes()
    iam = team.endpoint.client("iam")
    arn = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust("airflow.amazonaws.com")))
    document = policy("", {"Action": "airflow:GetEnvironment", "Resource": "*"})["PolicyDocument"]
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=json.dumps(document))
    keys = team.endpoint.assume(arn["Role"]["Arn"], "test")
    penstock = Path(sys.executable).with_name("penstock")
    done = subprocess.run(
        [str(penstock), "--project", str(team.file), "adopt", "team-airflow", "--dry-run", "--format", "json"],
        env=team.environ() | team.endpoint.environ(keys), capture_output=True, text=True,
    )  # fmt: skip
    output = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert output["network"] is None
    assert [one["what"].partition("it takes ")[2].split(",")[0] for one in output["findings"]] == [
        "s3:GetBucketVersioning", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration",
        "iam:ListRolePolicies", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups",
    ]  # fmt: skip
    assert team.file.read_bytes() == before


def test_adopt_of_what_is_not_there(team: Team, tmp_path: Path) -> None:
    """An unknown environment, and no project: exit code 2, and what to do."""
    penstock = Path(sys.executable).with_name("penstock")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(penstock), *arguments]
        return subprocess.run(command, env=team.environ(), cwd=tmp_path, capture_output=True, text=True)

    unknown = run("--project", str(team.file), "adopt", "team-airflo")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "did you mean 'team-airflow'?" in unknown.stderr
    nothing = run("adopt", "team-airflow")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "there is no penstock.yaml to write into" in nothing.stderr
    assert "environments: {dev: {region: eu-west-1}}" in nothing.stderr
    elsewhere = run("--project", str(team.file), "adopt", "team-airflow", "--region", "us-east-1")
    assert elsewhere.returncode == 2
    assert "the project deploys to eu-west-1, not to us-east-1" in elsewhere.stderr
