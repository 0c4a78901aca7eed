"""A project that sets all it can for images, roles, tags and permissions: deployed by the real CDK CLI, and run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.local import images
from penstock_runtime.plan import Plan
from tests.functional.permission_system import ACCOUNT, Deployed, deployed_project

LIMIT = "limit"
LAKE, OTHER = "acme-lake", "acme-other"
READ = """
import boto3, os, sys
open('/tmp/written', 'w').close()
s3 = boto3.client('s3')
print('keys', s3.list_objects_v2(Bucket=sys.argv[1])['KeyCount'], flush=True)
"""
PROJECT: dict[str, Any] = {
    "name": "acme",
    "environments": {"dev-eu": {"region": "eu-west-1"}},
    "network": {"create": {}},
    "airflow": {"create": {"version": "3.0.6"}},
    "ecs": {"container_insights": "enhanced", "stop_timeout_seconds": 20},
    "logs": {"retention_days": 7, "mode": "non-blocking", "max_buffer_mib": 25},
    "iam": {
        "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/{LIMIT}",
        "role_path": "/data/",
        "role_name_prefix": "dp-",
        "bootstrap_qualifier": "acme",
    },
    "tags": {"team": "data", "cost center": "42"},
    "defaults": {"task": {"read_only_root": True}},
    "images": {"command": {"pull_through": {"upstream": "quay.io"}}},
    "jobs": {
        "read": {
            "tasks": [
                {
                    "name": name,
                    "command": ["python", "-c", READ, bucket],
                    "image": "quay.io/acme/reader:7",
                    "spot": True,
                    "permissions": [{"actions": ["s3:ListBucket"], "resources": [f"arn:aws:s3:::{LAKE}"]}],
                    "after": [],
                }
                for name, bucket in (("lake", LAKE), ("other", OTHER))
            ]
        }
    },
    "schedules": [{"name": "by-hand", "job": "read", "interval": "@manual"}],
}


def stand_in(folder: Path, plan: Plan) -> None:
    """This very environment, which holds boto3, for the image, under the name that it has in the cache."""
    for reference in images.stock_references(plan):
        images.write(folder, images.Manifest(reference, [str(Path(sys.executable).parent)]))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("settings")
    (folder / "penstock.yaml").write_text(json.dumps(PROJECT))
    with deployed_project(folder, {}, stand_in) as found:
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
    role = f"{system.plan.task_definitions[0].role_prefix}-exec"
    before = iam.get_role_policy(RoleName=role, PolicyName="Needs")["PolicyDocument"]
    text = before if isinstance(before, str) else json.dumps(before)
    for action in ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository"):
        iam.put_role_policy(RoleName=role, PolicyName="Needs", PolicyDocument=text.replace(action, "ecr:Other"))
        ended = system.ended(start(system, "lake"))
        iam.put_role_policy(RoleName=role, PolicyName="Needs", PolicyDocument=text)

        assert (ended.code, ended.stop_code) == (None, "TaskFailedToStart")
        assert action in ended.reason


def start(system: Deployed, name: str) -> str:
    """RunTask as the operator asks for it, with the keys of Airflow's role."""
    call = system.call(system.task(name))
    del call["launchType"]
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    answer = system.airflow("ecs").run_task(**call, capacityProviderStrategy=strategy, propagateTags="TASK_DEFINITION")
    return str(answer["tasks"][0]["taskArn"])
