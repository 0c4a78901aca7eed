"""What schedules: the DAG bucket with the bundle in it, the execution role with its grants, and MWAA."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_mwaa as mwaa
from constructs import Construct

from penstock_runtime import contract, infrastructure
from penstock_runtime.plan import Plan
from penstock_runtime.resources import Resources
from stacks.bucket import data_bucket
from stacks.ingestion import IngestionStack
from stacks.mwaa_role import mwaa_role
from stacks.network import Network
from stacks.release import ReleaseDeployment, Source

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
        source: Source,
        **stack: Any,
    ) -> None:
        """
        Args:
            bundle: folder that holds the bundle's files as they go below `dags/<prefix>/`.
            source: where they come from.
        """
        super().__init__(scope, name, **stack)
        bucket = data_bucket(self, "Dags")
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
        release.live.node.add_dependency(environment)
        cdk.CfnOutput(self, "DagBucket", value=bucket.bucket_name)
        # `penstock push` and `penstock diff` read these two.
        cdk.CfnOutput(self, "DagFolder", value=folder)
        cdk.CfnOutput(self, "AirflowUrl", value=f"https://{environment.attr_webserver_url}")


def _resources(plan: Plan, network: Network, ingestion: IngestionStack) -> Resources:
    return Resources(
        region=ingestion.region,
        cluster=plan.cluster,
        subnets=network.subnets,
        security_groups=network.task_security_groups,
        assign_public_ip=False,
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
