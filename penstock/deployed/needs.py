"""What the DAGs of a plan need, against what is deployed. Pure: two `infrastructure.describe`s in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.deployed import settings
from penstock.deployed.describe import differences, permission, title
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask

Facts = Mapping[str, Any]

_SIZE = frozenset({"cpu_units", "memory_mib"})
"""Of a task definition; RunTask overrides both, so a push may change them."""
_UNMET = frozenset({"role_prefix", "stack"})
"""Of a task definition; a run finds it by its family, wherever it is and whatever its roles are called."""


def lacking(deployed: Facts, needed: Facts, plan: Plan) -> list[str]:
    """What the deployed infrastructure does not hold, one sentence each; none: the DAGs of the plan will run."""
    reasons = settings.lacking(deployed["settings"], needed["settings"])
    if deployed["runtime"] != needed["runtime"] and needed["task_definitions"]:
        reasons.append("the runtime in the containers changed: another version of Penstock deployed it")
    users = _users(plan)
    for family, definition in needed["task_definitions"].items():
        existing = deployed["task_definitions"].get(family)
        who = f"task definition {family}, for {users[family]}"
        if existing is None:
            reasons.append(f"{who}, is not deployed: {_nearest(definition, deployed['task_definitions'])}")
            continue
        before, after = _met(existing), _met(definition)
        if not after.get("files"):
            # A right that is not needed any more does no harm.
            before["files"] = after.get("files")
        changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
        if changed:
            changes = [f"{title(name)} {differences(before.get(name), after.get(name))}" for name in changed]
            reasons.append(f"{who}, changed: {'; '.join(changes)}")
    return reasons


def waiting(deployed: Facts, needed: Facts) -> list[str]:
    """What else differs, and stays unchanged until the next deploy: settings of Airflow, logs and so on."""
    changes = settings.waiting(deployed["settings"], needed["settings"])
    before, after = deployed["task_definitions"], needed["task_definitions"]
    both = sorted(set(before) & set(after))
    for name in sorted(_UNMET):
        moved = [family for family in both if before[family].get(name) != after[family].get(name)]
        changes += [f"{title(name)} of {_counted(moved)}"] if moved else []
    reworded = [
        family
        for family in both
        if before[family].get("permissions") != after[family].get("permissions")
        and _met(before[family])["permissions"] == _met(after[family])["permissions"]
    ]
    changes += [f"reasons of the permissions of {_counted(reworded)}"] if reworded else []
    return changes + [f"task definition {family} is no longer used" for family in sorted(set(before) - set(after))]


def _counted(families: list[str]) -> str:
    return f"task definition {families[0]}" if len(families) == 1 else f"{len(families)} task definitions"


def _met(definition: Facts) -> dict[str, Any]:
    """What a run meets of a task definition. The reasons of permissions are for those who read the template."""
    facts = {name: value for name, value in definition.items() if name not in _SIZE | _UNMET}
    return facts | {"permissions": _permissions(definition)}


def _permissions(definition: Facts) -> list[dict[str, Any]]:
    return [{**grant, "reason": ""} for grant in definition.get("permissions", ())]


def _users(plan: Plan) -> dict[str, str]:
    """Family → the tasks that use it, in words."""
    users: dict[str, list[str]] = {}
    for schedule in plan.schedules:
        for task in schedule.tasks:
            if isinstance(task, FargateTask):
                users.setdefault(task.family, []).append(f"{schedule.name}.{task.name}")
    more = {family: f" and {len(names) - 2} more" if len(names) > 2 else "" for family, names in users.items()}
    return {family: ", ".join(names[:2]) + more[family] for family, names in users.items()}


def _nearest(definition: Facts, deployed: Mapping[str, Facts]) -> str:
    """How a new task definition differs from the deployed one that is most like it."""
    alike = [other for other in deployed.values() if other["engine"] == definition["engine"]]
    if not alike:
        return f"nothing of engine {definition['engine']} is"
    best = min(alike, key=lambda other: (
        other["image"] != definition["image"], other["architecture"] != definition["architecture"],
        len(_against(other, definition)), other["family"],
    ))  # fmt: skip
    changes = _against(best, definition)
    if not changes:
        # A family's name tells an image that a task names from the same image where it is the engine's own
        # (`penstock.compile.task_definitions`).
        return f"{best['family']}, which is, holds the same under another name"
    return f"against {best['family']}, which is: {', '.join(changes)}"


def _against(deployed: Facts, definition: Facts) -> list[str]:
    """Whatever may make another family of a definition (`penstock.compile.task_definitions`), and its keys."""
    before, after = _parts(deployed), _parts(definition)
    changes = [f"{part} is new" for part in after if part not in before]
    changes += [f"{part} is left out" for part in before if part not in after]
    same_permissions = _permissions(deployed) == _permissions(definition)
    if not same_permissions and not any(change.startswith("permission ") for change in changes):
        changes.append("other permissions")
    changes += [
        f"{title(name)} {differences(deployed.get(name), definition.get(name))}"
        for name in ("image", "architecture", "read_only_root", "runtime")
        if deployed.get(name) != definition.get(name)
    ]
    return changes


def _parts(definition: Facts) -> list[str]:
    parts = sorted(f"secret {secret['name']}" for secret in definition["secrets"])
    parts += [f"permission {permission(grant)}" for grant in _permissions(definition)]
    return parts + [f"key {key}" for key in definition.get("secret_kms_keys", ())]
