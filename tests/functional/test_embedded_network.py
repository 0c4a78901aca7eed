"""Networks of the project file, deployed to the embedded AWS by the real CDK CLI, and changed there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.local.aws.endpoint import Endpoint
from tests.functional.cdk_command import cdk, environment
from tests.functional.embedded import ACCOUNT, REGION, ROOT, serving

IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/tools:1"
PROJECT = """\
name: sealed
environments: {{dev: {{region: {region}}}}}
network: {network}
airflow: {{create: {{version: 3.0.6, class: mw1.small, web_access_cidrs: {web_access}}}}}
jobs: {{hello: {{tasks: [{{name: greet, command: [greet], image: "{image}"}}]}}}}
schedules: [{{name: hello, job: hello, interval: "@daily"}}]
"""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with serving(tmp_path_factory.mktemp("aws")) as server:
        yield server.endpoint


def deploy(endpoint: Endpoint, folder: Path, network: str, web_access: str = "[]") -> None:
    """Synthesize and deploy the project with that network."""
    text = PROJECT.format(region=REGION, image=IMAGE, network=network, web_access=web_access)
    (folder / "penstock.yaml").write_text(text)
    flags: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    environ = {
        **environment(endpoint),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")]),
        "CDK_OUTDIR": str(folder / "cdk.out"),
        "CDK_CONTEXT_JSON": json.dumps({**flags, "project": str(folder / "penstock.yaml")}),
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
    }
    subprocess.run([sys.executable, str(ROOT / "app.py")], cwd=folder, env=environ, check=True, capture_output=True)
    cdk(endpoint, folder, "deploy", "--all", "--require-approval", "never", "-a", "cdk.out")


def services(endpoint: Endpoint) -> set[str]:
    """The services that have an endpoint."""
    endpoints = endpoint.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    return {one["ServiceName"].removeprefix(f"com.amazonaws.{REGION}.") for one in endpoints}


def let_in(endpoint: Endpoint, group: str) -> list[tuple[Any, ...]]:
    """Who may call a security group's members: (ports, ranges, groups) of each rule."""
    (group_description,) = endpoint.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    return [
        (
            one.get("FromPort"),
            [it["CidrIp"] for it in one["IpRanges"]],
            [it["GroupId"] for it in one["UserIdGroupPairs"]],
        )
        for one in group_description["IpPermissions"]
    ]


def test_the_ways_out_and_in_can_change_and_the_environment_stays(endpoint: Endpoint, tmp_path: Path) -> None:
    """Endpoints, then NAT gateways, then endpoints again: MWAA keeps its subnets, so its name and its database.
    And its group lets a VPN in, and then no longer, beside its own members."""
    nat = "{create: {cidr: 10.20.0.0/16, egress: nat, nat_gateways: 1}}"
    sealed = "{create: {cidr: 10.20.0.0/16, egress: endpoints, more_endpoints: [glue]}}"
    mwaa, ec2 = endpoint.client("mwaa"), endpoint.client("ec2")
    cdk(endpoint, tmp_path, "bootstrap", f"aws://{ACCOUNT}/{REGION}")

    def state() -> tuple[Any, Any]:
        mwaa_environment = mwaa.get_environment(Name="sealed-dev")["Environment"]
        gateways = ec2.describe_nat_gateways()["NatGateways"]
        return mwaa_environment["NetworkConfiguration"], [one for one in gateways if one["State"] == "available"]

    deploy(endpoint, tmp_path, sealed)
    first, gateways = state()
    created = services(endpoint)
    assert {"s3", "sqs", "airflow.api", "ecr.dkr", "ecs", "glue"} <= created
    assert len(created) == 13
    assert not gateways
    assert not [one for one in ec2.describe_internet_gateways()["InternetGateways"] if _ours(one)]

    (group,) = first["SecurityGroupIds"]
    assert let_in(endpoint, group) == [(None, [], [group])]

    deploy(endpoint, tmp_path, nat, "[10.8.0.0/16]")
    assert sorted(let_in(endpoint, group), key=str) == [(443, ["10.8.0.0/16"], []), (None, [], [group])]
    second, gateways = state()
    assert second == first
    assert len(gateways) == 1
    assert services(endpoint) == {"s3"}

    deploy(endpoint, tmp_path, sealed)
    third, gateways = state()
    assert third == first
    assert not gateways
    assert services(endpoint) == created
    assert let_in(endpoint, group) == [(None, [], [group])]


def _ours(resource: dict[str, Any]) -> bool:
    return {"Key": "penstock:project", "Value": "sealed"} in resource.get("Tags", [])
