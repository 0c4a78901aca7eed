"""What schedules: the DAG bucket with the bundle in it, the execution role with its grants, and MWAA."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_mwaa as mwaa
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from penstock_runtime import contract
from penstock_runtime.plan import Plan
from penstock_runtime.resources import Resources
from stacks.bucket import data_bucket, deploy_files
from stacks.ingestion import IngestionStack
from stacks.mwaa_role import mwaa_role
from stacks.network import Network

DAGS = "dags"
"""MWAA's DAG folder in the bucket. Ours is one folder below it, so several projects may share one MWAA."""

ACCESS = {"private": "PRIVATE_ONLY", "public": "PUBLIC_ONLY"}


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
        **stack: Any,
    ) -> None:
        """
        Args:
            bundle: folder that holds the bundle's files as they go below `dags/<prefix>/`.
        """
        super().__init__(scope, name, **stack)
        bucket = data_bucket(self, "Dags")
        self._deploy_bundle(bucket, bundle, plan, _resources(plan, network, ingestion))
        role = mwaa_role(self, "ExecutionRole", plan=plan, bucket=bucket)
        ingestion.grant_run(role)
        environment = mwaa.CfnEnvironment(
            self,
            "Environment",
            name=plan.airflow.name,
            airflow_version=plan.airflow.version,
            environment_class=plan.airflow.environment_class,
            min_workers=plan.airflow.min_workers,
            max_workers=plan.airflow.max_workers,
            webserver_access_mode=ACCESS[plan.airflow.access],
            airflow_configuration_options=plan.airflow.options or None,
            source_bucket_arn=bucket.bucket_arn,
            dag_s3_path=DAGS,
            execution_role_arn=role.role_arn,
            network_configuration=mwaa.CfnEnvironment.NetworkConfigurationProperty(
                subnet_ids=list(network.subnets), security_group_ids=list(network.airflow_security_groups)
            ),
            logging_configuration=_logging(),
        )
        # MWAA tries the role and the bucket while it creates the environment, so policies come first.
        environment.node.add_dependency(role, bucket)
        cdk.CfnOutput(self, "DagBucket", value=bucket.bucket_name)
        cdk.CfnOutput(self, "AirflowUrl", value=f"https://{environment.attr_webserver_url}")

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


def _logging() -> mwaa.CfnEnvironment.LoggingConfigurationProperty:
    """All five logs at INFO: what failed at night is read in the morning."""
    info = mwaa.CfnEnvironment.ModuleLoggingConfigurationProperty(enabled=True, log_level="INFO")
    return mwaa.CfnEnvironment.LoggingConfigurationProperty(
        dag_processing_logs=info, scheduler_logs=info, task_logs=info, webserver_logs=info, worker_logs=info
    )


def _lists(resources: Resources) -> dict[str, Any]:
    """The dataclass as jsii takes it, which knows no tuples."""
    fields = dataclasses.asdict(resources)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
