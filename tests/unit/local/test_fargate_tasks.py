"""The Fargate tasks that the embedded mode shows."""

from __future__ import annotations

from typing import Any

from penstock.local.fargate import described

CLUSTER = "main"


class Stopping:
    """An ECS in which a task stops between the list of the running ones and that of the stopped ones."""

    def __init__(self, running: list[str], stopped: list[str]) -> None:
        self._arns = {"RUNNING": running, "STOPPED": stopped}
        self.asked: list[list[str]] = []

    def get_paginator(self, _operation: str) -> Stopping:
        return self

    def paginate(self, *, cluster: str, desiredStatus: str) -> list[dict[str, Any]]:
        assert cluster == CLUSTER
        return [{"taskArns": [arn]} for arn in self._arns[desiredStatus]]

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        assert cluster == CLUSTER
        self.asked.append(tasks)
        return {"tasks": [{"taskArn": arn} for arn in tasks]}


def test_a_task_that_stops_meanwhile_is_shown_once() -> None:
    shown = described(Stopping(["a", "b"], ["b", "c"]), CLUSTER)
    assert [task["taskArn"] for task in shown] == ["a", "b", "c"]


def test_a_hundred_tasks_are_described_in_a_call() -> None:
    ecs = Stopping([f"arn-{number}" for number in range(150)], [])
    assert len(described(ecs, CLUSTER)) == 150
    assert [len(tasks) for tasks in ecs.asked] == [100, 50]
