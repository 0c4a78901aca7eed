"""What schedules: the DAG bucket with the bundle in it, the execution role with its grants, and MWAA."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from penstock_runtime import contract, infrastructure
from penstock_runtime.plan import Plan
from penstock_runtime.resources import Resources
from stacks.bucket import data_bucket
from stacks.ingestion import IngestionStack
from stacks.mwaa import DAGS, Mwaa
from stacks.mwaa_role import mwaa_role, own_key
from stacks.network import Network
from stacks.release import ReleaseDeployment, Source


class AirflowStack(cdk.Stack):
    """MWAA, with the plan's DAGs and the right to run the plan's tasks."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: Plan,
        network: Network,
        ingestion: IngestionStack,
        bundle: Path,
        source: Source,
        environment_files: Path | None = None,
        **stack: Any,
    ) -> None:
        """
        Args:
            bundle: folder that holds the bundle's files as they go below `dags/<prefix>/`.
            source: where they come from.
            environment_files: folder that holds requirements, plugins and startup script by key in the DAG bucket;
                None: the environment has none.
        """
        super().__init__(scope, name, **stack)
        key = own_key(self, "Key", plan.airflow)
        bucket = data_bucket(self, "Dags", key=key)
        role = mwaa_role(self, "ExecutionRole", airflow=plan.airflow, bucket=bucket)
        ingestion.grant_run(role)
        made = Mwaa(
            self, "Mwaa", airflow=plan.airflow, network=network, role=role, bucket=bucket, files=environment_files
        )
        folder = f"{DAGS}/{plan.prefix}"
        release = ReleaseDeployment(
            self,
            "Release",
            plan=plan,
            bundle=bundle,
            source=source,
            artifacts=ingestion.artifacts,
            bucket=bucket,
            folder=folder,
            facts={
                contract.RESOURCES_FILE: _lists(_resources(plan, network, ingestion)),
                infrastructure.FILE: ingestion.infrastructure,
            },
        )
        # Last of all: an update of MWAA that fails is rolled back with the DAGs as they were.
        release.live.node.add_dependency(made)
        cdk.CfnOutput(self, "DagBucket", value=bucket.bucket_name)
        # `penstock push` and `penstock diff` read these two.
        cdk.CfnOutput(self, "DagFolder", value=folder)
        cdk.CfnOutput(self, "AirflowUrl", value=f"https://{made.environment.attr_webserver_url}")


def _resources(plan: Plan, network: Network, ingestion: IngestionStack) -> Resources:
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
