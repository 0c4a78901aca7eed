"""The schedules of a plan: their engines, and their tasks for each operator."""

from __future__ import annotations

from dataclasses import asdict, fields

from penstock_runtime.container.main import ENGINES as LAUNCHES
from penstock_runtime.plan.plain_data import from_data
from penstock_runtime.plan.schedule import ENGINES, FargateTask, Task


def test_container_has_a_module_for_each_engine() -> None:
    """A plan cannot name an engine that the container refuses."""
    assert tuple(LAUNCHES) == ENGINES


def test_task_for_any_operator_knows_nothing_of_fargate() -> None:
    """What an operator that is not Fargate's has to fill in: no size, no task definition, no subnet."""
    assert {field.name for field in fields(Task)} == {
        "name",
        "after",
        "operator",
        "engine",
        "timeout_minutes",
        "environment",
        "names",
        "command",
        "workflow_type",
        "config",
        "files",
        "fail_on_warnings",
        "min_success_percent",
    }


def test_task_is_one_flat_object_in_json() -> None:
    """Plans of older versions stay readable: an operator's own fields are beside those of any task."""
    data = {
        "name": "load",
        "after": [],
        "engine": "command",
        "operator": "ecs",
        "family": "acme-dev-command-1a2b",
        "cpu_units": 256,
        "memory_mib": 512,
        "ephemeral_storage_gib": 20,
        "timeout_minutes": 60,
        "spot": False,
        "environment": {"A": "b"},
        "names": [],
        "command": ["true"],
    }

    task = from_data(FargateTask, data)

    assert asdict(task) == {
        **data,
        "after": (),
        "names": (),
        "command": ("true",),
        "workflow_type": None,
        "config": None,
        "files": (),
        "fail_on_warnings": False,
        "min_success_percent": None,
        "subnets": (),
        "assign_public_ip": False,
        "runtime": True,
        "reattach": True,
        "larger_memory_mib": (),
        "runs_beside": None,
        "deferrable": None,
    }
