"""AWS::ECS::ClusterCapacityProviderAssociations: which capacity providers a cluster may use."""

from __future__ import annotations

from typing import Any

from penstock.local.aws import compat

Properties = dict[str, Any]
Made = tuple[str, Properties]


def _create(_logical_id: str, properties: Properties, _stack: str) -> Made:
    cluster = compat.ecs._clusters.get(compat.ecs._resolve_cluster_name(properties["Cluster"]))
    if cluster is None:
        raise ValueError(f"Cluster not found: {properties['Cluster']}")
    cluster["capacityProviders"] = list(properties["CapacityProviders"])
    cluster["defaultCapacityProviderStrategy"] = compat.provisioners._pascal_to_camel(
        properties.get("DefaultCapacityProviderStrategy") or []
    )
    return properties["Cluster"], {}


def _update(_physical_id: str, _old: Properties, new: Properties, stack: str) -> Made:
    return _create("", new, stack)


def _delete(_physical_id: str, properties: Properties) -> None:
    cluster = compat.ecs._clusters.get(compat.ecs._resolve_cluster_name(properties["Cluster"]))
    if cluster is not None:
        cluster["capacityProviders"], cluster["defaultCapacityProviderStrategy"] = [], []


HANDLERS: dict[str, dict[str, Any]] = {
    "AWS::ECS::ClusterCapacityProviderAssociations": {
        "create": _create,
        "update": _update,
        "delete": _delete,
    }
}
