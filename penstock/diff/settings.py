"""The project's settings, of the last deploy and of the next: field by field, by the names that the plan has.

Compared are two `infrastructure.describe`s and not two plans: a push may have made a newer plan live, whose settings
wait for a deploy all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.diff.fields import Field, between

Facts = Mapping[str, Any]

_TEXTS = frozenset({"airflow.requirements.text", "airflow.startup_script.text"})
"""Their keys hold the hash of the text."""
_OF_TASKS = frozenset({"family", "cpu_units", "memory_mib"})
"""Of a task definition: its name, and what RunTask overrides; schedules are compared by their tasks' own."""


def compare(before: Facts, after: Facts) -> list[Field]:
    """What differs. A task definition that only one of the two has is reported with the tasks that use it."""
    return [field for field in _fields(before, after) if field.path not in _TEXTS]


def _fields(before: Facts, after: Facts) -> Iterator[Field]:
    old, new = before["settings"], after["settings"]
    # A plan that names no account is for the one at hand, which is where the deployed one was found.
    names = {*old, *new} - ({"account"} if new.get("account") is None else set())
    for name in sorted(names):
        yield from between(name, old.get(name), new.get(name))
    definitions = before["task_definitions"]
    for family, definition in sorted(after["task_definitions"].items()):
        yield from between_definitions(f"task_definitions.{family}", definitions.get(family, definition), definition)


def between_definitions(path: str, before: Facts, after: Facts) -> Iterator[Field]:
    """What differs between two task definitions, besides what each task brings itself."""
    old, new = (
        {key: value for key, value in definition.items() if key not in _OF_TASKS} for definition in (before, after)
    )
    yield from between(path, old, new)
