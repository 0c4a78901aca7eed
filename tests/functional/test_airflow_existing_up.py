"""`penstock run --up` where the project takes its Airflow for granted: stand-ins are there, and the run passes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.local.aws.endpoint import Keys
from tests.functional.embedded_system import EmbeddedSystem

PROJECT = """\
name: guest
environments: {dev: {region: eu-west-1}}
network:
  use:
    vpc: vpc-0a1b2c3d
    private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]
    security_groups: [sg-0a1b2c3d]
airflow: AIRFLOW
openmetadata: {version: 1.12.14}
jobs:
  hello:
    tasks:
      - {name: greet, command: [python, -c, "print('hello')"]}
schedules:
  - {name: hello, job: hello, interval: "@daily"}
"""
AIRFLOW = {
    "use": (
        "{use: {environment: team, version: 3.0.6, bucket: team-dags, dags: a/dags, execution_role: team-airflow}}",
        "team-airflow",
        "stands in for the MWAA environment team of Airflow 3.0.6, its bucket team-dags and its role team-airflow",
    ),
    "self_managed": (
        "{self_managed: {version: 3.0.6, bucket: own-dags}}",
        "guest-dev-self-managed-airflow",
        "stands in for an Airflow 3.0.6 of your own",
    ),
}


@pytest.fixture
def system(tmp_path: Path) -> Iterator[EmbeddedSystem]:
    embedded = EmbeddedSystem(tmp_path)
    try:
        yield embedded
    finally:
        embedded.cli("down", check=False)


@pytest.mark.parametrize("way", AIRFLOW)
def test_a_run_passes_with_the_credentials_of_the_role_that_exists(system: EmbeddedSystem, way: str) -> None:
    """Airflow acts as the role that the project names, which has no grant but the ones that the deploy added."""
    airflow, role, told = AIRFLOW[way]
    system.file.write_text(PROJECT.replace("AIRFLOW", airflow))
    up = system.cli("up")
    run = system.run("hello")
    found = system.attach()
    scheduler = found.instance.processes["airflow-scheduler"]
    entries = Path(f"/proc/{scheduler.pid}/environ").read_text().split("\0")
    environ = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    caller = found.endpoint.client("sts", Keys(*(environ[name] for name in names))).get_caller_identity()["Arn"]

    assert told in up.stderr
    assert [(task["state"], task["exit_code"]) for task in run["tasks"]] == [("success", 0)]
    assert f"assumed-role/{role}/" in caller
    iam = found.endpoint.client("iam")
    (attached,) = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert attached["PolicyName"].startswith("guest-dev-airflow-")
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == (["Airflow"] if way == "use" else [])
    # Once more: nothing is made twice, and the run passes again.
    assert system.cli("up").returncode == 0
