"""The operator under real Airflow, against a scripted ECS: what it asks for, shows, and makes of each ending."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import Any

import pytest
from fake_ecs import RUNNING, FakeEcs, ended, serving
from samples import CATALOGUE, DAILY, LOAD, write_bundle

from penstock_runtime import contract

NAMES = (
    "succeeds",
    "catalogues",
    "fails",
    "never-starts",
    "no-capacity",
    "room-comes",
    "killed",
    "cleared",
    "silent",
    "own-image",
    "spot-is-full",
    "nothing-is-left",
)

METRIC = json.dumps({"_aws": {"Timestamp": 1}, "ExitCode": 1, "EndedBy": "engine"})


@pytest.fixture(scope="session")
def ran(under_airflow: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[FakeEcs, Any]:
    """One task for each way in which a Fargate task can end; each task's name is its family."""
    fake = FakeEcs(
        scripts={
            "succeeds": [RUNNING, ended(0)],
            "catalogues": [ended(0)],
            "fails": [ended(1, stoppedReason="Essential container in task exited")],
            "never-starts": [
                ended(None, stopCode="TaskFailedToStart", stoppedReason="CannotPullContainerError: manifest unknown")
            ],
            "killed": [RUNNING],
            "cleared": [ended(0)],
            "silent": [{**ended(0), "containers": []}],
            "own-image": [ended(0)],
            "room-comes": [ended(0)],
            "spot-is-full": [ended(0)],
        },
        refused={
            "no-capacity": ["RESOURCE:MEMORY"] * 1000,
            "room-comes": ["RESOURCE:MEMORY", "RESOURCE:CPU"],
            "nothing-is-left": ["Capacity is unavailable at this time."] * 1000,
        },
    )
    fake.no_spot = {"spot-is-full", "nothing-is-left"}
    fake.logs = {
        "succeeds": [f"line {n}" for n in range(8)],
        "fails": ["first", "it broke here", METRIC],
        "killed": ["one"],
        # Their log is read to this line; without it, for half a minute.
        **{name: [METRIC] for name in ("catalogues", "cleared", "room-comes", "spot-is-full")},
    }
    fake.late = {"succeeds": ["the very last line", METRIC]}
    tasks = [replace(LOAD, name=name, family=name, after=()) for name in NAMES]
    tasks[1] = replace(CATALOGUE, name="catalogues", family="catalogues", after=())
    tasks[-2:] = [replace(one, spot=True) for one in tasks[-2:]]
    tasks[-3] = replace(tasks[-3], engine="command", command=("sh", "-c", "echo {{ ds }}", ""), runtime=False)
    folder = write_bundle(tmp_path_factory.mktemp("dags"), replace(DAILY, tasks=tuple(tasks)))
    with serving(fake) as address:
        environ = {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }
        return fake, under_airflow("run_tasks.py", folder, DAILY.dag_id, environ=environ)


def test_run_task_is_asked_for_what_the_plan_says(ran: tuple[FakeEcs, Any]) -> None:
    """RunTask names family, size and contract variables; nothing is rendered as a template."""
    (given,) = ran[0].parameters("RunTask", "succeeds")

    assert (given["taskDefinition"], given["cluster"], given["launchType"]) == ("succeeds", "acme-dev", "FARGATE")
    assert given["networkConfiguration"] == {
        "awsvpcConfiguration": {
            "subnets": ["subnet-1", "subnet-2"],
            "securityGroups": ["sg-1"],
            "assignPublicIp": "DISABLED",
        }
    }
    assert "ephemeralStorage" not in given["overrides"]
    (container,) = given["overrides"]["containerOverrides"]
    assert (given["overrides"]["cpu"], given["overrides"]["memory"]) == ("512", "1024")
    assert container["name"] == "main"
    variables = {one["name"]: one["value"] for one in container["environment"]}
    assert variables.pop(contract.RUN) == json.dumps(
        {
            "project": "acme",
            "environment": "dev",
            "schedule": "daily",
            "job": "warehouse",
            "task": "succeeds",
            "dag_run": "manual__2026-01-02T03:04:05+00:00",
            "try": 2,
            "max_tries": 2,
        },
        separators=(",", ":"),
    )
    limit = 60 * (LOAD.timeout_minutes + 15)
    assert abs(int(variables.pop(contract.DEADLINE)) - time.time() - limit) < 600
    assert variables == {
        contract.ENGINE: "meltano",
        contract.COMMAND: '["run","tap-csv","target-postgres"]',
        contract.TIMEOUT_SECONDS: "1800",
        contract.NAMES: '["WAREHOUSE_PASSWORD"]',
        contract.SIZE: '{"cpu_units":512,"memory_mib":1024}',
        "TEMPLATE": "{{ ds }}",
    }


def test_openmetadata_task_gets_its_config(ran: tuple[FakeEcs, Any]) -> None:
    """A workflow's config is named by address and hash, on Spot, with more storage."""
    (given,) = ran[0].parameters("RunTask", "catalogues")

    assert given["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert "launchType" not in given
    assert given["overrides"]["ephemeralStorage"] == {"sizeInGiB": 50}
    variables = {one["name"]: one["value"] for one in given["overrides"]["containerOverrides"][0]["environment"]}
    assert variables[contract.CONFIG_URI] == f"s3://acme-artifacts/configs/{'ab' * 32}.yaml"
    assert variables[contract.CONFIG_SHA256] == "ab" * 32
    assert variables[contract.WORKFLOW_TYPE] == "metadata"


def test_an_own_image_gets_the_command_and_airflow_keeps_the_time(ran: tuple[FakeEcs, Any]) -> None:
    """Its entry point gets every argument unchanged, and which run it is; its limit and 15 minutes."""
    fake, results = ran
    (given,) = fake.parameters("RunTask", "own-image")
    (container,) = given["overrides"]["containerOverrides"]

    assert container["command"] == ["sh", "-c", "echo {{ ds }}", ""]
    assert [one["name"] for one in container["environment"]] == [contract.DEADLINE, contract.RUN, "TEMPLATE"]
    assert results["own-image"]["error"] is None
    assert results["own-image"]["limit_seconds"] > (30 + 15) * 60
    assert any("Airflow stops it after 45 minutes" in line for line in results["own-image"]["log"])
    assert not any("Airflow stops it" in line for line in results["succeeds"]["log"])


def test_each_task_is_started_once_under_a_name_of_its_own(ran: tuple[FakeEcs, Any]) -> None:
    """`startedBy` differs by Airflow task, names it for people, and is one that ECS takes."""
    started = [given["startedBy"] for name, given in ran[0].calls if name == "RunTask"]

    assert len(set(started)) == len(NAMES)
    assert all(re.fullmatch("[A-Za-z0-9/_-]{1,128}", one) for one in started)
    assert {tuple(one.split("/")[:3]) for one in started} == {("penstock", DAILY.dag_id, name) for name in NAMES}


def test_spot_without_room_falls_back_to_on_demand(ran: tuple[FakeEcs, Any]) -> None:
    """The same task once more, as a Fargate task at the full price; a task that never asked for Spot is not."""
    fake, results = ran
    for name in ("spot-is-full", "nothing-is-left"):
        first, second = fake.parameters("RunTask", name)[:2]
        assert first["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
        assert (second["launchType"], "capacityProviderStrategy" in second) == ("FARGATE", False)
        assert (
            first["overrides"]["containerOverrides"][0]["name"] == second["overrides"]["containerOverrides"][0]["name"]
        )
        assert first["clientToken"] != second["clientToken"]

    assert results["spot-is-full"]["error"] is None
    assert any("Spot has no capacity" in line for line in results["spot-is-full"]["log"])
    assert "Capacity is unavailable" in results["nothing-is-left"]["error"]


def test_a_task_without_room_is_asked_for_until_there_is(ran: tuple[FakeEcs, Any]) -> None:
    """Within its try, by calls with tokens of their own, since each has an answer."""
    fake, results = ran
    calls = fake.parameters("RunTask", "room-comes")

    assert len({call["clientToken"] for call in calls}) == len(calls) == 3
    assert results["room-comes"]["error"] is None


def test_tasks_get_the_tags_of_their_definition(ran: tuple[FakeEcs, Any]) -> None:
    """For the bill; and those that lead back to its Airflow run."""
    given = [one for name, one in ran[0].calls if name == "RunTask"]

    assert {one["propagateTags"] for one in given} == {"TASK_DEFINITION"}
    assert {tag["key"] for one in given for tag in one["tags"]} == {
        "penstock:dag",
        "penstock:dag-run",
        "penstock:airflow-task",
        "penstock:try",
    }


def test_success_shows_the_whole_log_and_returns_nothing(ran: tuple[FakeEcs, Any]) -> None:
    """Each line once and in order, the ones too that came when the task had already stopped; no XCom."""
    result = ran[1]["succeeds"]

    assert (result["error"], result["value"]) == (None, None)
    shown = [line for line in result["log"] if line.startswith(("line", "the very"))]
    assert shown == [*(f"line {n}" for n in range(8)), "the very last line"]


def test_failure_ends_with_cause_fix_and_last_lines(ran: tuple[FakeEcs, Any]) -> None:
    """Exit code 1 is a failure that says what to do."""
    error = ran[1]["fails"]["error"]

    assert error.startswith("PenstockError: the Fargate task ended with exit code 1")
    assert "cause: " in error
    assert "fix: " in error
    assert "| it broke here" in error
    assert "_aws" not in error


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("never-starts", "the image is not in its registry"),
        ("no-capacity", "RESOURCE:MEMORY"),
        ("silent", "ended without an exit code"),
    ],
)
def test_what_never_ran_is_no_success(ran: tuple[FakeEcs, Any], task: str, words: str) -> None:
    """A task that was not placed, did not start, or tells no exit code, fails with ECS's reason."""
    assert words in ran[1][task]["error"]


def test_a_cleared_task_begins_anew(ran: tuple[FakeEcs, Any]) -> None:
    """Without an event there is nothing to go on with: it starts a Fargate task of its own."""
    fake, results = ran

    assert results["cleared"]["error"] is None
    assert len(fake.parameters("RunTask", "cleared")) == 1


def test_kill_stops_the_fargate_task(ran: tuple[FakeEcs, Any]) -> None:
    """Airflow's kill reaches ECS; nothing else is ever stopped."""
    fake, results = ran

    assert [given["task"].rsplit("/", 1)[-1] for name, given in fake.calls if name == "StopTask"] == ["killed"]
    assert "stopped the task" in results["killed"]["error"]


def test_clients_of_a_try_share_what_botocore_reads(ran: tuple[FakeEcs, Any]) -> None:
    """No file of botocore is read twice for one try, and the client for kills waits for nothing of the others."""
    clients = ran[1]["clients"]

    assert clients["read"] > 0
    assert clients["read_twice"] == []
    assert clients["services"] == {"ecs": "ecs", "kill": "ecs", "logs": "logs"}
    assert clients["regions"] == ["eu-west-1"]
    assert clients["user_agents"] == ["Airflow"]
    assert clients["read_timeouts"] == {"ecs": 20, "kill": 2, "logs": 20}
    assert clients["kill_has_credentials_of_its_own"]
