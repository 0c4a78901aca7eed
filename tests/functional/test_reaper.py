"""The function that stops tasks after their deadline, deployed: with a session of its role, as Lambda runs it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from penstock_runtime import contract
from penstock_runtime.diagnosis.diagnose import reason_of
from penstock_runtime.plan.observability import Alarms, Observability
from stacks.observability.stack import ObservabilityStack
from tests.functional.embedded import ACCOUNT, REGION, Aws, aws, deploy, heard, listen, until, upload_functions
from tests.functional.function_role import NOT_HERE, assert_refused, roles_of
from tests.stacks import plans

__all__ = ["aws"]

PLAN = dataclasses.replace(
    plans.PLAN,
    account=ACCOUNT,
    region=REGION,
    cluster="main",
    # No message on each failed task: what arrives is the reaper's.
    observability=Observability(dashboard=False, stopped_tasks=False, alarms=Alarms(failed_tasks=0, out_of_memory=0)),
)
HANDLER = "penstock_runtime.functions.reaper.handler"
RUN = "import penstock_runtime.functions.reaper as module; module.handler({}, None)"
HOUR = 3600


@dataclass
class Reaper:
    """The deployed function, and who hears of it."""

    aws: Aws
    queue: str
    function: dict[str, Any]
    """As Lambda describes it."""
    code: Path

    def look(self) -> subprocess.CompletedProcess[str]:
        """Call it."""
        keys = self.aws.endpoint.assume(self.function["Role"], "function")
        settings = {**self.aws.endpoint.environ(keys), **self.function["Environment"]["Variables"]}
        environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.code), "AWS_REGION": REGION, **settings}
        return subprocess.run(
            [sys.executable, "-c", RUN], env=environ, capture_output=True, text=True, timeout=60, check=False
        )

    def start(self, *, past: float, **different: str) -> str:
        """Start a task in an image that holds nothing of ours, as the operator does; its ARN.

        Args:
            past: seconds since its deadline.
            different: what is different in its run, or its `startedBy`.
        """
        run = {"project": "acme", "environment": "dev", "schedule": "daily", "job": "load", "task": "extract"}
        names = {
            contract.DEADLINE: str(int(time.time() - past)),
            contract.RUN: json.dumps({**run, "dag_run": "manual", "try": 1, **different}),
        }
        variables = [{"name": name, "value": value} for name, value in names.items()]
        override = {"name": "main", "command": ["echo up; sleep 120"], "environment": variables}
        return self.aws.start(
            overrides={"containerOverrides": [override]},
            startedBy=different.get("startedBy", "penstock/daily/extract/5e6f7a8b"),
        )

    def running(self) -> set[str]:
        return set(self.aws.client("ecs").list_tasks(cluster="main", desiredStatus="RUNNING")["taskArns"])

    def heard(self) -> list[dict[str, Any]]:
        return heard(self.aws, self.queue)


@pytest.fixture(scope="module")
def reaper(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Reaper:
    folder = tmp_path_factory.mktemp("reaper")
    app = plans.application(folder / "cdk.out")
    env = cdk.Environment(account=ACCOUNT, region=REGION)
    ObservabilityStack(app, "watch", plan=PLAN, artifacts="acme-artifacts", airflow_name=None, env=env)
    template = app.synth().get_stack_by_name("watch").template
    code = upload_functions(aws.endpoint, template, folder / "cdk.out")
    outputs = deploy(aws.endpoint, "watch", {"Resources": template["Resources"], "Outputs": template["Outputs"]})
    (function,) = [one for one in aws.client("lambda").list_functions()["Functions"] if one["Handler"] == HANDLER]
    return Reaper(aws, listen(aws, outputs["FailureTopic"]), function, code[HANDLER])


@pytest.fixture(autouse=True)
def _afresh(reaper: Reaper) -> Iterator[None]:
    """Each test begins with an empty cluster and without messages."""
    yield
    for arn in reaper.running():
        reaper.aws.client("ecs").stop_task(cluster="main", task=arn)
    reaper.heard()


def test_a_lost_task_is_stopped_counted_and_told_once(reaper: Reaper) -> None:
    """Others' tasks, and those with time left, run on beside it; the next look finds nothing to do."""
    lost = reaper.start(past=HOUR)
    others = {
        reaper.start(past=-HOUR),
        reaper.start(past=300),
        reaper.start(past=HOUR, environment="prod"),
        reaper.start(past=HOUR, startedBy="alice"),
        reaper.aws.start("sleep 120"),
    }
    done = reaper.look()

    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert (line["ReapedTasks"], line["reaped"]) == (1, [lost])
    assert reaper.running() == others
    (message,) = until(reaper.heard)
    assert [(one["fargate_task"], one["schedule"], one["task"]) for one in message["tasks"]] == [
        (lost, "daily", "extract")
    ]
    again = reaper.look()
    assert (again.returncode, again.stdout, reaper.heard()) == (0, "", [])
    assert reaper.running() == others


def test_what_it_stopped_is_explained_as_such(reaper: Reaper) -> None:
    """By what ECS gives of the task afterwards: the operator and the message on a failure read nothing else."""
    arn = reaper.start(past=HOUR)
    reaper.aws.wait_for(arn, "up")
    assert reaper.look().returncode == 0
    stopped = reaper.aws.stopped(arn)

    assert stopped["stoppedReason"].startswith("Penstock's reaper: still running 10 minutes after its deadline, 20")
    assert reason_of(stopped).name == "StoppedByReaper"


def test_an_empty_cluster_is_nothing(reaper: Reaper) -> None:
    done = reaper.look()

    assert (done.returncode, done.stdout) == (0, ""), done.stderr


TASKS = "task/main/*"
NEEDED = {
    ("ecs:ListTasks", "*"): "ListTasks",
    ("ecs:DescribeTasks", TASKS): "DescribeTasks",
    ("ecs:StopTask", TASKS): "StopTask",
    ("sns:Publish", "{topic}"): "Publish",
}
"""Grant → the call that fails without it."""


def test_each_grant_is_needed_and_all_are_enough(reaper: Reaper) -> None:
    """Without any one of them the look fails and names the call; with all of them it goes well."""
    roles = roles_of(reaper.function, reaper.aws, "reaper")
    grants = {roles.key(grant)[1:]: grant for grant in roles.grants()}
    assert set(grants) == set(NEEDED) | set(NOT_HERE)

    for key, call in NEEDED.items():
        lost = reaper.start(past=HOUR)
        with roles.without(grants[key]):
            done = reaper.look()
        assert done.returncode != 0, key
        assert call in done.stderr, (key, done.stderr[-500:])
        assert "not authorized" in done.stderr, key
        # A message that cannot be sent does not save a task.
        assert (lost in reaper.running()) is (call != "Publish"), key
    assert reaper.look().returncode == 0
    assert reaper.running() == set()


def test_it_may_do_nothing_else(reaper: Reaper) -> None:
    """Not even with the tasks of another cluster."""
    keys = reaper.aws.endpoint.assume(reaper.function["Role"], "function")
    reaper.aws.client("ecs").create_cluster(clusterName="other")
    ecs, logs = reaper.aws.client("ecs", keys), reaper.aws.client("logs", keys)
    elsewhere = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/other/{'0' * 32}"
    attempts = {
        "list another cluster's tasks": lambda: ecs.list_tasks(cluster="other"),
        "read another cluster's task": lambda: ecs.describe_tasks(cluster="other", tasks=[elsewhere]),
        "stop another cluster's task": lambda: ecs.stop_task(cluster="other", task=elsewhere),
        "list clusters": lambda: ecs.list_clusters(),
        "start a task": lambda: ecs.run_task(**reaper.aws.call("exit 0")),
        "read a log": lambda: logs.get_log_events(logGroupName="/penstock/tool", logStreamName="penstock/main/x"),
        "read a secret": lambda: reaper.aws.client("secretsmanager", keys).get_secret_value(SecretId="app/token"),
    }
    assert_refused(attempts)
