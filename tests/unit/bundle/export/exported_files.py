"""Exported files, and what they do when Airflow imports them: stand-ins for its classes note each call."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from penstock.bundle.export.dag_file import Exported, export, pick
from penstock.bundle.export.target import Operator, Target
from penstock.bundle.export.work import Source
from penstock.compile.compiler import compile_plan
from penstock_runtime.release.resources import Resources
from tests.unit.project_files import loaded

RESOURCES = Resources(
    region="eu-west-1",
    cluster="acme-dev",
    subnets=("subnet-1", "subnet-2"),
    security_groups=("sg-1",),
    assign_public_ip=False,
    log_group="/penstock/acme-dev",
    artifacts_bucket="acme-artifacts",
)


def exported(
    folder: Path,
    operator: Operator,
    *edits: tuple[str, str],
    airflow: tuple[int, int] = (3, 0),
    name: str = "daily",
    files: dict[str, str] | None = None,
) -> Exported:
    """A schedule of the small project, exported."""
    plan = compile_plan(loaded(folder, *edits, files=files or {}))
    target = Target(operator, airflow)
    return export(Source(plan, pick(plan, name), target, openmetadata="1.12.14", resources=RESOURCES))


@dataclass
class Made:
    """What a file has made of Airflow's classes."""

    dag: dict[str, Any] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    order: list[tuple[str, str]] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    """The file's globals."""


def imported(text: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Made:
    """Import a file where Airflow's classes only note what they get."""
    made = Made()

    class Dag:
        def __init__(self, **arguments: Any) -> None:
            made.dag = arguments

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    class Task:
        def __init__(self, **arguments: Any) -> None:
            self.id = arguments.pop("task_id")
            made.tasks[self.id] = arguments
            made.kinds[self.id] = type(self).__name__

        def __rshift__(self, other: Task) -> Task:
            made.order.append((self.id, other.id))
            return other

        def __rrshift__(self, before: list[Task]) -> None:
            made.order.extend((one.id, self.id) for one in before)

    stand_ins = {"DAG": Dag, "mask_secret": made.masked.append, "CronTriggerTimetable": lambda *a, **n: (a, n)}

    class Module(types.ModuleType):
        __path__ = ()

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return stand_ins.get(name) or type(name, (Task,), {})

    for line in text.splitlines():
        module = line.split()[1] if line.startswith(("from airflow", "import pendulum")) else ""
        for depth in range(1, module.count(".") + 2) if module else ():
            name = ".".join(module.split(".")[:depth])
            monkeypatch.setitem(sys.modules, name, Module(name))
    monkeypatch.setattr(sys.modules["pendulum"], "datetime", lambda *a, **n: (a, n), raising=False)
    file = folder / "exported.py"
    file.write_text(text)
    made.names = {"__name__": "exported", "__file__": str(file)}
    exec(compile(text, str(file), "exec"), made.names)  # the file under test
    return made
