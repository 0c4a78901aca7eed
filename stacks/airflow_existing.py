"""An Airflow that is there already: the bundle in its bucket, and the right to run the plan's tasks. Nothing of it is
ours, so nothing of it is changed but that: one folder in the bucket, and managed policies of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime.airflow_environment import SelfManagedAirflow, UsedAirflow
from penstock_runtime.plan import Plan
from stacks.bucket import data_bucket
from stacks.dag_folder import DagFolder, object_statements
from stacks.dags import deploy_bundle
from stacks.ingestion import IngestionStack
from stacks.managed_policies import ManagedPolicies
from stacks.nag import grant
from stacks.network import Network
from stacks.release import Source


class UsedAirflowStack(cdk.Stack):
    """For an MWAA environment that exists."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: Plan,
        airflow: UsedAirflow,
        network: Network,
        ingestion: IngestionStack,
        bundle: Path,
        source: Source,
        **stack: Any,
    ) -> None:
        """
        Args:
            bundle: folder that holds the bundle's files as they go below `<dags>/<prefix>/`.
            source: where they come from.
        """
        super().__init__(scope, name, **stack)
        bucket = s3.Bucket.from_bucket_name(self, "Dags", airflow.bucket)
        folder = DagFolder(bucket, airflow.dags, plan.prefix, guest=True, kms_key=airflow.kms_key)
        policies = ManagedPolicies(self, "Airflow")
        ingestion.grant_run(policies)
        made = policies.make(f"{plan.prefix}: what its DAGs in {airflow.name} need", role=airflow.execution_role)
        release = deploy_bundle(self, folder, bundle, plan=plan, network=network, ingestion=ingestion, source=source)
        # A DAG that arrives may run at once: its permissions and task definitions come first.
        release.live.node.add_dependency(*made, *ingestion.add_tasks(self))


class SelfManagedAirflowStack(cdk.Stack):
    """For an Airflow that is not MWAA."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: Plan,
        airflow: SelfManagedAirflow,
        network: Network,
        ingestion: IngestionStack,
        bundle: Path,
        source: Source,
        **stack: Any,
    ) -> None:
        """
        Args:
            bundle: folder that holds the bundle's files as they go below `<dags>/<prefix>/`.
            source: where they come from.
        """
        super().__init__(scope, name, **stack)
        if airflow.bucket is None:
            folder = DagFolder(data_bucket(self, "Dags"), airflow.dags, plan.prefix)
        else:
            bucket = s3.Bucket.from_bucket_name(self, "Dags", airflow.bucket)
            folder = DagFolder(bucket, airflow.dags, plan.prefix, guest=True, kms_key=airflow.kms_key)
        policies = ManagedPolicies(self, "Airflow")
        ingestion.grant_run(policies)
        grant(policies, object_statements(folder, "s3:GetObject"), "The files of the bundle, below its own folder.")
        release = deploy_bundle(self, folder, bundle, plan=plan, network=network, ingestion=ingestion, source=source)
        release.live.node.add_dependency(*ingestion.add_tasks(self))
        for number, one in enumerate(policies.make(f"{plan.prefix}: what its DAGs need"), 1):
            cdk.CfnOutput(self, f"PolicyArn{number}", value=one.managed_policy_arn)
