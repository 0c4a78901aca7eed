"""What a command says of schedules that could not be built and of DAG files that Airflow could not read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from penstock.local import dag_problems
from penstock.local import run as runs
from penstock.local.airflow_client import AirflowClient, Dag, ImportProblem
from penstock.local.system import System
from penstock_runtime.contract import ERROR_TAG
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plan import DagFile, Plan

NOW = datetime(2026, 11, 1, tzinfo=UTC)
GOOD = Dag("good", False, ("ingestion",), "0 3 * * *", NOW, "/dags/own-dev/schedules_00.py")
STAND_IN = replace(GOOD, dag_id="payday", tags=(ERROR_TAG,), description="schedule 'payday' cannot be built: 15W")
TRACE = "Traceback (most recent call last):\n  File \"own.py\"\nModuleNotFoundError: No module named 'common'\n"
UNREAD = ImportProblem("/dags/own-dev/own.py", TRACE, NOW)


def airflow(dags: list[Dag], errors: list[ImportProblem]) -> AirflowClient:
    """A client of an Airflow that answers this."""
    return cast(AirflowClient, SimpleNamespace(dags=lambda: dags, import_errors=lambda: errors))


def test_each_problem_is_named_with_its_reason() -> None:
    """A stand-in's reason, and the last line of a traceback; a sound DAG is none."""
    problems = dag_problems.find(airflow([GOOD, STAND_IN], [UNREAD]))

    assert [str(problem) for problem in problems] == [
        "schedule payday: schedule 'payday' cannot be built: 15W",
        "DAG file /dags/own-dev/own.py: ModuleNotFoundError: No module named 'common'",
    ]
    assert dag_problems.find(airflow([GOOD], [])) == []


def test_stand_in_is_not_run() -> None:
    """Its one task has another name than the schedule's: the run would end in a KeyError of ours."""
    system = cast(System, SimpleNamespace(airflow=airflow([STAND_IN], [])))
    schedule: Any = SimpleNamespace(dag_id="payday", name="payday")

    with pytest.raises(PenstockError, match=r"'payday' cannot be built: 15W\n.*fix: correct the schedule"):
        runs.run(system, schedule, cast(Any, None))


DAG_TEXT = "from airflow import DAG\nfrom common.dag_factory import f\n"


def test_only_dag_files_are_waited_for() -> None:
    """Not helpers, even where they speak of Airflow's DAGs; not what is ignored; nothing but Python."""
    files = [
        DagFile("own.py", DAG_TEXT),
        DagFile("common/dag_factory.py", "import airflow  # makes a DAG"),
        DagFile("plain.py", "x = 1"),
        DagFile("ignored.py", DAG_TEXT),
        DagFile(".airflowignore", "ignored.py\n"),
        DagFile("dag_airflow.sql", DAG_TEXT),
    ]

    assert dag_problems.dag_file_candidates(files, "3.0.6") == {"own.py"}


@pytest.mark.parametrize(
    ("dags", "errors", "waits"),
    [
        ([], [], True),
        ([replace(GOOD, file="/dags/own-dev/own.py", parsed=NOW)], [], False),
        ([replace(GOOD, file="/dags/own-dev/own.py", parsed=NOW - timedelta(minutes=5))], [], True),
        ([], [UNREAD], False),
        ([], [replace(UNREAD, at=NOW - timedelta(minutes=5))], True),
        ([], [replace(UNREAD, file="own-dev/own.py")], False),
    ],
)
def test_waits_for_own_files_until_they_were_read(
    monkeypatch: pytest.MonkeyPatch, dags: list[Dag], errors: list[ImportProblem], waits: bool
) -> None:
    """Well or badly, after the moment that counts; what Airflow found before it does not count."""
    plan = cast(
        Plan,
        SimpleNamespace(
            prefix="own-dev", dag_files=(DagFile("own.py", DAG_TEXT),), airflow=SimpleNamespace(version="3.0.6")
        ),
    )
    slept: list[float] = []
    clock = iter(range(100))
    monkeypatch.setattr(dag_problems, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=slept.append))
    dag_problems.wait_for_own_files(airflow(dags, errors), plan, since=NOW - timedelta(minutes=1))

    assert bool(slept) == waits
