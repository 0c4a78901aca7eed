"""Who reaches the embedded AWS by the fault proxy, and who does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from penstock.cli.main import app
from penstock.local import airflow_start, own_services, system
from penstock.local.aws.endpoint import STATE_FILE, TASKS_FILE, Endpoint, Keys
from penstock.local.aws.task import Task, TaskHost
from penstock.local.faults.place import Place
from penstock.local.instance import Instance, Process
from tests.unit.local.servers import server

DIRECT, AIRFLOW, TASKS, DESK, CONTROL = 4001, 4002, 4003, 4004, 4005
KEYS = Keys("ASIAEXAMPLE", "secret", "token")
ADDRESSES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    """An instance whose embedded AWS listens on `DIRECT`."""
    new_instance = Instance.create(tmp_path / "dev")
    (new_instance.folder / "aws").mkdir()
    state = {"port": DIRECT, "ca": "/ca.pem", "account": "123456789012", "region": "eu-west-1"}
    (new_instance.folder / "aws" / STATE_FILE).write_text(json.dumps(state))
    return new_instance


def put_proxy(instance: Instance, *, through_desk: bool = False) -> None:
    """Let a proxy listen, as far as its files say."""
    folder = system.faults_state(instance)
    folder.mkdir()
    Place(AIRFLOW, TASKS, DESK, CONTROL, "/faults.yaml", through_desk).write(folder)
    instance.processes["faults"] = Process("faults", 1, 0.0, "faults.log")


def ports(environ: dict[str, str]) -> set[str]:
    return {environ[name].rpartition(":")[2] for name in ADDRESSES}


@pytest.mark.parametrize("version", ["3.0.6", "2.11.0"])
def test_airflow_reaches_aws_by_the_proxy(instance: Instance, version: str) -> None:
    """Scheduler, workers and triggerer have its address for every service, and the keys as ever."""

    def environ() -> dict[str, str]:
        front = system.airflow_endpoint(instance)
        return airflow_start.components_environ(server(version), front, KEYS, datetime.now(UTC))

    assert ports(environ()) == {str(DIRECT)}
    put_proxy(instance)
    assert ports(environ()) == {str(AIRFLOW)}
    assert environ()["AWS_CA_BUNDLE"] == "/ca.pem"
    assert environ()["AWS_SESSION_TOKEN"] == "token"


def test_airflow_is_started_again_when_the_proxy_comes_or_goes(instance: Instance) -> None:
    """It would go on calling the address that it began with."""
    direct = system.aws_endpoint(instance)
    found = server("3.0.6")
    airflow_start._settings_file(instance).write_text(airflow_start._settings(found, direct))

    assert not airflow_start._settings_changed(instance, found, direct)
    assert airflow_start._settings_changed(instance, found, direct.through(AIRFLOW))


def container_environ(endpoint: Endpoint, folder: Path) -> dict[str, str]:
    """What the container of a task is started with."""
    record: dict[str, Any] = {"taskArn": "arn:aws:ecs:eu-west-1:123456789012:task/main/0a1b"}
    task = Task(record, {}, TaskHost(endpoint, folder, folder))
    return task._environ({"name": "main"}, {}, KEYS)


def test_containers_reach_aws_by_the_proxy(instance: Instance) -> None:
    """Those that start while it is there; those that start before and after reach the embedded AWS itself."""
    direct = system.aws_endpoint(instance)
    assert ports(container_environ(direct, instance.folder)) == {str(DIRECT)}
    assert not own_services.has_faults(instance)

    (direct.state / TASKS_FILE).write_text(str(TASKS))
    assert ports(container_environ(direct, instance.folder)) == {str(TASKS)}
    assert own_services.has_faults(instance)

    own_services.stop_faults(instance)
    assert ports(container_environ(direct, instance.folder)) == {str(DIRECT)}
    assert not own_services.has_faults(instance)


def test_desk_goes_straight_unless_the_file_says_so(instance: Instance) -> None:
    """The deploy and the commands work whatever the rules."""
    assert system.desk_endpoint(instance).port == DIRECT
    put_proxy(instance)
    assert system.desk_endpoint(instance).port == DIRECT


def test_desk_goes_by_the_proxy_where_the_file_says_so(instance: Instance) -> None:
    """`desk: true` lets a deploy be rehearsed, too."""
    put_proxy(instance, through_desk=True)

    assert system.desk_endpoint(instance).port == DESK


def test_proxy_that_died_is_in_nobodys_way(instance: Instance) -> None:
    """Its file is still there; the commands do not go to it."""
    put_proxy(instance, through_desk=True)
    del instance.processes["faults"]

    assert system.faults_place(instance) is None
    assert system.desk_endpoint(instance).port == DIRECT


@pytest.mark.parametrize("command", [["up"], ["run", "flights", "--up"]])
def test_wrong_file_is_an_error_before_anything_starts(tmp_path: Path, command: list[str]) -> None:
    """With its line; nothing is made."""
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n- {call: ecs:RunTasc, fault: lost}\n")

    result = CliRunner().invoke(app, [*command, "--faults", str(file)])

    assert isinstance(result.exception, Exception)
    assert f"{file}:2:10: ecs has no operation 'RunTasc'" in str(result.exception)


def test_faults_are_for_a_system_that_is_brought_up(tmp_path: Path) -> None:
    """Without --up, run takes the system unchanged."""
    result = CliRunner().invoke(app, ["run", "flights", "--faults", str(tmp_path / "faults.yaml")])

    assert "--faults is for a system that is brought up" in str(result.exception)
