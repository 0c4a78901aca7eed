"""An existing Airflow: the bundle in its bucket, and the right to run the plan's tasks. Nothing else of it is changed:
Penstock adds one folder in the bucket, and its own managed policies."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime.plan.airflow import SelfManagedAirflow, UsedAirflow
from stacks.airflow.catalogue import database_secret
from stacks.airflow.dags import Delivery, deploy_bundle
from stacks.bucket import data_bucket
from stacks.managed_policies import ManagedPolicies
from stacks.nag import grant
from stacks.release.dag_folder import DagFolder, object_statements


class UsedAirflowStack(cdk.Stack):
    """For an MWAA environment that exists."""

    def __init__(self, scope: Construct, name: str, *, airflow: UsedAirflow, delivery: Delivery, **stack: Any) -> None:
        super().__init__(scope, name, **stack)
        prefix = delivery.plan.prefix
        policies = _run_policies(self, delivery)
        database_secret(self, delivery.plan, policies)
        attached = policies.make(f"{prefix}: what its DAGs in {airflow.name} need", role=airflow.execution_role)
        release = deploy_bundle(self, _guest_folder(self, airflow.bucket, airflow, prefix), delivery)
        # A DAG that arrives may run at once: its permissions come first, too.
        release.comes_after(*attached)


class SelfManagedAirflowStack(cdk.Stack):
    """For an Airflow that is not MWAA."""

    def __init__(
        self, scope: Construct, name: str, *, airflow: SelfManagedAirflow, delivery: Delivery, **stack: Any
    ) -> None:
        super().__init__(scope, name, **stack)
        prefix = delivery.plan.prefix
        if airflow.bucket is None:
            folder = DagFolder(data_bucket(self, "Dags"), airflow.dags, prefix)
        else:
            folder = _guest_folder(self, airflow.bucket, airflow, prefix)
        policies = _run_policies(self, delivery)
        grant(policies, object_statements(folder, "s3:GetObject"), "The files of the bundle, below its own folder.")
        deploy_bundle(self, folder, delivery)
        for number, policy in enumerate(policies.make(f"{prefix}: what its DAGs need"), 1):
            cdk.CfnOutput(self, f"PolicyArn{number}", value=policy.managed_policy_arn)


def _guest_folder(stack: cdk.Stack, bucket: str, airflow: UsedAirflow | SelfManagedAirflow, prefix: str) -> DagFolder:
    """A folder in the existing Airflow's bucket."""
    theirs = s3.Bucket.from_bucket_name(stack, "Dags", bucket)
    return DagFolder(theirs, airflow.dags, prefix, guest=True, kms_key=airflow.kms_key)


def _run_policies(stack: cdk.Stack, delivery: Delivery) -> ManagedPolicies:
    """The right to run the plan's tasks; not made into policies yet."""
    policies = ManagedPolicies(stack, "Airflow")
    delivery.ingestion.grant_run(policies)
    return policies
