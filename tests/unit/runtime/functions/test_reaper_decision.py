"""Which Fargate tasks the reaper stops, by what DescribeTasks says of them and the time of day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from penstock_runtime import contract
from penstock_runtime.airflow.operators import run_task
from penstock_runtime.airflow.operators.airflow_run import AirflowRun
from penstock_runtime.functions.reaper import GRACE_MINUTES, expired
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources
from tests.unit.runtime.functions.fargate_tasks import LATE, NOON, NOW, OF, RUN, environment, fargate

GRACE = 60 * GRACE_MINUTES


def without(task: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in task.items() if name not in names}


def by_limit(seconds: str, **times: datetime | None) -> dict[str, Any]:
    """A task of an earlier release: with the runtime's own limit, and no deadline."""
    return fargate(variables={contract.TIMEOUT_SECONDS: seconds}, **times)


STARTED = NOON - timedelta(hours=2)
ENDS = 15 * 60 + GRACE
"""From the end of the runtime's limit to the reaper, in seconds."""

STOPPED = {
    "after its deadline": fargate(),
    "started by an earlier release": fargate(startedBy="penstock/daily/extract/1/5e6f7a8b"),
    "just after the grace": fargate(variables={contract.DEADLINE: str(int(NOW) - GRACE - 1)}),
    "it never started": fargate(lastStatus="PROVISIONING"),
    "its deadline, whatever its limit": fargate(
        variables={contract.DEADLINE: LATE, contract.TIMEOUT_SECONDS: "86400"}, startedAt=NOON
    ),
    "by its limit": by_limit(str(7200 - ENDS - 1), startedAt=STARTED),
    "by its limit, since it was created": by_limit(str(7200 - ENDS - 1), createdAt=STARTED),
    "beside another container": fargate()
    | {
        "overrides": {
            "containerOverrides": [
                {"name": "guard", "environment": environment(PENSTOCK_RUN="{}")},
                *fargate()["overrides"]["containerOverrides"],
            ]
        }
    },
}

LEFT = {
    # Not due yet.
    "before its deadline": fargate(variables={contract.DEADLINE: str(int(NOW) + 1)}),
    "within the grace": fargate(variables={contract.DEADLINE: str(int(NOW) - GRACE)}),
    "within its limit": by_limit(str(7200 - ENDS), startedAt=STARTED),
    "within its limit, which counts from its start": by_limit(
        str(7200 - ENDS), startedAt=STARTED, createdAt=NOON - timedelta(days=1)
    ),
    "before its deadline, whatever its limit": fargate(
        variables={contract.DEADLINE: str(int(NOW)), contract.TIMEOUT_SECONDS: "60"}, startedAt=STARTED
    ),
    # On its way out.
    "it is being stopped": fargate(desiredStatus="STOPPED"),
    # Somebody else's.
    "started by nobody": without(fargate(), "startedBy"),
    "started by somebody": fargate(startedBy="alice"),
    "of a service": fargate(startedBy="ecs-svc/1234567890"),
    "started by who has a name like ours": fargate(startedBy="penstocks/daily"),
    "of another project": fargate(run={**RUN, "project": "other"}),
    "of another environment": fargate(run={**RUN, "environment": "prod"}),
    "variables of another container": fargate(container="guard"),
    # Unreadable.
    "no overrides": without(fargate(), "overrides"),
    "no variables": fargate(overrides={"containerOverrides": [{"name": "main"}]}),
    "no run": fargate(run=""),
    "no JSON": fargate(run="{"),
    "a list": fargate(run='["acme", "dev"]'),
    "a text": fargate(run='"acme"'),
    "a run of no project": fargate(run={"try": 1}),
    "no deadline and no limit": fargate(variables={}),
    "an empty deadline": fargate(variables={contract.DEADLINE: ""}),
    "a date": fargate(variables={contract.DEADLINE: "2026-11-20T12:00:00Z"}),
    "a deadline before 1970": fargate(variables={contract.DEADLINE: f"-{LATE}"}),
    "a part of a second": fargate(variables={contract.DEADLINE: f"{LATE}.5"}),
    "a line end": fargate(variables={contract.DEADLINE: f"{LATE}\n"}),
    "digits of another script": fargate(variables={contract.DEADLINE: "\u0661\u0667"}),
    "a deadline that cannot be read, beside a limit": fargate(
        variables={contract.DEADLINE: "soon", contract.TIMEOUT_SECONDS: "60"}
    ),
    "a limit that is none": by_limit("an hour", startedAt=STARTED),
    "a limit since nobody knows when": by_limit("60", createdAt=None),
}


@pytest.mark.parametrize("task", STOPPED.values(), ids=STOPPED)
def test_a_task_after_its_deadline_is_stopped(task: dict[str, Any]) -> None:
    assert [one.arn for one in expired([task], NOW, of=OF)] == [task["taskArn"]]


@pytest.mark.parametrize("task", LEFT.values(), ids=LEFT)
def test_any_other_task_is_left_alone(task: dict[str, Any]) -> None:
    """And does not keep the reaper from the one after it."""
    other = fargate(1)

    assert [one.arn for one in expired([task, other], NOW, of=OF)] == [other["taskArn"]]


def test_the_longest_overdue_is_stopped_first() -> None:
    """Whatever the order in which ECS lists them: where calls are refused for their number, the same ones are left."""
    tasks = [fargate(n, variables={contract.DEADLINE: str(int(LATE) - ago)}) for n, ago in ((3, 0), (2, 9), (1, 0))]

    assert [int(one.arn[-1]) for one in expired(tasks, NOW, of=OF)] == [2, 1, 3]


def test_ecs_is_told_who_stops_and_why() -> None:
    """The words begin as the diagnosis expects them."""
    (task,) = expired([fargate()], NOW, of=OF)

    assert task.reason == (
        "Penstock's reaper: still running 10 minutes after its deadline, 2026-11-21T11:00:00Z; nothing of Airflow "
        "stopped it"
    )
    assert task.reason.startswith(contract.REAPER_REASON)


@pytest.mark.parametrize("runtime", [True, False], ids=["with the runtime", "in the user's image"])
def test_what_the_operator_asks_ecs_for_is_what_the_reaper_reads(runtime: bool) -> None:
    """Whose the task is, and when its time is up, in the places where RunTask puts them."""
    task = FargateTask(
        name="extract", after=(), operator="ecs", engine="command", family="f", cpu_units=256, memory_mib=512,
        ephemeral_storage_gib=20, timeout_minutes=30, spot=False, environment={"COLOR": "red"}, names=(),
        command=("etl",), runtime=runtime,
    )  # fmt: skip
    run = AirflowRun("daily", "manual__1", "extract", -1, try_number=1, first_try=1)
    facts = {"project": "acme", "environment": "dev", "schedule": "daily", "job": "load"}
    resources = Resources("eu-west-1", "acme-dev", ("subnet-1",), ("sg-1",), False, "/penstock/acme-dev", "artifacts")
    call = run_task.request(task, resources, run, facts, int(LATE), attempt=1)
    described = fargate(overrides=call["overrides"], startedBy=call["startedBy"])

    (one,) = expired([described], NOW, of=OF)

    assert (one.deadline, one.run["task"], one.run["dag_run"]) == (int(LATE), "extract", "manual__1")
    assert expired([described], int(LATE), of=OF) == []
