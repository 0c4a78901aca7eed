"""The bundle in the bucket that Airflow reads, with the facts that only a deploy knows, and live."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from penstock_runtime import contract, infrastructure
from penstock_runtime.plan import Plan
from penstock_runtime.resources import Resources
from stacks.dag_folder import DagFolder
from stacks.ingestion import IngestionStack
from stacks.network import Network
from stacks.release import ReleaseDeployment, Source


def deploy_bundle(
    scope: Construct,
    folder: DagFolder,
    bundle: Path,
    *,
    plan: Plan,
    network: Network,
    ingestion: IngestionStack,
    source: Source,
) -> ReleaseDeployment:
    """Upload the bundle and make it live; `penstock push` and `penstock diff` find it by the stack's outputs.

    Args:
        bundle: folder that holds the bundle's files as they go below `<dags>/<prefix>/`.
        source: where the project comes from.
    """
    cdk.CfnOutput(scope, "DagBucket", value=folder.bucket.bucket_name)
    cdk.CfnOutput(scope, "DagFolder", value=folder.path)
    return ReleaseDeployment(
        scope,
        "Release",
        plan=plan,
        bundle=bundle,
        source=source,
        artifacts=ingestion.artifacts,
        folder=folder,
        facts={
            contract.RESOURCES_FILE: _lists(resources_of(plan, network, ingestion)),
            infrastructure.FILE: ingestion.infrastructure,
        },
    )


def resources_of(plan: Plan, network: Network, ingestion: IngestionStack) -> Resources:
    """What `resources.json` holds."""
    return Resources(
        region=ingestion.region,
        cluster=plan.cluster,
        subnets=network.task_subnets,
        security_groups=network.task_security_groups,
        assign_public_ip=network.assign_public_ip,
        log_group=plan.log_group,
        artifacts_bucket=ingestion.artifacts.bucket_name,
    )


def _lists(resources: Resources) -> dict[str, Any]:
    """The dataclass as jsii takes it, which knows no tuples."""
    fields = dataclasses.asdict(resources)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
