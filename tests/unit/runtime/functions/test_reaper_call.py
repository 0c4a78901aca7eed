"""What the reaper does with the tasks that it finds: stop, count, notify, and fail loudly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from penstock_runtime.errors import PenstockError
from penstock_runtime.functions import reaper
from penstock_runtime.functions.reaper import Expired, expired
from tests.unit.runtime.functions.fargate_tasks import ARN, NOW, OF, RUN, STARTED_BY, fargate


class Ecs:
    """A cluster: pages of a hundred tasks, and calls that it refuses."""

    def __init__(
        self, tasks: list[dict[str, Any]], *, refused: tuple[str, ...] = (), gone: tuple[str, ...] = ()
    ) -> None:
        self.tasks = {one["taskArn"]: one for one in tasks}
        self.refused, self.gone = refused, gone
        self.stopped: dict[str, str] = {}
        self.described: list[int] = []

    def get_paginator(self, name: str) -> Ecs:
        assert name == "list_tasks"
        return self

    def paginate(self, **call: Any) -> Iterator[dict[str, Any]]:
        assert call == {"cluster": "acme-dev", "desiredStatus": "RUNNING"}
        arns = list(self.tasks)
        for first in range(0, max(1, len(arns)), 100):
            yield {"taskArns": arns[first : first + 100]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        assert cluster == "acme-dev"
        assert 1 <= len(tasks) <= 100, "ECS refuses any other number"
        self.described.append(len(tasks))
        failures = [{"arn": one, "reason": "MISSING"} for one in tasks if one in self.gone]
        return {"tasks": [self.tasks[one] for one in tasks if one not in self.gone], "failures": failures}

    def stop_task(self, *, cluster: str, task: str, reason: str) -> None:
        assert cluster == "acme-dev"
        if task in self.refused:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "StopTask")
        self.stopped[task] = reason


class Sns:
    def __init__(self, *, fails: bool = False) -> None:
        self.fails, self.published = fails, list[dict[str, str]]()

    def publish(self, **call: str) -> None:
        if self.fails:
            raise ClientError({"Error": {"Code": "NotFound", "Message": "no topic"}}, "Publish")
        self.published.append(call)


def call(monkeypatch: pytest.MonkeyPatch, ecs: Ecs, sns: Sns, *, topic: str = "arn:topic") -> None:
    """Call the handler, as Lambda does."""
    settings = {"PROJECT": "acme", "ENVIRONMENT": "dev", "CLUSTER": "acme-dev", "NAMESPACE": "Penstock"}
    for name, value in {**settings, "TOPIC": topic, "LOG_GROUP": "/penstock/acme-dev"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "client", lambda name: {"ecs": ecs, "sns": sns}[name])
    monkeypatch.setattr(reaper.time, "time", lambda: NOW)
    reaper.handler({}, None)


def test_every_task_of_a_large_cluster_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the pages; what ends between the two calls is passed over. What was stopped is counted and told."""
    tasks = [fargate(n, **({} if n % 50 == 0 else {"startedBy": "alice"})) for n in range(250)]
    ecs, sns = Ecs(tasks, gone=(tasks[100]["taskArn"],)), Sns()

    call(monkeypatch, ecs, sns)

    arns = [tasks[n]["taskArn"] for n in (0, 50, 150, 200)]
    assert ecs.described == [100, 100, 50]
    assert list(ecs.stopped) == arns
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "Penstock",
        "Dimensions": [["Project", "Environment"]],
        "Metrics": [{"Name": "ReapedTasks", "Unit": "Count"}],
    }
    assert (line["Project"], line["Environment"], line["ReapedTasks"], line["reaped"]) == ("acme", "dev", 4, arns)
    (sent,) = sns.published
    assert (sent["TopicArn"], sent["Subject"]) == (
        "arn:topic",
        "Penstock acme-dev: 4 Fargate tasks stopped after the deadline",
    )


def test_where_there_is_nothing_to_stop_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an empty cluster nothing is described; without a value the metric costs nothing."""
    empty, fine = Ecs([]), Ecs([fargate(startedBy="alice")])
    for ecs in (empty, fine):
        sns = Sns()
        call(monkeypatch, ecs, sns)
        assert (ecs.stopped, sns.published, capsys.readouterr().out) == ({}, [], "")
    assert (empty.described, fine.described) == ([], [1])


def test_one_that_cannot_be_stopped_does_not_save_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are stopped, counted and told; then the call fails, so that the alarm hears of it."""
    tasks = [fargate(n) for n in range(3)]
    ecs, sns = Ecs(tasks, refused=(tasks[0]["taskArn"],)), Sns()

    with pytest.raises(PenstockError) as caught:
        call(monkeypatch, ecs, sns)

    assert list(ecs.stopped) == [tasks[1]["taskArn"], tasks[2]["taskArn"]]
    assert "1 of 3 Fargate tasks" in caught.value.what
    assert tasks[0]["taskArn"] in caught.value.what
    assert "AccessDeniedException" in caught.value.what
    assert json.loads(capsys.readouterr().out)["ReapedTasks"] == 2
    (sent,) = sns.published
    assert [one["fargate_task"] for one in json.loads(sent["Message"])["tasks"]] == list(ecs.stopped)


def test_a_message_that_cannot_be_sent_fails_the_call_after_the_count(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The call that Lambda repeats finds nothing to count any more."""
    ecs = Ecs([fargate()])
    with pytest.raises(ClientError, match="no topic"):
        call(monkeypatch, ecs, Sns(fails=True))

    assert len(ecs.stopped) == 1
    assert json.loads(capsys.readouterr().out)["ReapedTasks"] == 1


def test_without_a_topic_it_stops_and_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ecs, sns = Ecs([fargate()]), Sns()
    call(monkeypatch, ecs, sns, topic="")

    assert (len(ecs.stopped), sns.published) == (1, [])
    assert json.loads(capsys.readouterr().out)["ReapedTasks"] == 1


def test_the_message_says_which_run_it_was_and_what_to_do() -> None:
    (task,) = expired([fargate(10)], NOW, of=OF)
    subject, text = reaper.message([task], of=OF, log_group="/penstock/acme-dev")
    data = json.loads(text)

    assert subject == "Penstock acme-dev: 1 Fargate task stopped after the deadline"
    assert data["tasks"] == [
        {
            "schedule": "daily",
            "task": "extract",
            "dag_run": "scheduled__2026-11-21T03:00:00+00:00",
            "try": 1,
            "deadline": "2026-11-21T11:00:00Z",
            "started_by": STARTED_BY,
            "fargate_task": f"{ARN}{10:032x}",
            "log_stream": f"penstock/main/{10:032x}",
        }
    ]
    assert "Clear the Airflow tasks" in data["fix"]
    assert (data["more_tasks"], data["log_group"]) == (0, "/penstock/acme-dev")


def test_the_message_about_many_tasks_is_one_that_sns_takes() -> None:
    """At most 256 KiB, and a subject of 100 characters of ASCII, with names at their longest."""
    run = {**RUN, "schedule": "s" * 100, "task": "t" * 100, "dag_run": "r" * 250}
    many = [Expired(f"{ARN}{n:032x}", "p" * 128, NOW, run) for n in range(300)]
    subject, text = reaper.message(many, of={"Project": "é" * 80, "Environment": "dev"}, log_group="/x")

    assert (len(json.loads(text)["tasks"]), json.loads(text)["more_tasks"]) == (100, 200)
    assert len(text.encode()) < 256 * 1024
    assert len(subject) <= 100
    assert subject.isascii()
