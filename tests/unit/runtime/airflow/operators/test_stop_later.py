"""What goes on stopping a task once Airflow has ended the process that it was killed in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock_runtime.airflow.operators import stop_later
from tests.unit.runtime.airflow.operators.fake_aws import FakeAws, refused, unreachable


def running(aws: FakeAws) -> str:
    return aws.add({"startedBy": "penstock/d/t/1", "overrides": {}}, {"code": 0})


def test_it_stops_what_is_named_and_what_is_listed(aws_client: FakeAws) -> None:
    """A call of RunTask may have been on its way: its task is found by `startedBy`."""
    named, listed = running(aws_client), running(aws_client)
    aws_client.tasks[named]["startedBy"] = "not listed yet"
    aws_client.faults = {"list_tasks": [unreachable()] * 3, "stop_task": [unreachable()]}

    assert stop_later.main(order([named])) == 0

    assert {aws_client.tasks[arn]["lastStatus"] for arn in (named, listed)} == {"STOPPED"}


def test_one_that_ecs_no_longer_knows_holds_up_no_other(aws_client: FakeAws) -> None:
    """It has stopped; what still runs is stopped all the same."""
    listed = running(aws_client)
    unknown = refused("InvalidParameterException", "The referenced task was not found.")
    aws_client.faults = {"stop_task": [unknown, refused("ThrottlingException"), unknown]}

    assert stop_later.main(order(["forgotten"])) == 0

    assert aws_client.tasks[listed]["lastStatus"] == "STOPPED"


def test_it_waits_for_a_task_that_is_not_there_yet(aws_client: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """And gives up in the end."""
    looks = iter(range(100))
    listed = aws_client.list_tasks

    def late(**given: Any) -> dict[str, Any]:
        if next(looks) == 5:
            running(aws_client)
        return listed(**given)

    monkeypatch.setattr(aws_client, "list_tasks", late)
    assert stop_later.main(order([])) == 0

    monkeypatch.setattr(stop_later, "STOP_LATER_SECONDS", 0.05)
    aws_client.tasks.clear()
    assert stop_later.main(order([])) == 1


def test_it_is_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a session of its own, which Airflow's SIGKILL does not reach, and with the runtime of this release."""
    started: list[Any] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **options: started.append((given, options)))

    stop_later.detach("eu-west-1", "acme", "penstock/d/t/1", ["arn"])

    monkeypatch.undo()
    (((command,), options),) = started
    assert options["start_new_session"]
    done = subprocess.run(
        [sys.executable, "-c", f"import {command[2]}; print({command[2]}.__file__)"],
        env={"PATH": os.defpath, "PYTHONPATH": options["env"]["PYTHONPATH"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == Path(stop_later.__file__)
    assert json.loads(command[3]) == {
        "region": "eu-west-1",
        "cluster": "acme",
        "started_by": "penstock/d/t/1",
        "arns": ["arn"],
    }


def order(arns: list[str]) -> str:
    given = {"region": "eu-west-1", "cluster": "acme", "started_by": "penstock/d/t/1", "arns": arns}
    return json.dumps(given)


@pytest.fixture
def aws_client(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """What boto3 gives, and no waiting."""
    import boto3

    fake = FakeAws()
    monkeypatch.setattr(boto3.session.Session, "client", lambda *_, **__: fake)
    monkeypatch.setattr(stop_later, "EVERY_SECONDS", 0.001)
    return fake
