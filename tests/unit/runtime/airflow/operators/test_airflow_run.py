"""How a try names itself to ECS."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from penstock_runtime.airflow.operators.airflow_run import AirflowRun

RUN = AirflowRun("daily", "manual__1", "load", -1, try_number=2, first_try=1, run_started="2026-11-21", clear_number=0)
PARTS = [("dag_id", "weekly"), ("run_id", "manual__2"), ("task_id", "profile"), ("map_index", 0)]


def other(**values: Any) -> AirflowRun:
    return dataclasses.replace(RUN, **values)


@pytest.mark.parametrize(("part", "value"), PARTS)
def test_started_by_differs_with_each_part(part: str, value: str | int) -> None:
    """In its hash: what stands before that is cut off where names are long."""
    one, another = RUN.started_by, other(**{part: value}).started_by

    assert one.rpartition("/")[2] != another.rpartition("/")[2]


def test_started_by_is_the_same_for_all_tries() -> None:
    """A try finds by it what the ones before have left."""
    assert RUN.started_by == other(try_number=7, first_try=3, clear_number=1, run_started="").started_by
    assert RUN.started_by.startswith("penstock/daily/load/")


def test_started_by_is_what_ecs_takes() -> None:
    """At most 128 letters, digits, dashes, slashes and underscores."""
    long = AirflowRun("d" * 250, "scheduled__2026-11-21T03:00:00+00:00", "extract.é" * 30, 1000, 10, 1)

    assert re.fullmatch("[A-Za-z0-9/_-]{1,128}", long.started_by)


@pytest.mark.parametrize(
    ("part", "value"), [*PARTS, ("try_number", 3), ("run_started", "2026-11-22"), ("clear_number", 1)]
)
def test_the_token_differs_with_each_part(part: str, value: str | int) -> None:
    """ECS starts one task for a token, and answers with it for a day: also where a deleted run is made again."""
    assert other(**{part: value}).client_token(1) != RUN.client_token(1)


def test_the_token_is_one_of_its_attempt() -> None:
    """A repeated call has the same one; the next task of the try has another. ECS takes 64 characters."""
    assert RUN.client_token(1) == other().client_token(1)
    assert RUN.client_token(1) != RUN.client_token(2)
    assert len(RUN.client_token(1)) <= 64


def test_tags_are_what_ecs_takes() -> None:
    """Letters, digits, spaces and + - = . _ : / @, at most 256 characters; a run's id may hold anything."""
    tags = {tag["key"]: tag["value"] for tag in other(run_id="by hand (é)#1 " + "x" * 300).tags}

    assert tags["penstock:dag-run"].startswith("by hand _é__1 x")
    assert len(tags["penstock:dag-run"]) == 256
    assert tags["penstock:try"] == "2"


@pytest.mark.parametrize(
    ("try_number", "max_tries", "retries", "first"),
    [(1, 1, 1, 1), (2, 1, 1, 1), (3, 3, 1, 3), (4, 3, 1, 3), (1, 0, 0, 1), (2, 1, 0, 2), (1, None, 2, 1), (5, 1, 9, 1)],
    ids=["first", "retry", "cleared", "retry of cleared", "no retries", "cleared, no retries", "unknown", "changed"],
)
def test_a_clear_begins_anew(try_number: int, max_tries: int | None, retries: int, first: int) -> None:
    """Airflow adds to `max_tries` at each clear."""
    ti = SimpleNamespace(
        dag_id="d", run_id="r", task_id="t", map_index=None, try_number=try_number, max_tries=max_tries
    )
    moment = datetime(2026, 11, 21, tzinfo=UTC)

    run = AirflowRun.of({"ti": ti, "dag_run": SimpleNamespace(start_date=moment, clear_number=2)}, retries)

    assert (run.first_try, run.map_index) == (first, -1)
    assert (run.run_started, run.clear_number) == ("2026-11-21T00:00:00+00:00", 2)
