"""What ECS checks of a RunTask call before it accepts it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.local.aws import compat, definition, iam
from penstock_runtime.airflow.operators.run_task import OVERRIDES_LIMIT

MAX_COUNT, MAX_CLIENT_TOKEN, MAX_STARTED_BY = 10, 64, 128
FARGATE = ("FARGATE", "FARGATE_SPOT")


class Refusal(Exception):
    """ECS refuses the call; `code` is the error's name in its API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Wanted:
    """A RunTask call that was found to be right."""

    cluster: str
    definition: dict[str, Any]
    count: int
    values: dict[str, Any]
    """What the new tasks' records say, beyond what the call says itself."""


def check_run_task(call: Mapping[str, Any]) -> Wanted:
    """Check the call as ECS does.

    Raises:
        Refusal: with the code and, where known, the words of ECS.
    """
    cluster = compat.ecs._clusters.get(compat.ecs._resolve_cluster_name(call.get("cluster") or "default"))
    if cluster is None:
        raise Refusal("ClusterNotFoundException", "Cluster not found.")
    found = _definition(str(call.get("taskDefinition") or ""))
    overrides = dict(call.get("overrides") or {})
    refused = iam.pass_role_denial(
        overrides.get("taskRoleArn") or found.get("taskRoleArn"),
        overrides.get("executionRoleArn") or found.get("executionRoleArn"),
    )
    if refused:
        raise Refusal("AccessDeniedException", refused)
    _check_numbers(call)
    _check_overrides(overrides, found)
    cpu, memory = overrides.get("cpu") or found.get("cpu"), overrides.get("memory") or found.get("memory")
    wrong = definition.wrong_size(cpu, memory)
    if wrong:
        raise Refusal("ClientException", wrong)
    storage = _storage(overrides, found)
    values = {
        "clusterArn": cluster["clusterArn"],
        "taskDefinitionArn": found["taskDefinitionArn"],
        "family": found["family"],
        "container": found["containerDefinitions"][0],
        "capacity": _capacity(call, cluster),
        "network": _network(call, found),
        "overrides": overrides,
        "cpu": str(cpu),
        "memory": str(memory),
        "storage": storage,
    }
    return Wanted(cluster["clusterName"], found, int(call.get("count") or 1), values)


def _definition(reference: str) -> dict[str, Any]:
    found = compat.ecs._task_defs.get(compat.ecs._resolve_td_key(reference))
    if found is None:
        raise Refusal("ClientException", "TaskDefinition not found.")
    if found["status"] != "ACTIVE":
        raise Refusal("ClientException", "TaskDefinition is inactive")
    containers = found["containerDefinitions"]
    if len(containers) != 1:
        names = ", ".join(one["name"] for one in containers)
        raise Refusal(
            "ClientException",
            f"The embedded AWS runs task definitions with one container; {reference} has {len(containers)}: {names}.",
        )
    return dict(found)


def _check_numbers(call: Mapping[str, Any]) -> None:
    count = call.get("count", 1)
    if not isinstance(count, int) or not 1 <= count <= MAX_COUNT:
        raise Refusal("InvalidParameterException", f"Task count must be between 1 and {MAX_COUNT}.")
    for name, limit in (("clientToken", MAX_CLIENT_TOKEN), ("startedBy", MAX_STARTED_BY)):
        if len(call.get(name) or "") > limit:
            raise Refusal("InvalidParameterException", f"{name} must be at most {limit} characters long.")
    if call.get("propagateTags") not in (None, "TASK_DEFINITION", "NONE"):
        raise Refusal("InvalidParameterException", f"propagateTags {call['propagateTags']} is not for RunTask.")
    if len(call.get("tags") or []) > 50:
        raise Refusal("InvalidParameterException", "A task can have at most 50 tags.")


def _check_overrides(overrides: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    if len(json.dumps(overrides, separators=(",", ":"), ensure_ascii=False)) > OVERRIDES_LIMIT:
        raise Refusal("InvalidParameterException", f"Container Overrides length must be at most {OVERRIDES_LIMIT}")
    names = [one["name"] for one in found["containerDefinitions"]]
    for one in overrides.get("containerOverrides") or []:
        if one.get("name") not in names:
            raise Refusal(
                "InvalidParameterException",
                f"Override for container named {one.get('name')} is not a container in the TaskDefinition.",
            )


def _storage(overrides: Mapping[str, Any], found: Mapping[str, Any]) -> int:
    stated = overrides.get("ephemeralStorage") or found.get("ephemeralStorage") or {}
    size = int(stated.get("sizeInGiB", 20))
    if stated and not 20 <= size <= 200:
        raise Refusal("InvalidParameterException", "Ephemeral storage size must be between 20 and 200 GiB.")
    return size


def _capacity(call: Mapping[str, Any], cluster: Mapping[str, Any]) -> dict[str, str]:
    """`launchType` or `capacityProviderName` of the tasks."""
    launch_type, strategy = call.get("launchType"), call.get("capacityProviderStrategy") or []
    if launch_type and strategy:
        raise Refusal(
            "InvalidParameterException",
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        )
    if not launch_type and not strategy:
        strategy = cluster.get("defaultCapacityProviderStrategy") or []
    if not strategy:
        if launch_type != "FARGATE":  # ECS's default is EC2
            raise Refusal("InvalidParameterException", "No Container Instances were found in your cluster.")
        return {"launchType": "FARGATE"}
    names = [one["capacityProvider"] for one in strategy]
    for name in names:
        if name not in FARGATE:
            raise Refusal("InvalidParameterException", f"The specified capacity provider '{name}' was not found.")
        if name not in (cluster.get("capacityProviders") or []):
            raise Refusal(
                "InvalidParameterException",
                "The specified capacity provider strategy cannot contain a capacity provider that is not "
                "associated with the cluster. Associate the capacity provider with the cluster and try again.",
            )
    weighted = max(strategy, key=lambda one: (int(one.get("base") or 0), int(one.get("weight") or 0)))
    return {"capacityProviderName": weighted["capacityProvider"], "launchType": "FARGATE"}


def _network(call: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    network = (call.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if not network or not network.get("subnets"):
        raise Refusal(
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )
    if "FARGATE" not in (found.get("requiresCompatibilities") or found.get("compatibilities") or []):
        raise Refusal("ClientException", "Task definition does not support launch_type FARGATE.")
    for subnet in network["subnets"]:
        if subnet not in compat.ec2._subnets:
            raise Refusal(
                "InvalidParameterException",
                f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not exist",
            )
    vpc = compat.ec2._subnets[network["subnets"][0]]["VpcId"]
    for group in network.get("securityGroups") or []:
        known = compat.ec2._security_groups.get(group)
        if known is None:
            raise Refusal(
                "InvalidParameterException",
                f"Error retrieving security group information for [{group}]: "
                f"The security group '{group}' does not exist",
            )
        if known["VpcId"] != vpc:
            raise Refusal(
                "InvalidParameterException",
                f"Security group {group} does not appear to be in the same VPC {vpc}",
            )
    return dict(network)
