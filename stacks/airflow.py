"""What schedules: the DAG bucket with the bundle in it, the task definitions, the execution role, and MWAA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from penstock_runtime.airflow_environment import Airflow
from penstock_runtime.plan import Plan
from stacks.bucket import data_bucket
from stacks.dag_folder import DagFolder
from stacks.dags import deploy_bundle
from stacks.ingestion import IngestionStack
from stacks.mwaa import DAGS, Mwaa
from stacks.mwaa_role import mwaa_role, own_key
from stacks.network import Network
from stacks.release import Source


class AirflowStack(cdk.Stack):
    """MWAA, with the plan's DAGs and the right to run the plan's tasks."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: Plan,
        airflow: Airflow,
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
        key = own_key(self, "Key", airflow)
        bucket = data_bucket(self, "Dags", key=key)
        role = mwaa_role(self, "ExecutionRole", airflow=airflow, bucket=bucket)
        ingestion.grant_run(role)
        made = Mwaa(
            self,
            "Mwaa",
            airflow=airflow,
            network=network,
            role=role,
            bucket=bucket,
            files=environment_files,
            role_name_prefix=plan.iam.role_name_prefix,
        )
        folder = DagFolder(bucket, DAGS, plan.prefix)
        release = deploy_bundle(self, folder, bundle, plan=plan, network=network, ingestion=ingestion, source=source)
        # Last of all: an update of MWAA that fails is rolled back with DAGs and task definitions as they were.
        release.live.node.add_dependency(made, *ingestion.add_tasks(self))
        cdk.CfnOutput(self, "AirflowUrl", value=f"https://{made.environment.attr_webserver_url}")
