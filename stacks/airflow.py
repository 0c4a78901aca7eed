"""What schedules: the DAG bucket with the bundle in it, the task definitions, the execution role, and MWAA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from penstock_runtime.airflow_environment import Airflow
from stacks.bucket import data_bucket
from stacks.dag_folder import DagFolder
from stacks.dags import Delivery, deploy_bundle
from stacks.mwaa import DAGS, Mwaa
from stacks.mwaa_role import mwaa_role, own_key


class AirflowStack(cdk.Stack):
    """MWAA, with the plan's DAGs and the right to run the plan's tasks."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        airflow: Airflow,
        delivery: Delivery,
        environment_files: Path | None = None,
        **stack: Any,
    ) -> None:
        """
        Args:
            environment_files: folder that holds requirements, plugins and startup script by key in the DAG bucket;
                None: the environment has none.
        """
        super().__init__(scope, name, **stack)
        key = own_key(self, "Key", airflow)
        bucket = data_bucket(self, "Dags", key=key)
        role = mwaa_role(self, "ExecutionRole", airflow=airflow, bucket=bucket)
        delivery.ingestion.grant_run(role)
        made = Mwaa(
            self,
            "Mwaa",
            airflow=airflow,
            network=delivery.network,
            role=role,
            bucket=bucket,
            files=environment_files,
            role_name_prefix=delivery.plan.iam.role_name_prefix,
            topic=delivery.plan.observability.topic,
        )
        release = deploy_bundle(self, DagFolder(bucket, DAGS, delivery.plan.prefix), delivery)
        # Last of all: an update of MWAA that fails is rolled back with DAGs and task definitions as they were.
        release.comes_after(made)
        if airflow.endpoint_management == "service":
            # With the customer's endpoints the environment is still to be made: it may have no address yet.
            cdk.CfnOutput(self, "AirflowUrl", value=f"https://{made.environment.attr_webserver_url}")
