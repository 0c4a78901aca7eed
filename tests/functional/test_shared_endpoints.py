"""The state machine that makes MWAA's endpoints, step by step, run by the emulator's Step Functions.

The states that call MWAA are not: what MWAA would answer is the input, so that all answers can be tried.
`test_optional_permissions` runs all of it, with its role's permissions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.functional.embedded import REGION, free_port, until
from tests.stacks.shared_vpc import machine, synthesized

SERVICE = f"com.amazonaws.vpce.{REGION}.vpce-svc-"

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Clients of a bare emulator: ours would ask for the permissions of a role."""
    port = str(free_port())
    environ = {**os.environ, "GATEWAY_PORT": port, "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0"}
    environ["SERVICES"] = "ec2,states"
    with (tmp_path_factory.mktemp("emulator") / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environ, stdout=log, stderr=subprocess.STDOUT
        )

    def make(service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=f"http://127.0.0.1:{port}", region_name=REGION, **keys)

    def answers() -> bool:
        try:
            return bool(make("ec2").describe_vpcs()["Vpcs"])
        except OSError:
            return False

    try:
        until(lambda: process.poll() is not None or answers(), 30)
        yield make
    finally:
        process.terminate()
        process.wait(15)


def run(client: Client, folder: Path, environment: dict[str, str], **place: Any) -> str:
    """Run the machine with what MWAA says of the environment; the state that it ended in, or that it waits in."""
    definition = machine(synthesized(folder, **place))
    definition["States"] |= {"Look": {"Type": "Pass", "Next": "Choose"}, "Watch": {"Type": "Pass", "Next": "Decide"}}
    for name in ("DatabaseVpcEndpointService", "WebserverVpcEndpointService"):
        # The emulator has one account.
        definition["States"].get(name, {}).pop("Credentials", None)
    states = client("stepfunctions")
    role = "arn:aws:iam::000000000000:role/any"
    arn = states.create_state_machine(name=folder.name, definition=json.dumps(definition), roleArn=role)
    execution = states.start_execution(
        stateMachineArn=arn["stateMachineArn"], input=json.dumps({"Environment": environment})
    )["executionArn"]

    def entered() -> str | None:
        # First of all: the history of what has ended by now is whole.
        status = states.describe_execution(executionArn=execution)["status"]
        history = states.get_execution_history(executionArn=execution)["events"]
        last = [one["stateEnteredEventDetails"]["name"] for one in history if "stateEnteredEventDetails" in one]
        if not last or (status == "RUNNING" and last[-1] not in ("Wait", "Rest")):
            return None
        return f"{status} {last[-1]}"

    ended = str(until(entered))
    if ended.startswith("RUNNING"):
        states.stop_execution(executionArn=execution)
    return ended


def test_both_endpoints_are_made_when_mwaa_waits(client: Client, tmp_path: Path) -> None:
    """Not before; and if the web server needs none, only the database's."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"] for number in (0, 1)]
    group = ec2.create_security_group(GroupName="mwaa", Description="mwaa", VpcId=vpc)["GroupId"]
    place = {"vpc": vpc, "subnets": subnets, "security_groups": (group,)}
    services = {
        "DatabaseVpcEndpointService": f"{SERVICE}1",
        "WebserverVpcEndpointService": f"{SERVICE}2",
    }

    def made() -> list[str]:
        endpoints = [one for one in ec2.describe_vpc_endpoints()["VpcEndpoints"] if one["VpcId"] == vpc]
        assert all(one["SubnetIds"] == subnets for one in endpoints)
        assert all(one["Tags"] == [{"Key": "penstock:airflow", "Value": "acme-dev"}] for one in endpoints)
        return sorted(one["ServiceName"].removeprefix(SERVICE) for one in endpoints)

    assert run(client, tmp_path / "a", {"Status": "CREATING", **services}, **place) == "RUNNING Wait"
    assert run(client, tmp_path / "b", {"Status": "PENDING"}, **place) == "RUNNING Wait"
    assert run(client, tmp_path / "c", {"Status": "AVAILABLE", **services}, **place) == "SUCCEEDED Over"
    assert run(client, tmp_path / "f", {"Status": "CREATE_FAILED", **services}, **place) == "FAILED Failed"
    assert made() == []
    assert run(client, tmp_path / "d", {"Status": "PENDING", **services}, **place) == "RUNNING Rest"
    assert made() == ["1", "2"]
    alone = {"Status": "PENDING", "DatabaseVpcEndpointService": f"{SERVICE}3"}
    assert run(client, tmp_path / "e", alone, web_server=False, **place) == "RUNNING Rest"
    assert made() == ["1", "2", "3"]
