"""What a Meltano project brings into the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime.errors import InputError
from penstock_runtime.plan.schedule import Schedule
from tests.unit.project_files import MELTANO, PROJECT, loaded

JOBS = """\
jobs:
  - name: load
    tasks: [tap-a target-b, [dbt:run, "dbt:test --select 'a b'"]]
schedules:
  - {name: nightly, interval: "@daily", job: load, env: {MONTHS: 3, FULL: true, NOTE: "007", NOTHING: null}}
  - {name: old, interval: null, extractor: tap-a, loader: target-b, transform: skip, start_date: 2020-08-05T00:00:00Z}
"""


def _schedules(folder: Path, more: str = JOBS, *edits: tuple[str, str]) -> dict[str, Schedule]:
    project = loaded(folder, *edits, files={"meltano/meltano.yml": MELTANO + more})
    return {schedule.dag_id: schedule for schedule in compile_plan(project).schedules}


def test_schedules_keep_meltanos_ids(tmp_path: Path) -> None:
    """Those of files-airflow, so that nobody loses a DAG's history."""
    schedules = _schedules(tmp_path)

    assert schedules.keys() == {"daily", "meltano_nightly_load", "meltano_old"}
    tasks = {dag_id: [(task.name, task.after) for task in schedule.tasks] for dag_id, schedule in schedules.items()}
    assert tasks["meltano_nightly_load"] == [
        ("meltano_nightly_load_task0", ()),
        ("meltano_nightly_load_task1", ("meltano_nightly_load_task0",)),
    ]
    assert tasks["meltano_old"] == [("extract_load", ())]


def test_commands_are_meltanos(tmp_path: Path) -> None:
    """A nested list is one run; an extractor and a loader stay `elt` with the schedule's bare name as state id."""
    schedules = _schedules(tmp_path)

    assert [task.command for task in schedules["meltano_nightly_load"].tasks] == [
        ("run", "tap-a", "target-b"),
        ("run", "dbt:run", "dbt:test", "--select", "a b"),
    ]
    assert schedules["meltano_old"].tasks[0].command == (
        "elt",
        "tap-a",
        "target-b",
        "--transform=skip",
        "--state-id=old",
    )


def test_environment_of_a_schedule_is_text(tmp_path: Path) -> None:
    """As it is written; Meltano's environment is always named."""
    environment = _schedules(tmp_path)["meltano_nightly_load"].tasks[0].environment

    assert environment == {"FULL": "true", "MELTANO_ENVIRONMENT": "prod", "MONTHS": "3", "NOTE": "007"}


def test_by_hand_and_start_date(tmp_path: Path) -> None:
    """A null interval runs by hand; a start date of an older Meltano is kept."""
    old = _schedules(tmp_path)["meltano_old"]

    assert (old.cron, old.start_date) == (None, "2020-08-05")


def test_intervals_stay_in_utc_and_never_catch_up(tmp_path: Path) -> None:
    """The project's defaults are for its own schedules; owner, retries and tags are taken, meaning is not changed."""
    defaults = "defaults:\n  schedule: {timezone: Europe/Berlin, catchup: true, owner: data, tags: [a]}\n"
    nightly = _schedules(tmp_path, JOBS, ("defaults:\n", defaults))["meltano_nightly_load"]

    assert (nightly.timezone, nightly.catchup, nightly.owner) == ("UTC", False, "data")
    assert nightly.tags == ("a", "meltano", "schedule:nightly", "job:load")


def test_tasks_get_the_secrets_that_meltano_yml_names(tmp_path: Path) -> None:
    """`$NAME` and `${NAME}`, as Meltano has them: not `$name`, and not what has a backslash before it."""
    more = JOBS + 'cli: {a: $HOST, b: "${PASSWORD}", c: "$host", d: "\\\\$OM_JWT"}\n'
    task = _schedules(tmp_path, more)["meltano_old"].tasks[0]

    assert task.names == ("HOST", "PASSWORD")
    assert task.environment["HOST"] == "dev.acme.internal"
    assert "PASSWORD" not in task.environment


def test_own_schedule_may_run_a_job_of_meltanos(tmp_path: Path) -> None:
    """So that it gets a time zone, retries and the rest."""
    schedules = _schedules(tmp_path, JOBS, ("job: warehouse", "job: load"))

    assert [task.name for task in schedules["daily"].tasks] == ["task0", "task1"]
    assert schedules["daily"].timezone == "Europe/Berlin"


def test_environment_falls_back_to_the_default_of_meltano_yml(tmp_path: Path) -> None:
    """A run without a Meltano environment would be one in a developer's."""
    schedules = _schedules(tmp_path, JOBS, (", environment: prod}", "}"))

    assert schedules["meltano_old"].tasks[0].environment["MELTANO_ENVIRONMENT"] == "prod"


def test_one_schedule_twice_is_an_error(tmp_path: Path) -> None:
    """Meltano lists both; as DAGs one would hide the other."""
    twice = JOBS + '  - {name: nightly, interval: "@hourly", job: load}\n'

    with pytest.raises(InputError) as caught:
        _schedules(tmp_path, twice)
    assert "meltano/meltano.yml:11:5: DAG id 'meltano_nightly_load' is taken by the schedule at" in str(caught.value)


def test_name_that_airflow_refuses_is_an_error(tmp_path: Path) -> None:
    """Meltano takes any name."""
    with pytest.raises(InputError) as caught:
        _schedules(tmp_path, JOBS.replace("name: old", "name: My schedule / 1"))
    assert "'meltano_My schedule / 1' cannot be a DAG id" in str(caught.value)


def test_project_without_meltano_needs_no_meltano_yml(tmp_path: Path) -> None:
    """Only who names a Meltano project has one."""
    assert "meltano: {project" in PROJECT
    schedules = _schedules(
        tmp_path,
        JOBS,
        ("meltano: {project: meltano, environment: prod}\n", ""),
        ("      - {name: load, meltano: tap-a target-b}\n", ""),
    )

    assert schedules.keys() == {"daily"}
