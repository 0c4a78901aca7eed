"""An Airflow that is there already: the bundle in its bucket, and the right to run the plan's tasks. Nothing of it is
ours, so nothing of it is changed but that: one folder in the bucket, and managed policies of our own."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from penstock_runtime.plan.airflow import SelfManagedAirflow, UsedAirflow
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
        made = policies.make(f"{prefix}: what its DAGs in {airflow.name} need", role=airflow.execution_role)
        release = deploy_bundle(self, _guest_folder(self, airflow.bucket, airflow, prefix), delivery)
        # A DAG that arrives may run at once: its permissions come first, too.
        release.comes_after(*made)


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
        for number, one in enumerate(policies.make(f"{prefix}: what its DAGs need"), 1):
            cdk.CfnOutput(self, f"PolicyArn{number}", value=one.managed_policy_arn)


def _guest_folder(stack: cdk.Stack, bucket: str, airflow: UsedAirflow | SelfManagedAirflow, prefix: str) -> DagFolder:
    """A folder in a bucket that is theirs."""
    found = s3.Bucket.from_bucket_name(stack, "Dags", bucket)
    return DagFolder(found, airflow.dags, prefix, guest=True, kms_key=airflow.kms_key)


def _run_policies(stack: cdk.Stack, delivery: Delivery) -> ManagedPolicies:
    """The right to run the plan's tasks; not written down yet."""
    policies = ManagedPolicies(stack, "Airflow")
    delivery.ingestion.grant_run(policies)
    return policies
