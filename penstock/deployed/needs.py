"""What the DAGs of a plan need, against what is deployed. Pure: two `infrastructure.describe`s in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock_runtime.plan import Plan

Facts = Mapping[str, Any]

_NEEDED = {
    "account": "account",
    "region": "region",
    "prefix": "name of project and environment",
    "cluster": "cluster",
    "log_group": "log group",
    "network": "network",
}
"""Settings that a running DAG meets. Any other setting can wait for the next deploy."""
_SIZE = frozenset({"cpu_units", "memory_mib"})
"""Of a task definition; RunTask overrides both, so a push may change them."""


def lacking(deployed: Facts, needed: Facts, plan: Plan) -> list[str]:
    """What the deployed infrastructure does not hold, one sentence each; none: the DAGs of the plan will run."""
    found = []
    for name, title in _NEEDED.items():
        before, after = deployed["settings"].get(name), needed["settings"].get(name)
        # No account in the plan: the one at hand, which is where the deployed one was found.
        if before != after and not (name == "account" and after is None):
            found.append(f"the {title} changed: {_differences(before, after)}")
    if deployed["runtime"] != needed["runtime"] and needed["task_definitions"]:
        found.append("the runtime in the containers changed: another version of Penstock deployed it")
    users = _users(plan)
    for family, definition in needed["task_definitions"].items():
        there = deployed["task_definitions"].get(family)
        who = f"task definition {family}, for {users[family]}"
        if there is None:
            found.append(f"{who}, is not deployed: {_nearest(definition, deployed['task_definitions'])}")
            continue
        changed = [name for name in sorted({*there, *definition} - _SIZE) if there.get(name) != definition.get(name)]
        if changed:
            told = [f"{_title(name)} {_differences(there.get(name), definition.get(name))}" for name in changed]
            found.append(f"{who}, changed: {'; '.join(told)}")
    return found


def waiting(deployed: Facts, needed: Facts) -> list[str]:
    """What else differs, and stays as it is until the next deploy: settings of Airflow, logs and so on."""
    before, after = deployed["settings"], needed["settings"]
    names = sorted({*before, *after} - set(_NEEDED))
    found = [f"{_title(name)}: {_differences(before.get(name), after.get(name))}" for name in names
             if before.get(name) != after.get(name)]  # fmt: skip
    gone = sorted(set(deployed["task_definitions"]) - set(needed["task_definitions"]))
    return found + [f"task definition {family} is no longer used" for family in gone]


def _users(plan: Plan) -> dict[str, str]:
    """Family → the tasks that use it, in words."""
    users: dict[str, list[str]] = {}
    for schedule in plan.schedules:
        for task in schedule.tasks:
            users.setdefault(task.family, []).append(f"{schedule.name}.{task.name}")
    more = {family: f" and {len(names) - 2} more" if len(names) > 2 else "" for family, names in users.items()}
    return {family: ", ".join(names[:2]) + more[family] for family, names in users.items()}


def _nearest(definition: Facts, deployed: Mapping[str, Facts]) -> str:
    """How a new task definition differs from the deployed one that is most like it."""
    secrets = {one["name"] for one in definition["secrets"]}
    alike = [one for one in deployed.values() if one["engine"] == definition["engine"]]
    if not alike:
        return f"nothing of engine {definition['engine']} is"
    best = min(alike, key=lambda one: (
        one["image"] != definition["image"], one["architecture"] != definition["architecture"],
        len(secrets ^ {secret["name"] for secret in one["secrets"]}), one["family"],
    ))  # fmt: skip
    there = {one["name"] for one in best["secrets"]}
    told = [f"secret {name} is new" for name in sorted(secrets - there)]
    told += [f"secret {name} is left out" for name in sorted(there - secrets)]
    told += [
        f"{name} {_differences(best[name], definition[name])}"
        for name in ("image", "architecture")
        if best[name] != definition[name]
    ]
    # Nothing to tell: a field that another version of Penstock knows makes the difference.
    return f"against {best['family']}, which is: {', '.join(told) or 'other settings'}"


def _title(name: str) -> str:
    return {"image_content": "what the image is built from", "secrets": "secrets"}.get(name, name.replace("_", " "))


def _differences(before: Any, after: Any) -> str:
    """Two values in words; of mappings only the keys that differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        return ", ".join(f"{name} {_differences(before.get(name), after.get(name))}" for name in names)
    if isinstance(before, str) and isinstance(after, str) and len(before) == len(after) == 64:
        return "changed"
    return f"{_short(before)} → {_short(after)}"


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_short(one) for one in value) + "]"
    if isinstance(value, Mapping):
        reference = "#".join(str(value[key]) for key in ("id", "key") if value.get(key))
        return f"{value['name']} ({reference})" if "name" in value else str(dict(value))
    return str(value)
