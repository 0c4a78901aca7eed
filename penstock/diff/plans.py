"""Two plans: which schedules came, went or changed, field by field.

Plans are compared as decoded JSON, because the deployed one may come from another version of Penstock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from penstock.diff.fields import Field, between
from penstock.diff.settings import between_definitions
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import every

Data = Mapping[str, Any]

_TEXTS = {"source"}
"""Fields that say the same again, as the user wrote it."""
_TITLES = {"cron": "interval", "config": "workflow file", "family": "task definition"}
_NEVER = "by hand"


@dataclass(frozen=True)
class Change:
    """What happens to one schedule."""

    kind: Literal["added", "removed", "changed"]
    dag_id: str
    schedule: str
    fields: tuple[Field, ...] = ()
    note: str = ""
    """Of an added or removed one: when it runs, and its tasks."""


def as_data(plan: Plan) -> dict[str, Any]:
    """A plan as its JSON says."""
    data: dict[str, Any] = json.loads(plan.to_json(indent=None))
    return data


def compare(before: Data | None, after: Data | None) -> list[Change]:
    """The changes, by DAG id; None: nothing is deployed."""
    old, new = _schedules(before), _schedules(after)
    definitions = _definitions(before), _definitions(after)
    changes = []
    for dag_id in sorted({*old, *new}):
        was, is_now = old.get(dag_id), new.get(dag_id)
        if was is None or is_now is None:
            schedule = is_now or was or {}
            kind: Literal["added", "removed"] = "added" if was is None else "removed"
            changes.append(Change(kind, dag_id, str(schedule["name"]), note=_about(schedule)))
            continue
        fields = tuple(_fields(was, is_now, *definitions))
        if fields:
            changes.append(Change("changed", dag_id, str(is_now["name"]), fields))
    return changes


def dag_files(before: Data | None, after: Data | None) -> list[tuple[str, str]]:
    """The user's own DAG files: (added, removed or changed; path)."""
    old, new = ({file["path"]: file["text"] for file in (plan or {}).get("dag_files", [])} for plan in (before, after))
    kinds = {path: "added" if path not in old else "removed" if path not in new else "changed" for path in {*old, *new}}
    return [(kinds[path], path) for path in sorted(kinds) if old.get(path) != new.get(path)]


def _schedules(plan: Data | None) -> dict[str, Data]:
    return {schedule["dag_id"]: _alike(schedule) for schedule in (plan or {}).get("schedules", [])}


def _alike(schedule: Data) -> Data:
    """A schedule with one field for when it runs, and the delay between tries in seconds, which older plans lack."""
    alike = {**schedule, "cron": _interval(schedule)}
    alike.pop("every_minutes", None)
    if "retry_delay_minutes" in alike:
        alike["retry_delay_seconds"] = 60 * alike.pop("retry_delay_minutes")
    return alike


def _interval(schedule: Data) -> str:
    minutes = schedule.get("every_minutes")
    return str(schedule.get("cron") or (every(minutes) if minutes else _NEVER))


def _definitions(plan: Data | None) -> dict[str, Data]:
    return {definition["family"]: definition for definition in (plan or {}).get("task_definitions", [])}


def _about(schedule: Data) -> str:
    tasks = [task["name"] for task in schedule.get("tasks", [])]
    when = _interval(schedule)
    if schedule.get("cron"):
        when = f"{when} {schedule.get('timezone', '')}".strip()
    return f"{when}; {', '.join(tasks)}"


def _fields(before: Data, after: Data, old_ones: Mapping[str, Data], new_ones: Mapping[str, Data]) -> Iterator[Field]:
    for name in sorted({*before, *after} - _TEXTS - {"tasks"}):
        yield from between(_TITLES.get(name, name), before.get(name), after.get(name))
    old, new = ({task["name"]: task for task in schedule.get("tasks", [])} for schedule in (before, after))
    for name in [*new, *(name for name in old if name not in new)]:
        was, is_now = old.get(name), new.get(name)
        if was is None or is_now is None:
            what = [_size(task) if task else None for task in (was, is_now)]
            yield Field(f"tasks.{name}", what[0], what[1])
            continue
        for key in sorted({*was, *is_now}):
            yield from between(f"tasks.{name}.{_TITLES.get(key, key)}", was.get(key), is_now.get(key))
        there, wanted = old_ones.get(str(was.get("family"))), new_ones.get(str(is_now.get("family")))
        if there and wanted and there["family"] != wanted["family"]:
            yield from between_definitions(f"tasks.{name}", there, wanted)


def _size(task: Data) -> str:
    what = task.get("workflow_type") or " ".join(task.get("command", []))
    if "cpu_units" not in task:
        return f"{task['engine']} {what}, in Airflow's worker ({task['operator']})"
    return f"{task['engine']} {what}, {task['cpu_units']} CPU units, {task['memory_mib']} MiB"
