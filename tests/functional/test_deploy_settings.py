"""A project that sets all it can for images, roles, tags and permissions: deployed by the real CDK CLI, and run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.local import fargate, images
from penstock_runtime.diagnosis.diagnose import diagnose
from penstock_runtime.plan.plan import Plan
from tests.functional.embedded import until
from tests.functional.permission_system import ACCOUNT, Deployed, deployed_project

LIMIT = "limit"
LAKE, OTHER = "acme-lake", "acme-other"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/0a1b2c3d-0000-4000-8000-000000000000"
DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: print('heard', flush=True))
print('up', os.environ['WORD'], flush=True)
while True:
    time.sleep(1)
"""
READ = """
import boto3, os, sys
open('/tmp/written', 'w').close()
s3 = boto3.client('s3')
print('keys', s3.list_objects_v2(Bucket=sys.argv[1])['KeyCount'], flush=True)
"""
WORDS = ["a b", "", 'it\'s "quoted"', "$HOME", "$(WORD)", "{{ ds }}", "%s|&;<*", "ü\tß", "back\\slash"]
OWN: list[tuple[str, Any, str, dict[str, Any]]] = [
    ("busybox", ["printf", "<%s>\\n", *WORDS], "busybox:1.37", {}),
    ("shell", ["sh", "-c", "echo word $WORD; exit 2"], "alpine:3.22", {"secrets": ["WORD"]}),
    ("slim", ["python3", "-c", "import sys; print(sys.flags, sys.path[-1]); sys.exit(3)"], "python:3.12-slim", {}),
    ("text", "sh -c 'echo one; exec sleep 60'", "busybox:1.37", {}),
    ("missing", ["no-such-program", "x"], "busybox:1.37", {}),
]
"""Tasks in images of which nobody says that they have Python."""
PROJECT: dict[str, Any] = {
    "name": "acme",
    "environments": {"dev-eu": {"region": "eu-west-1"}},
    "network": {"create": {}},
    "airflow": {"create": {"version": "3.0.6"}},
    "ecs": {"container_insights": "enhanced", "stop_timeout_seconds": 12},
    "logs": {"retention_days": 7, "mode": "non-blocking", "max_buffer_mib": 25},
    "iam": {
        "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/{LIMIT}",
        "role_path": "/data/",
        "role_name_prefix": "dp-",
        "bootstrap_qualifier": "acme",
    },
    "tags": {"team": "data", "cost center": "42"},
    "defaults": {"task": {"read_only_root": True}},
    "secrets": {"WORD": "secretsmanager:acme/word"},
    "secret_kms_keys": [KEY],
    "images": {"command": {"pull_through": {"upstream": "quay.io"}}},
    "jobs": {
        "read": {
            "tasks": [
                {
                    "name": name,
                    "command": ["python", "-c", READ, bucket],
                    "image": "quay.io/acme/reader:7",
                    "python": True,
                    "spot": True,
                    "permissions": [{"actions": ["s3:ListBucket"], "resources": [f"arn:aws:s3:::{LAKE}"]}],
                    "after": [],
                }
                for name, bucket in (("lake", LAKE), ("other", OTHER))
            ]
            + [
                {
                    "name": "deaf",
                    "command": ["python", "-c", DEAF],
                    "image": "quay.io/acme/reader:7",
                    "python": True,
                    "secrets": ["WORD"],
                }
            ]
        },
        "own": {
            "tasks": [
                {"name": name, "command": command, "image": f"quay.io/acme/{image}", "after": [], **more}
                for name, command, image, more in OWN
            ]
        },
    },
    "schedules": [
        {"name": "by-hand", "job": "read", "interval": "@manual"},
        {"name": "own", "job": "own", "interval": "@manual"},
    ],
}


def stand_in(folder: Path, plan: Plan) -> None:
    """This very environment, which holds boto3, for the reader's image, under the name that it has in the cache."""
    images.register_stock(folder, plan, print)
    for reference in {one.image.reference for one in plan.task_definitions if "/reader:" in one.image.reference}:
        images.write(folder, images.Manifest(reference, [str(Path(sys.executable).parent)]))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("settings")
    (folder / "penstock.yaml").write_text(json.dumps(PROJECT))
    with deployed_project(folder, {}, stand_in) as found:
        found.root("secretsmanager").update_secret(SecretId="acme/word", KmsKeyId=KEY)
        for bucket in (LAKE, OTHER):
            where = {"LocationConstraint": found.plan.region}
            found.root("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        yield found


def test_roles_are_as_the_organization_wants_them(system: Deployed) -> None:
    """Path and name, of MWAA's role as of all others; the bootstrap is that of the qualifier."""
    roles = [one for one in system.root("iam").list_roles()["Roles"] if "acme--dev-eu" in one["RoleName"]]
    stacks = {one["StackName"] for one in system.root("cloudformation").describe_stacks()["Stacks"]}

    assert len(roles) >= 5
    assert {one["Path"] for one in roles} == {"/data/"}
    assert all(one["RoleName"].startswith("dp-acme--dev-eu-") for one in roles)
    assert system.mwaa["ExecutionRoleArn"].startswith(f"arn:aws:iam::{ACCOUNT}:role/data/dp-acme--dev-eu-")
    assert stacks >= {"CDKToolkit-acme", "acme--dev-eu-ingestion", "acme--dev-eu-airflow"}
    assert "CDKToolkit" not in stacks


def test_a_task_runs_on_spot_with_the_tags_and_the_permission_of_the_project(system: Deployed) -> None:
    """Its image comes through the cache; it may read the one bucket that its permission names, and no other."""
    arns = {name: start(system, name) for name in ("lake", "other")}
    lake, other = (system.ended(arn) for arn in arns.values())
    ecs = system.root("ecs")
    (task,) = ecs.describe_tasks(cluster=system.plan.cluster, tasks=[arns["lake"]], include=["TAGS"])["tasks"]
    tags = {one["key"]: one["value"] for one in task["tags"]}

    assert (lake.code, "keys 0" in lake.text) == (0, True), lake.text
    assert other.code != 0
    assert "not authorized to perform: s3:ListBucket" in other.text
    assert task["capacityProviderName"] == "FARGATE_SPOT"
    assert tags.items() >= {"team": "data", "cost center": "42", "penstock:environment": "dev-eu"}.items()
    assert f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/acme--dev-eu-" in task["containers"][0]["image"]


def test_the_cache_wants_its_grants(system: Deployed) -> None:
    """Without the right to import an image from upstream, ECS cannot pull it, and says so."""
    iam = system.root("iam")
    role, text = needs(system, "lake")
    for action in ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository"):
        iam.put_role_policy(RoleName=role, PolicyName="Needs", PolicyDocument=text.replace(action, "ecr:Other"))
        ended = system.ended(start(system, "lake"))
        iam.put_role_policy(RoleName=role, PolicyName="Needs", PolicyDocument=text)

        assert (ended.code, ended.stop_code) == (None, "TaskFailedToStart")
        assert action in ended.reason


def test_a_secret_under_a_key_of_the_teams_own_wants_its_grant(system: Deployed) -> None:
    """Without kms:Decrypt, or with it for another store's sake, ECS does not start the task; with it, it does."""
    iam = system.root("iam")
    role, text = needs(system, "deaf")
    assert json.dumps(KEY) in text
    for cut in (
        text.replace("kms:Decrypt", "kms:Encrypt"),
        text.replace("secretsmanager.eu-west-1.", "ssm.eu-west-1."),
    ):
        assert cut != text
        iam.put_role_policy(RoleName=role, PolicyName="Needs", PolicyDocument=cut)
        ended = system.ended(start(system, "deaf"))
        iam.put_role_policy(RoleName=role, PolicyName="Needs", PolicyDocument=text)

        assert (ended.code, ended.stop_code) == (None, "TaskFailedToStart")
        assert "Access to KMS is not allowed" in ended.reason


def test_a_stopped_task_reports_its_end_within_the_stop_timeout(system: Deployed) -> None:
    """The engine hears SIGTERM and goes on; it is killed before ECS kills the container, and that is told."""
    arn = start(system, "deaf")
    until(lambda: "up ***" in fargate.log(system.plan, system.endpoint, arn), 60)
    system.airflow("ecs").stop_task(cluster=system.plan.cluster, task=arn, reason="enough")
    ended = system.ended(arn)

    *_, outcome, metric = ended.lines
    assert (ended.code, ended.stop_code, "heard" in ended.lines) == (143, "UserInitiated", True), ended.text
    assert outcome.startswith("penstock: stopped by SIGTERM (StopTask or a Spot interruption), exit code 143")
    assert json.loads(metric)["ExitCode"] == 143
    (task,) = system.root("ecs").describe_tasks(cluster=system.plan.cluster, tasks=[arn])["tasks"]
    assert 7 <= (task["executionStoppedAt"] - task["stoppingAt"]).total_seconds() < 12


def test_a_command_runs_in_any_image(system: Deployed) -> None:
    """The image's own entry point gets the arguments unchanged, with nothing of Penstock around it."""
    ended = system.ended(start(system, "busybox"))

    assert ended.code == 0, ended.text
    assert ended.lines == [f"<{word}>" for word in WORDS]


def test_an_own_image_s_exit_code_and_secrets_are_the_command_s(system: Deployed) -> None:
    """The secret is in the environment, and in the log as the command prints it; 2 is not one of the runtime's own."""
    arns = [start(system, name) for name in ("shell", "slim")]
    shell, slim = (system.ended(arn) for arn in arns)
    task = described(system, arns[0])

    assert (shell.code, shell.lines) == (2, ["word value-of-WORD"]), shell.text
    assert (slim.code, len(slim.lines)) == (3, 1), slim.text
    assert diagnose(task).cause == "the engine ended with an exit code of its own"
    given = task["overrides"]["containerOverrides"][0]
    assert [one["name"] for one in given["environment"]] == ["PENSTOCK_DEADLINE", "PENSTOCK_RUN"]


def test_an_own_image_is_stopped_from_outside(system: Deployed) -> None:
    """What Airflow does where its time is up reaches the command itself."""
    arn = start(system, "text")
    until(lambda: "one" in fargate.log(system.plan, system.endpoint, arn), 60)
    system.airflow("ecs").stop_task(cluster=system.plan.cluster, task=arn, reason="Task killed by the user")
    ended = system.ended(arn)

    assert (ended.code, ended.stop_code, ended.lines) == (143, "UserInitiated", ["one"])
    assert "raise timeout_minutes" in diagnose(described(system, arn)).fix


def test_an_own_image_without_the_program_says_so(system: Deployed) -> None:
    """In ECS's words, and in ours with what to do."""
    arn = start(system, "missing")
    ended = system.ended(arn)

    assert (ended.code, ended.stop_code) == (None, "TaskFailedToStart")
    assert 'exec: "no-such-program": executable file not found in $PATH' in ended.reason
    assert "correct the command in penstock.yaml" in diagnose(described(system, arn)).fix


def described(system: Deployed, arn: str) -> dict[str, Any]:
    """A Fargate task, as ECS describes it."""
    found: dict[str, Any] = system.root("ecs").describe_tasks(cluster=system.plan.cluster, tasks=[arn])["tasks"][0]
    return found


def needs(system: Deployed, name: str) -> tuple[str, str]:
    """The name of a task's execution role, and the text of what it may do."""
    family = system.task(name).family
    (definition,) = [one for one in system.plan.task_definitions if one.family == family]
    role = f"{definition.role_prefix}-exec"
    document = system.root("iam").get_role_policy(RoleName=role, PolicyName="Needs")["PolicyDocument"]
    return role, document if isinstance(document, str) else json.dumps(document)


def start(system: Deployed, name: str) -> str:
    """RunTask as the operator asks for it, with the keys of Airflow's role."""
    call = system.call(system.task(name))
    del call["launchType"]
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    answer = system.airflow("ecs").run_task(**call, capacityProviderStrategy=strategy, propagateTags="TASK_DEFINITION")
    return str(answer["tasks"][0]["taskArn"])
