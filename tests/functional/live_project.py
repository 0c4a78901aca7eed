"""A project in a git repository of its own, an embedded AWS, and the two commands that put the one into the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from penstock.local.aws.endpoint import Endpoint, Keys
from penstock_runtime.release.manifest import Manifest
from tests.functional.embedded import ACCOUNT, REGION, ROOT, UNCHECKED, policy, trust

CDK = ROOT / "node_modules" / ".bin" / "cdk"
SECONDS = 300

PROJECT = f"""\
name: acme
environments:
  dev: {{region: {REGION}}}
  prod: {{region: {REGION}, protected: true}}
network: {{create: {{cidr: 10.20.0.0/16}}}}
airflow: {{create: {{version: 3.0.6}}}}
secrets: {{TOKEN: secretsmanager:acme/token}}
jobs:
  hello:
    tasks:
      - {{name: greet, command: [echo, hello], image: "example.com/tools:1"}}
schedules:
  - {{name: hello, job: hello, interval: "@daily"}}
"""


@dataclass
class LiveProject:
    """The project in `folder`."""

    folder: Path
    endpoint: Endpoint
    clock: int = 1_700_000_000
    """Seconds since 1970 of the last commit; each is a minute after the one before."""

    first: str = PROJECT
    """The project file's first text."""

    @property
    def file(self) -> Path:
        """The project file."""
        return self.folder / "penstock.yaml"

    def start(self) -> None:
        """Make the repository, and bootstrap the account."""
        self.folder.mkdir()
        self.file.write_text(PROJECT)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("start")
        self.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", cwd=self.folder)

    def git(self, *arguments: str) -> str:
        """Run git."""
        date = f"{self.clock} +0000"
        who = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@b",
        }
        environ = {**os.environ, **who, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit everything, a minute later than the last time."""
        self.clock += 60
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def start_again(self, *, deploy: bool = True) -> None:
        """The project as it was first, in a commit newer than all others, deployed or pushed."""
        self.git("checkout", "--quiet", "--force", "main")
        self.file.write_text(PROJECT)
        self.commit("start again")
        if deploy:
            self.deploy()
        else:
            self.penstock("push")

    def edit(self, **changes: Any) -> str:
        """Change top-level keys of the project file and commit that."""
        project = yaml.safe_load(self.file.read_text())
        self.file.write_text(yaml.safe_dump({**project, **changes}, sort_keys=False))
        return self.commit("edit")

    def add_schedule(self, name: str) -> str:
        """Run the job at another time too, and commit that."""
        schedules = yaml.safe_load(self.file.read_text())["schedules"]
        return self.edit(schedules=[*schedules, {"name": name, "job": "hello", "interval": "@hourly"}])

    def environ(self) -> dict[str, str]:
        """The environment of a command, with the account's root key."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        silent = {"CI": "true", "NO_COLOR": "1", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"}
        return {**kept, **silent, **UNCHECKED, **self.endpoint.environ(self.endpoint.root())}

    def cdk(self, *arguments: str, cwd: Path = ROOT, fails: bool = False) -> str:
        """Run the CDK CLI; what it says."""
        done = subprocess.run(
            [str(CDK), "--no-notices", *arguments],
            cwd=cwd,
            env=self.environ(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, said
        return said

    def deploy(self, *context: str, environment: str = "dev", fails: bool = False) -> str:
        """`cdk deploy --all`, as in the README."""
        options = ["-c", f"project={self.file}", "-c", f"environment={environment}"]
        for one in context:
            options += ["-c", one]
        output = ["--output", str(self.folder.parent / "cdk.out")]
        return self.cdk("deploy", "--all", "--require-approval", "never", *output, *options, fails=fails)

    def deploy_failing_at_the_end(self) -> str:
        """`cdk deploy` of an assembly whose Airflow stack has one more resource, which fails after all others."""
        assembly = self.folder.parent / "cdk.out"
        self.cdk("synth", "--quiet", "--output", str(assembly), "-c", f"project={self.file}")
        file = assembly / "acme-dev-airflow.template.json"
        template = json.loads(file.read_text())
        others = [name for name, one in template["Resources"].items() if one["Type"] == "Custom::PenstockRelease"]
        bad = {"Type": "AWS::MWAA::Environment", "Properties": {"Name": "1 is not a name"}, "DependsOn": others}
        template["Resources"]["Bad"] = bad
        file.write_text(json.dumps(template))
        return self.cdk("deploy", "--all", "--require-approval", "never", "-a", str(assembly), fails=True)

    def penstock(self, *arguments: str, code: int = 0, keys: Keys | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of penstock, with the root key or those given."""
        environ = self.environ() | (self.endpoint.environ(keys) if keys else {})
        done = subprocess.run(
            [str(Path(sys.executable).with_name("penstock")), "--project", str(self.file), *arguments],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def data(self, *arguments: str, code: int = 0) -> Any:
        """Run a command and read the JSON that it prints."""
        return json.loads(self.penstock(*arguments, "--format", "json", code=code).stdout)

    @property
    def hello(self) -> dict[str, str]:
        """The first schedule."""
        return {"name": "hello", "job": "hello", "interval": "@daily"}

    # Permissions

    def pusher_grants(self) -> list[dict[str, Any]]:
        """What docs/permissions.md says that `penstock push --to` needs, one grant each."""
        dags, artifacts = f"arn:aws:s3:::{self.dags}", f"arn:aws:s3:::{self.artifacts}"
        folder, releases = "dags/acme-dev", "dags/acme-dev/release/*"
        kept = [f"{artifacts}/{one}/*" for one in ("configs", "runtime", "plans")]
        listed = ["release.json", "configs/*", "runtime/*", "plans/*"]
        return [
            {"Action": "s3:GetObject", "Resource": f"{dags}/{folder}/*"},
            {"Action": "s3:PutObject", "Resource": f"{dags}/{folder}/*"},
            {"Action": "s3:ListBucket", "Resource": dags, "Condition": {"StringLike": {"s3:prefix": releases}}},
            {"Action": "s3:GetObject", "Resource": [f"{artifacts}/release.json", f"{artifacts}/plans/*"]},
            {"Action": "s3:PutObject", "Resource": [f"{artifacts}/release.json", *kept]},
            {"Action": "s3:ListBucket", "Resource": artifacts, "Condition": {"StringLike": {"s3:prefix": listed}}},
            {"Action": "s3:DeleteObject", "Resource": f"{dags}/{folder}/*"},
            {"Action": "s3:DeleteObject", "Resource": f"{artifacts}/plans/*"},
        ]

    def pusher(self, name: str, grants: list[dict[str, Any]]) -> Keys:
        """A session of a new role with these grants."""
        iam = self.endpoint.client("iam")
        trusted = json.dumps(trust("ec2.amazonaws.com"))
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
        document = json.dumps(policy("push", *grants)["PolicyDocument"])
        iam.put_role_policy(RoleName=name, PolicyName="push", PolicyDocument=document)
        return self.endpoint.assume(arn, "ci")

    # What is in the buckets

    def output(self, stack: str, name: str) -> str:
        """An output of a stack."""
        (stack_description,) = self.endpoint.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return str(next(one["OutputValue"] for one in stack_description["Outputs"] if one["OutputKey"] == name))

    @property
    def dags(self) -> str:
        """The DAG bucket."""
        return self.output("acme-dev-airflow", "DagBucket")

    @property
    def artifacts(self) -> str:
        """The artifacts bucket."""
        return self.output("acme-dev-ingestion", "ArtifactsBucket")

    def manifest(self) -> Manifest:
        """What is live."""
        answer = self.endpoint.client("s3").get_object(Bucket=self.artifacts, Key="release.json")
        return Manifest.from_json(answer["Body"].read().decode())

    def age(self) -> set[str]:
        """Let three days go by for what was retired; which releases that were."""
        manifest = self.manifest()
        retired = [replace(one, since="2020-01-01T00:00:00+00:00") for one in manifest.retired]
        body = replace(manifest, retired=tuple(retired)).to_json().encode()
        self.endpoint.client("s3").put_object(Bucket=self.artifacts, Key="release.json", Body=body)
        return {one.release for one in retired}

    def kept(self) -> tuple[set[str], set[str]]:
        """The releases of which anything is in the DAG bucket, and the plans in the other."""
        s3 = self.endpoint.client("s3")
        objects = s3.list_objects_v2(Bucket=self.dags, Prefix="dags/acme-dev/release/", Delimiter="/")
        plans = s3.list_objects_v2(Bucket=self.artifacts, Prefix="plans/")["Contents"]
        return (
            {one["Prefix"].split("/")[-2] for one in objects["CommonPrefixes"]},
            {one["Key"].removeprefix("plans/").removesuffix(".json") for one in plans},
        )

    def files(self) -> dict[str, str]:
        """Key → content of the DAG bucket, releases left out."""
        s3 = self.endpoint.client("s3")
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket=self.dags)["Contents"]]
        return {
            key: s3.get_object(Bucket=self.dags, Key=key)["Body"].read().decode(errors="replace")
            for key in keys
            if "/release/" not in key
        }

    def scheduled(self) -> set[str]:
        """The DAG ids that Airflow gets."""
        return {str(one["dag_id"]) for one in self.schedules()}

    def families(self) -> set[str]:
        """The task definitions that Airflow's DAGs name."""
        return {str(task["family"]) for one in self.schedules() for task in one["tasks"]}

    def active(self) -> set[str]:
        """The task definitions that can be started."""
        arns = self.endpoint.client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"]
        return {arn.rpartition("/")[2].partition(":")[0] for arn in arns if "/acme-dev-" in arn}

    def schedules(self) -> list[dict[str, Any]]:
        """What Airflow gets: the schedules of the release that the loaders name."""
        s3 = self.endpoint.client("s3")
        found: list[dict[str, Any]] = []
        for key, text in self.files().items():
            if key.startswith("dags/acme-dev/schedules_"):
                release = text.partition('RELEASE = "')[2].partition('"')[0]
                shard = f"dags/acme-dev/release/{release}/shards/{key[-5:-3]}.json"
                held = json.loads(s3.get_object(Bucket=self.dags, Key=shard)["Body"].read())
                found += held["schedules"]
        return found
