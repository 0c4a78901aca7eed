"""What schedules: the DAG bucket with the bundle in it, the execution role with its grants, and MWAA."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from penstock_runtime import contract
from penstock_runtime.plan import Plan
from penstock_runtime.resources import Resources
from stacks.bucket import data_bucket, deploy_files
from stacks.ingestion import IngestionStack
from stacks.mwaa import DAGS, Mwaa
from stacks.mwaa_role import mwaa_role, own_key
from stacks.network import Network


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
        environment_files: Path | None = None,
        **stack: Any,
    ) -> None:
        """
        Args:
            bundle: folder that holds the bundle's files as they go below `dags/<prefix>/`.
            environment_files: folder that holds requirements, plugins and startup script by key in the DAG bucket;
                None: the environment has none.
        """
        super().__init__(scope, name, **stack)
        key = own_key(self, "Key", plan.airflow)
        bucket = data_bucket(self, "Dags", key=key)
        self._deploy_bundle(bucket, bundle, plan, _resources(plan, network, ingestion))
        role = mwaa_role(self, "ExecutionRole", airflow=plan.airflow, bucket=bucket)
        ingestion.grant_run(role)
        made = Mwaa(
            self, "Mwaa", airflow=plan.airflow, network=network, role=role, bucket=bucket, files=environment_files
        )
        cdk.CfnOutput(self, "DagBucket", value=bucket.bucket_name)
        cdk.CfnOutput(self, "AirflowUrl", value=f"https://{made.environment.attr_webserver_url}")

    def _deploy_bundle(self, bucket: s3.Bucket, bundle: Path, plan: Plan, resources: Resources) -> None:
        """Releases first; then the files that name one. MWAA syncs file by file, so order is all we have."""
        folder = f"{DAGS}/{plan.prefix}"
        releases = contract.RELEASES_FOLDER
        release = deploy_files(
            self,
            "Release",
            to=bucket,
            prefix=f"{folder}/{releases}",
            # Nothing is deleted: until MWAA has synced the new loaders, the old ones need the old release.
            sources=[s3_deployment.Source.asset(str(bundle / releases))],
        )
        loaders = deploy_files(
            self,
            "Loaders",
            to=bucket,
            prefix=folder,
            sources=[
                s3_deployment.Source.asset(str(bundle), exclude=[releases, f"{releases}/**"]),
                s3_deployment.Source.json_data(contract.RESOURCES_FILE, _lists(resources)),
            ],
            keep=[f"{releases}/*"],
        )
        loaders.node.add_dependency(release)


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
