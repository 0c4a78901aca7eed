"""The bundle in the bucket that Airflow reads, live, with the facts that only a deploy knows."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from penstock_runtime import contract
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release import infrastructure
from penstock_runtime.release.resources import Resources
from stacks.ingestion.stack import IngestionStack
from stacks.network.stack import Network
from stacks.release.dag_folder import DagFolder
from stacks.release.deployment import ReleaseDeployment
from stacks.release.source import Source


@dataclass(frozen=True)
class Delivery:
    """A bundle, and what its DAGs need of the other stacks: the same whichever Airflow it is for."""

    plan: Plan
    network: Network
    ingestion: IngestionStack
    bundle: Path
    """Folder that holds the bundle's files as they go below `<dags>/<prefix>/`."""
    source: Source
    """Where the project comes from."""


def deploy_bundle(
    stack: cdk.Stack,
    folder: DagFolder,
    delivery: Delivery,
    *,
    upload_role: iam.IRole | None = None,
    airflow_url: str = "",
) -> ReleaseDeployment:
    """Upload the bundle and make it live, after the task definitions: a DAG that arrives may run at once.

    `penstock push` and `penstock diff` find it by the stack's outputs.

    Args:
        upload_role: see `ReleaseDeployment`.
        airflow_url: address of Airflow's page, where it is known.
    """
    cdk.CfnOutput(stack, "DagBucket", value=folder.bucket.bucket_name)
    cdk.CfnOutput(stack, "DagFolder", value=folder.path)
    plan, ingestion = delivery.plan, delivery.ingestion
    release = ReleaseDeployment(
        stack,
        _name(folder, upload_role),
        plan=plan,
        bundle=delivery.bundle,
        source=delivery.source,
        # By its name, as any stack knows it but its own.
        artifacts=s3.Bucket.from_bucket_name(stack, "ReleaseArtifacts", ingestion.artifacts_name),
        folder=folder,
        facts={
            contract.RESOURCES_FILE: _facts(resources_of(plan, delivery.network, ingestion, airflow_url)),
            infrastructure.FILE: ingestion.infrastructure,
        },
        upload_role=upload_role,
    )
    release.comes_after(*ingestion.add_tasks(stack))
    return release


def _name(folder: DagFolder, upload_role: iam.IRole | None) -> str:
    """With the user's own bucket for MWAA, another name for each bucket and folder.

    Otherwise an update to another folder would have CDK's function empty the old one, which its role can no longer do.
    """
    if upload_role is None:
        return "Release"
    address = f"{folder.bucket.bucket_name}/{folder.path}"
    return f"Release{hashlib.sha256(address.encode()).hexdigest()[:8]}"


def resources_of(plan: Plan, network: Network, ingestion: IngestionStack, airflow_url: str = "") -> Resources:
    """What `resources.json` holds. Of Airflow only what a task of the plan needs."""
    tasks = [task for schedule in plan.schedules for task in schedule.tasks]
    beside_airflow = any(isinstance(task, FargateTask) and task.runs_beside == "airflow" for task in tasks)
    links_to_airflow = any(contract.AIRFLOW_URL_VARIABLE in task.names for task in tasks)
    return Resources(
        region=ingestion.region,
        cluster=plan.cluster,
        subnets=network.task_subnets,
        security_groups=network.task_security_groups,
        assign_public_ip=network.assign_public_ip,
        log_group=plan.log_group,
        artifacts_bucket=ingestion.artifacts_name,
        airflow_subnets=network.subnets if beside_airflow else (),
        airflow_security_groups=network.airflow_security_groups if beside_airflow else (),
        airflow_url=airflow_url if links_to_airflow else "",
    )


def _facts(resources: Resources) -> dict[str, Any]:
    """The dataclass as jsii takes it: without tuples. What is not needed is left out."""
    left_out = {"airflow_subnets", "airflow_security_groups", "airflow_url"}
    fields = {name: value for name, value in dataclasses.asdict(resources).items() if value or name not in left_out}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
