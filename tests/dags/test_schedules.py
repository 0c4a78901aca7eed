"""The bundle's loader under real Airflow: what a schedule of the plan becomes."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samples import DAILY, LOAD, write_bundle

from penstock_runtime import contract

BY_HAND = replace(DAILY, name="by-hand", dag_id="acme-by-hand", cron=None, paused=False, email=())
EVERY = replace(DAILY, name="every", dag_id="acme-every", cron=None, every_minutes=90, retry_delay_seconds=20, email=())
BAD_CRON = replace(DAILY, name="bad-cron", dag_id="acme-bad-cron", cron="99 * * * *")
UNKNOWN_TASK = replace(DAILY, name="bad-order", dag_id="acme-bad-order", tasks=(replace(LOAD, after=("nobody",)),))
TOO_LONG = replace(
    DAILY, name="too-long", dag_id="acme-too-long", tasks=(replace(LOAD, environment={"A": "x" * 9000}),)
)
UNKNOWN_OPERATOR = replace(
    DAILY, name="unknown-operator", dag_id="acme-unknown-operator", tasks=(replace(LOAD, operator="kubernetes"),)
)

ELSEWHERE = replace(DAILY, name="elsewhere", dag_id="acme-elsewhere", timezone="Asia/Tokyo")
TWIN = replace(DAILY, name="twin", dag_id="acme-twin", tasks=(LOAD,))
UNUSABLE = replace(DAILY, name="unusable", dag_id="acme/unusable id")
TWICE = replace(DAILY, name="twice")


@pytest.fixture(scope="session")
def parsed(under_airflow: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Good and bad schedules in one shard, as that Airflow reads them."""
    folder = write_bundle(
        tmp_path_factory.mktemp("dags"),
        DAILY,
        BAD_CRON,
        UNKNOWN_TASK,
        TOO_LONG,
        BY_HAND,
        UNUSABLE,
        TWICE,
        EVERY,
        UNKNOWN_OPERATOR,
        ELSEWHERE,
        TWIN,
    )
    (shard,) = folder.rglob("shards/*.json")
    data = json.loads(shard.read_text())
    data["schedules"] += ["not a schedule", {"dag_id": 7}]
    shard.write_text(json.dumps(data))
    return under_airflow("read_dags.py", folder)


def test_every_schedule_is_a_dag(parsed: Any) -> None:
    """No schedule vanishes, and the file has no import error, though eight of thirteen cannot be built."""
    assert parsed["import_errors"] == {}
    expected = {"acme-daily", "acme-by-hand", "acme-bad-cron", "acme-bad-order", "acme-too-long", "acme-every"}
    expected |= {"acme-unknown-operator", "acme-elsewhere", "acme-twin"}
    assert set(parsed["dags"]) == expected | {f"penstock-broken-07-{number}" for number in (5, 6, 11, 12)}


def test_schedule_becomes_dag(parsed: Any) -> None:
    """A DAG has its schedule's settings, and its file is the loader."""
    dag = parsed["dags"]["acme-daily"]

    assert (dag["summary"], dag["timezone"]) == ("0 3 * * *", "Europe/Berlin")
    assert dag["start_date"] == "2023-12-31T23:00:00+00:00"
    assert (dag["catchup"], dag["paused"], dag["max_active_runs"]) == (False, True, 1)
    assert (dag["tags"], dag["description"]) == (["acme", "ingestion"], "Load and catalogue.")
    assert "```yaml\nname: daily\njob: warehouse\n```" in dag["doc_md"]
    assert dag["fileloc"].endswith("/acme-dev/schedules_07.py")


def test_schedules_of_the_same_interval_keep_their_own_settings(parsed: Any) -> None:
    """They share what Airflow makes of the cron expression, and it is another one in another time zone."""
    dags = parsed["dags"]
    times = {
        name: (dags[name]["summary"], dags[name]["timezone"]) for name in ("acme-daily", "acme-twin", "acme-elsewhere")
    }

    assert times == {
        "acme-daily": ("0 3 * * *", "Europe/Berlin"),
        "acme-twin": ("0 3 * * *", "Europe/Berlin"),
        "acme-elsewhere": ("0 3 * * *", "Asia/Tokyo"),
    }
    assert dags["acme-elsewhere"]["start_date"] == "2023-12-31T15:00:00+00:00"
    assert (list(dags["acme-twin"]["tasks"]), len(dags["acme-daily"]["tasks"])) == (["load"], 2)


def test_schedule_without_interval_runs_by_hand_only(parsed: Any) -> None:
    """`cron: None` becomes a DAG without a timetable of its own, which is not created paused."""
    dag = parsed["dags"]["acme-by-hand"]

    assert (dag["summary"], dag["paused"]) == ("None", False)


def test_schedule_of_so_many_minutes(parsed: Any, airflow_version: str) -> None:
    """Airflow's `timedelta`, by the class that each version has for it; a delay of seconds."""
    dag = parsed["dags"]["acme-every"]

    assert dag["tags"] == ["acme", "ingestion"]
    assert dag["summary"] == "1:30:00"
    kind = "DeltaDataIntervalTimetable" if airflow_version == "2.10.3" else "DeltaTriggerTimetable"
    assert dag["timetable"] == kind
    assert dag["tasks"]["load"]["retry_delay_minutes"] == pytest.approx(1 / 3)


def test_tasks_keep_their_order_and_settings(parsed: Any) -> None:
    """Order comes from `after`; owner, retries and e-mail from the schedule; each limit is above the container's."""
    tasks = parsed["dags"]["acme-daily"]["tasks"]

    assert {name: task["after"] for name, task in tasks.items()} == {"load": [], "catalogue": ["load"]}
    load = tasks["load"]
    assert load["kind"] == "FargateTaskOperator"
    assert (load["owner"], load["retries"], load["retry_delay_minutes"]) == ("data-platform", 2, 7)
    assert (load["email"], load["email_on_failure"], load["email_on_retry"]) == (["ops@example.com"], True, False)
    assert load["execution_timeout_minutes"] > LOAD.timeout_minutes
    assert load["template_fields"] == []


def test_no_time_before_airflow_was_started_counts(under_airflow: Any, tmp_path: Path, airflow_version: str) -> None:
    """If Airflow has a given moment, schedules start then; one that catches up starts at its own start date."""
    catches_up = replace(DAILY, name="catches-up", dag_id="acme-catches-up", catchup=True)
    later = replace(DAILY, name="later", dag_id="acme-later", start_date="2030-01-01")
    folder = write_bundle(tmp_path, DAILY, catches_up, later, EVERY)

    environ = {contract.SCHEDULES_FROM: "2026-11-21T04:25:01+00:00"}
    dags = under_airflow("read_dags.py", folder, environ=environ)["dags"]

    assert dags["acme-daily"]["start_date"] == "2026-11-21T04:25:01+00:00"
    assert dags["acme-catches-up"]["start_date"] == "2023-12-31T23:00:00+00:00"
    assert dags["acme-later"]["start_date"] == "2029-12-31T23:00:00+00:00"
    # Its first run is an interval later, in every version: before 2.11 Airflow adds it.
    first = "04:25:01" if airflow_version == "2.10.3" else "05:55:01"
    assert dags["acme-every"]["start_date"] == f"2026-11-21T{first}+00:00"


@pytest.mark.parametrize(
    ("dag_id", "reason"),
    [
        ("acme-bad-cron", "99 * * * *"),
        ("acme-bad-order", "nobody"),
        ("acme-too-long", "RunTask takes 8192"),
        ("penstock-broken-07-5", "'acme/unusable id' cannot be built"),
        ("penstock-broken-07-6", "another schedule also has the DAG id 'acme-daily'"),
        ("acme-unknown-operator", "task 'load' has the unknown operator 'kubernetes'"),
        ("penstock-broken-07-11", "cannot be built"),
        ("penstock-broken-07-12", "7 cannot be built"),
    ],
)
def test_broken_schedule_says_why(parsed: Any, dag_id: str, reason: str) -> None:
    """A schedule that cannot be built is a DAG of one failing task, marked, which says why."""
    dag = parsed["dags"][dag_id]

    assert dag["tags"] == ["penstock-error"]
    assert reason in dag["doc_md"]
    assert [task["kind"] for task in dag["tasks"].values()] == ["BrokenSchedule"]


def test_broken_schedule_keeps_a_sound_interval(parsed: Any) -> None:
    """It fails when it was due to run, so that somebody notices."""
    assert parsed["dags"]["acme-too-long"]["summary"] == "0 3 * * *"
    assert parsed["dags"]["acme-bad-cron"]["summary"] == "None"


def test_parsing_imports_nothing_heavy(parsed: Any) -> None:
    """Our modules import the standard library, Airflow and each other, and nothing else, while Airflow parses."""
    others = set(parsed["imported_by_ours"]) - sys.stdlib_module_names

    assert others == {"airflow", "penstock_runtime"}
    # Airflow forks a process for each file, and each of them imports it all again: what only a run needs, waits.
    at_run = ("aws_clients", "airflow_run", "earlier", "ecs_calls", "fargate_run", "starts", "stop_later", "task_log")
    assert not set(parsed["ours"]) & {f"penstock_runtime.airflow.operators.{name}" for name in at_run}
    assert not [name for name in parsed["ours"] if name.startswith("penstock_runtime.diagnosis")]


def test_no_deprecated_name_of_airflow(parsed: Any) -> None:
    """Parsing raises no warning, e-mail included."""
    assert parsed["warnings"] == []


def test_worker_builds_its_own_dag_only(under_airflow: Any, tmp_path: Path) -> None:
    """A worker that is about to run one DAG's task builds that DAG."""
    folder = write_bundle(tmp_path, DAILY, BY_HAND)

    dag_bag = under_airflow("read_dags.py", folder, environ={"_AIRFLOW_PARSING_CONTEXT_DAG_ID": "acme-by-hand"})

    assert set(dag_bag["dags"]) == {"acme-by-hand"}


def test_missing_resources_say_deploy(under_airflow: Any, tmp_path: Path) -> None:
    """Without resources.json the loader's import error says what to do."""
    folder = write_bundle(tmp_path, DAILY, resources=None)

    dag_bag = under_airflow("read_dags.py", folder)

    (error,) = dag_bag["import_errors"].values()
    assert "resources.json is missing" in error
    assert "fix: deploy the project" in error


def test_unreadable_schedule_is_named(under_airflow: Any, tmp_path: Path) -> None:
    """A schedule of another format (a field that this release does not know) takes no other one with it."""
    folder = write_bundle(tmp_path, DAILY, BY_HAND)
    (shard,) = folder.glob("acme-dev/release/*/shards/07.json")
    data = json.loads(shard.read_text())
    data["schedules"][0]["colour"] = "red"
    shard.write_text(json.dumps(data))

    dag_bag = under_airflow("read_dags.py", folder)

    assert dag_bag["dags"]["acme-by-hand"]["tags"] == ["acme", "ingestion"]
    assert "'colour'" in dag_bag["dags"]["acme-daily"]["doc_md"]


def test_two_projects_in_one_process(under_airflow: Any, tmp_path: Path) -> None:
    """Where one process parses two projects, each gets the runtime of its own release."""
    first = write_bundle(tmp_path, DAILY)
    write_bundle(tmp_path / "other", BY_HAND)
    (tmp_path / "other" / "acme-dev").rename(first / "second")
    (dags,) = first.glob("second/release/*/penstock_runtime/airflow/dags.py")
    dags.write_text(dags.read_text().replace("tags=list(schedule.tags)", 'tags=["second"]'))

    dag_bag = under_airflow("read_dags.py", first)

    assert dag_bag["dags"]["acme-daily"]["tags"] == ["acme", "ingestion"]
    assert dag_bag["dags"]["acme-by-hand"]["tags"] == ["second"]
