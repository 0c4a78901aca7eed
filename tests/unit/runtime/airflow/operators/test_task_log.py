"""A container's log in Airflow's: every line once and in order, whatever reads do."""

from __future__ import annotations

import itertools
import json
import logging
from typing import Any

import pytest

from penstock_runtime.airflow.operators import task_log
from penstock_runtime.airflow.operators.task_log import TaskLog
from tests.unit.runtime.airflow.operators.fake_aws import FakeAws, refused, timed_out, unreachable

METRIC = json.dumps({"_aws": {"Timestamp": 1}, "ExitCode": 0, "EndedBy": "engine"})
LOG = logging.getLogger("a task")


@pytest.fixture
def aws() -> FakeAws:
    fake = FakeAws()
    fake.lines = [f"line {number}" for number in range(10)]
    return fake


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]


def reader(aws: FakeAws) -> TaskLog:
    return TaskLog(aws, "/penstock/acme", "penstock/main/1", LOG, lambda _: None, 0.0)


def test_the_end_is_the_last_line_of_ours(aws: FakeAws, shown: Any) -> None:
    """Lines that come late are waited for, however many reads bring nothing."""
    log = reader(aws)
    log.follow()
    late = iter([None] * 50 + [lambda: aws.lines.extend(["late", METRIC])])
    aws.faults = {"get_log_events": []}
    log._pause = lambda _: (step := next(late, None)) and step()  # type: ignore[assignment]  a step may return anything

    log.drain(has_last_line=True)

    assert shown() == aws.lines
    assert aws.lines[-1] == METRIC


def test_without_such_a_line_some_quiet_reads_are_the_end(aws: FakeAws, shown: Any) -> None:
    """An image of one's own ends its log as it likes."""
    reader(aws).drain(has_last_line=False)

    assert shown() == aws.lines


@pytest.mark.parametrize(
    "error",
    [refused("ThrottlingException", "Rate exceeded"), timed_out(), unreachable(), refused("AccessDenied")],
    ids=str,
)
def test_a_failed_read_is_not_the_end(
    aws: FakeAws, shown: Any, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """It is repeated, and mentioned once."""
    aws.faults = {"get_log_events": [None, error, error, None, *[error] * 20]}

    reader(aws).drain(has_last_line=False)

    assert shown() == aws.lines
    assert caplog.text.count("cannot read log stream") == 1


def test_a_log_that_cannot_be_read_says_what_is_missing(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After a while; with the place where all of it is."""
    monkeypatch.setattr(task_log, "TROUBLE_SECONDS", 0.05)
    aws.faults = {"get_log_events": [None, None, *[unreachable()] * 1_000_000]}

    reader(aws).drain(has_last_line=True)

    assert "could not be read to its end: 6 lines are above, all of them are in stream penstock/main/1" in caplog.text


@pytest.mark.parametrize("gone", ["The specified log group does not exist.", ""])
def test_an_end_that_does_not_come_is_reported(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, gone: str
) -> None:
    """The log group was deleted, or the log driver has lost the last lines."""
    monkeypatch.setattr(task_log, "DRAIN_SECONDS", 0.05)
    if gone:
        aws.faults = {"get_log_events": [None, None, *[refused("ResourceNotFoundException", gone)] * 1_000_000]}

    reader(aws).drain(has_last_line=True)

    shown = 6 if gone else 10
    assert f"the end of the log has not come: {shown} lines are above; if there is more, it is in stream" in caplog.text
    assert gone in caplog.text


def test_a_missing_stream_is_not_an_error(aws: FakeAws, shown: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A container that has written nothing has none."""
    aws.lines = []

    reader(aws).drain(has_last_line=False)

    assert (shown(), caplog.text) == ([], "")


def test_a_quiet_log_is_read_less_often(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """GetLogEvents has a quota for the account; lines bring the pace back."""
    now = 0.0
    monkeypatch.setattr(task_log.time, "monotonic", lambda: now)
    monkeypatch.setattr(task_log.random, "uniform", lambda *_: 1.0)
    log = reader(aws)
    reads = []
    for second in range(600):
        now = 1000.0 + second
        before = len(aws.calls)
        log.follow()
        if len(aws.calls) > before:
            reads.append(second)
        if second == 400:
            aws.lines.append("again")

    steps = [after - before for before, after in itertools.pairwise(reads)]
    assert max(steps) == task_log.SLOWEST_SECONDS
    assert len([one for one in reads if one < 400]) <= 400 / task_log.SLOWEST_SECONDS + 6
    assert steps.count(5) >= 2


def test_a_metric_of_the_user_s_own_is_not_the_end(aws: FakeAws, shown: Any) -> None:
    """Nor is ours, if a line follows it in the same read: then a program repeats it."""
    aws.lines = [json.dumps({"_aws": {}, "Rows": 1}), "more", "and more", "the last"]

    reader(aws).drain(has_last_line=False)

    assert shown() == aws.lines


def test_a_long_log_is_read_however_long_it_takes(aws: FakeAws, shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits count from the last read that brought something."""
    now = iter(range(0, 10_000_000, 60))
    monkeypatch.setattr(task_log.time, "monotonic", lambda: float(next(now)))
    monkeypatch.setattr(task_log, "PAGES", 1)
    aws.lines = [*(f"line {number}" for number in range(100)), METRIC]

    reader(aws).drain(has_last_line=True)

    assert shown() == aws.lines


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([METRIC], 0),
        ([METRIC, "after it"], 0),
        (["nothing"], None),
        ([json.dumps({"_aws": {}, "ExitCode": 0})], None),
        (['{"_aws": {}, "EndedBy": broken'], None),
        ([json.dumps({"_aws": {}, "ExitCode": 137, "EndedBy": "signal"})], 137),
    ],
)
def test_the_exit_code_that_a_log_tells(lines: list[str], code: int | None) -> None:
    """By the runtime's own last line."""
    assert task_log.end_in(lines) == code
