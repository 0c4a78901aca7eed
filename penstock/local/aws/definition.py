"""Task definitions: what ECS checks when one is registered, by the API or by CloudFormation, and which one is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.aws.fargate import MEMORY_MIB
from penstock.local.aws import compat

MAX_STOP_TIMEOUT_SECONDS = 120


def wrong_size(cpu: Any, memory: Any) -> str | None:
    """ECS's words for a pair that Fargate does not offer, or None."""
    try:
        if int(memory) in MEMORY_MIB.get(int(cpu), ()):
            return None
    except (TypeError, ValueError):
        pass
    return f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."


def problem(definition: Mapping[str, Any]) -> str | None:
    """What ECS refuses in a definition for Fargate (camelCase keys, as in the API), or None."""
    if "FARGATE" not in (definition.get("requiresCompatibilities") or []):
        return None
    if definition.get("networkMode") != "awsvpc":
        return "Fargate only supports network mode 'awsvpc'."
    size = wrong_size(definition.get("cpu"), definition.get("memory"))
    if size:
        return size
    storage = (definition.get("ephemeralStorage") or {}).get("sizeInGiB")
    if storage is not None and not 21 <= int(storage) <= 200:
        return "Ephemeral storage size must be between 21 and 200 GiB."
    for container in definition.get("containerDefinitions") or []:
        driver = (container.get("logConfiguration") or {}).get("logDriver")
        if not definition.get("executionRoleArn") and (container.get("secrets") or driver == "awslogs"):
            needs = "container secrets" if container.get("secrets") else f"log driver {driver}"
            return f"Fargate requires task definition to have execution role ARN to support {needs}."
        plain = {variable["name"] for variable in container.get("environment") or []}
        twice = next(
            (variable["name"] for variable in container.get("secrets") or [] if variable["name"] in plain), None
        )
        if twice is not None:
            return (
                "The secret name must be unique and not shared with any new or existing environment variables set on "
                f"the container, such as '{twice}'."
            )
        if int(container.get("stopTimeout") or 0) > MAX_STOP_TIMEOUT_SECONDS:
            return f"Stop timeout must be at most {MAX_STOP_TIMEOUT_SECONDS} seconds."
    return None


def install() -> None:
    """A reference to a family alone means its latest *active* revision; ministack takes the latest of all."""
    resolve = compat.ecs._resolve_td_key

    def resolve_key(reference: str) -> str | None:
        family = reference.rsplit("task-definition/", 1)[-1]
        if not family or ":" in family:
            key = resolve(reference)
            return None if key is None else str(key)
        active = [
            definition["revision"]
            for definition in compat.ecs._task_defs.values()
            if definition["family"] == family and definition["status"] == "ACTIVE"
        ]
        return f"{family}:{max(active)}" if active else family

    compat.ecs._resolve_td_key = resolve_key
