"""Which of the deployed settings the DAGs of a plan meet: the Airflow that they go to, the network of their tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from penstock.deployed.describe import differences, title

Settings = Mapping[str, Any]
"""`settings` of `infrastructure.describe`."""

_PLACE = {
    "account": "account",
    "region": "region",
    "prefix": "name of project and environment",
    "cluster": "cluster",
    "log_group": "log group",
}
_TASKS_PLACE = ("cidr", "egress", "zones", "vpc", "task_subnets", "assign_public_ip", "task_security_groups")
"""Fields of a network that a task meets: where it runs, and as whom others see it. The rest is MWAA's, or watches, or
costs."""
_TASKS_WAYS = {"endpoints": "endpoint", "trusted_accounts": "trusted account"}
"""Fields of which a task may need each member, for a call of its own: one that is left out can wait, a new one not."""
_TARGET = ("name", "bucket", "dags", "execution_role")
"""Fields of an Airflow that say where the DAGs go, and whom the deploy has let run their tasks."""


def lacking(before: Settings, after: Settings) -> list[str]:
    """What is deployed otherwise than the DAGs need it, one sentence each."""
    reasons = []
    for name, noun in _PLACE.items():
        # No account in the plan: the one at hand, which is where the deployed one was found.
        if before.get(name) != after.get(name) and not (name == "account" and after.get(name) is None):
            reasons.append(f"the {noun} changed: {differences(before.get(name), after.get(name))}")
    if changed := _other_target(before["airflow"], after["airflow"]):
        reasons.append(f"the Airflow that the DAGs go to changed: {changed}")
    readable = {json.dumps(secret, sort_keys=True) for secret in before.get("worker_secrets", [])}
    if new := [one for one in after.get("worker_secrets", []) if json.dumps(one, sort_keys=True) not in readable]:
        names = ", ".join(one["name"] for one in new)
        reasons.append(f"Airflow's role may not read secrets that tasks in its workers get: {names}")
    if changed := _other_network(before["network"], after["network"]):
        reasons.append(f"the network changed: {changed}")
    return reasons


def waiting(before: Settings, after: Settings) -> list[str]:
    """What else differs, one sentence each."""
    changes = []
    for name in sorted({*before, *after} - set(_PLACE)):
        old, new = before.get(name), after.get(name)
        if name == "network" and isinstance(old, Mapping) and isinstance(new, Mapping):
            old, new = _rest(old), _rest(new)
        if old != new:
            changes.append(f"{title(name)}: {differences(old, new)}")
    return changes


def _other_target(before: Settings, after: Settings) -> str:
    if _kind(before) != _kind(after):
        return f"{_called(before)} → {_called(after)}"
    return differences({name: before.get(name) for name in _TARGET}, {name: after.get(name) for name in _TARGET})


def _called(airflow: Settings) -> str:
    return _kind(airflow) + (f" ({airflow['name']})" if "name" in airflow else "")


def _kind(airflow: Settings) -> str:
    """In words, by the fields that one kind alone has (`penstock_runtime.plan.airflow`)."""
    if "environment_class" in airflow:
        return "one that Penstock creates"
    return "one that exists" if "execution_role" in airflow else "a self-managed one"


def _other_network(before: Settings, after: Settings) -> str:
    old, new = _met(before), _met(after)
    changes = [differences(old, new)] if old != new else []
    if before.get("egress") == after.get("egress"):
        for name, way in _TASKS_WAYS.items():
            changes += [f"{way} {member} is new" for member in sorted({*after.get(name, ())} - {*before.get(name, ())})]
    return ", ".join(changes)


def _met(network: Settings) -> dict[str, Any]:
    facts = {name: network.get(name) for name in _TASKS_PLACE}
    # Tasks are in MWAA's subnets, unless the project gives them others.
    return facts | {"task_subnets": network.get("task_subnets") or network.get("private_subnets")}


def _rest(network: Settings) -> Settings:
    return {name: value for name, value in network.items() if name not in _TASKS_PLACE}
