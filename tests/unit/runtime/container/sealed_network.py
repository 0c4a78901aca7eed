"""Networks of the sample project, with and without internet, for the tests of what they need and reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime.errors import InputError, InputErrors
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources
from tests.unit.project_files import loaded

CREATE = "network: {create: {cidr: 10.20.0.0/16}}"
SEALED = (CREATE, "network: {create: {egress: endpoints}}")
NO_CATALOGUE = ("      - name: catalogue\n        openmetadata: {type: metadata, config: warehouse.yaml}\n", "")
LOAD = "- {name: load, "
ECR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
ALWAYS = {
    *("airflow.api", "airflow.env", "airflow.ops", "ecr.api", "ecr.dkr", "ecs"),
    *("kms", "logs", "monitoring", "sqs", "sts"),
}
USE = (
    "network: {use: {vpc: vpc-0a1b2c3d, private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d], "
    "subnet_groups: {out: {subnets: [subnet-2a1b2c3d], assign_public_ip: true}}%s}}"
)
RESOURCES = Resources("eu-west-1", "acme", ("subnet-9",), ("sg-1",), False, "/logs", "artifacts")


def plan_of(folder: Path, *edits: tuple[str, str], **more: Any) -> Plan:
    return compile_plan(loaded(folder, *edits), **more)


def warnings_of(plan: Plan) -> list[str]:
    """Without the one that nothing names HOST: the catalogue's task does, and many edits take that out."""
    return [one for one in plan.warnings if "variable HOST reaches no task" not in one]


def refused(folder: Path, *edits: tuple[str, str]) -> list[tuple[str, str, str]]:
    with pytest.raises(InputError) as caught:
        plan_of(folder, *edits)
    problems = caught.value.errors if isinstance(caught.value, InputErrors) else (caught.value,)
    return [(one.where.rsplit("/", 1)[-1], one.what, one.fix) for one in problems]


def task_of(plan: Plan, name: str) -> FargateTask:
    return next(task for schedule in plan.schedules for task in schedule.tasks if task.name == name)
