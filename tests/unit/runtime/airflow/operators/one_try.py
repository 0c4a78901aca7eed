"""A try against the scripted AWS, and the endings of its tasks. Tests of this folder import it."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Any

import pytest

from penstock_runtime.airflow.operators.airflow_run import AirflowRun
from penstock_runtime.airflow.operators.fargate_run import FargateRun
from penstock_runtime.airflow.operators.limits import Pace
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources
from tests.unit.runtime.airflow.operators.fake_aws import FakeAws

RESOURCES = Resources("eu-west-1", "acme", ("subnet-1",), ("sg-1",), False, "/penstock/acme", "artifacts")
RUN = AirflowRun("daily", "manual__1", "load", -1, try_number=1, first_try=1)
RETRY = dataclasses.replace(RUN, try_number=2)
TASK = FargateTask(
    name="load",
    after=(),
    engine="meltano",
    operator="ecs",
    family="acme-meltano-1a2b",
    cpu_units=512,
    memory_mib=1024,
    ephemeral_storage_gib=20,
    timeout_minutes=30,
    spot=False,
    environment={},
    names=(),
    command=("run",),
)
METRIC = json.dumps({"_aws": {"Timestamp": 1}, "ExitCode": 0, "EndedBy": "engine"})
PACE = Pace(poll=0.001, least=0.001, restart=0.001, drain=0.001)
LOG = logging.getLogger("the try")
SPOT_END = {"code": 143, "stopCode": "SpotInterruption", "stoppedReason": "Your Spot Task was interrupted."}
ENI_END = {"stopCode": "TaskFailedToStart", "stoppedReason": "Timeout waiting for network interface provisioning"}
IMAGE_END = {"stopCode": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: manifest unknown"}


def one_try(aws: FakeAws, run: AirflowRun = RUN, task: FargateTask = TASK, **arguments: Any) -> FargateRun:
    return FargateRun(task, RESOURCES, run, {}, **{"clients": aws.client, "logger": LOG, "pace": PACE, **arguments})


def execute(fargate: FargateRun) -> None:
    """As the operator does."""
    fargate.begin()
    execute_rest(fargate)


def execute_rest(fargate: FargateRun) -> None:
    while not fargate.settle(fargate.wait()):
        pass


def shown(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
