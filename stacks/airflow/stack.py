"""What schedules: the DAG bucket with the bundle in it, the task definitions, the execution role, and MWAA."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct, IDependable

from penstock_runtime.contract import OWN_FILES_FOLDER
from penstock_runtime.plan.airflow import Airflow
from stacks.airflow.catalogue import database_secret
from stacks.airflow.dags import Delivery, deploy_bundle
from stacks.airflow.environment_files import FileSource
from stacks.airflow.mwaa import Mwaa
from stacks.airflow.mwaa_role import ASKED_FOR, mwaa_role, mwaa_statements, own_key
from stacks.bucket import data_bucket
from stacks.managed_policies import ManagedPolicies
from stacks.nag import acknowledge_wildcards, grant
from stacks.permitted import statements_of
from stacks.release.dag_folder import DagFolder, guest_role


class AirflowStack(cdk.Stack):
    """MWAA, with the plan's DAGs and the right to run the plan's tasks.

    Penstock makes the bucket and the execution role, unless the plan names existing ones: then it uses one folder of
    the bucket, and attaches managed policies to the role.
    """

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
        folder = self._folder(airflow, delivery.plan.prefix)
        upload_role = guest_role(self, folder, delivery.bundle) if folder.guest else None
        role_arn, allowed = self._execution_role(airflow, folder.bucket, delivery)
        mwaa = Mwaa(
            self,
            "Mwaa",
            airflow=airflow,
            network=delivery.network,
            role_arn=role_arn,
            allowed=allowed,
            bucket=folder.bucket,
            files=None if environment_files is None else FileSource(environment_files, folder.bucket, upload_role),
            role_name_prefix=delivery.plan.iam.role_name_prefix,
            topic=delivery.plan.observability.topic,
        )
        # With the customer's endpoints the environment is not complete yet: it may have no address.
        has_address = airflow.endpoint_management == "service"
        url = f"https://{mwaa.environment.attr_webserver_url}" if has_address else ""
        release = deploy_bundle(self, folder, delivery, upload_role=upload_role, airflow_url=url)
        # Last of all: an update of MWAA that fails is rolled back with DAGs and task definitions as they were.
        release.comes_after(mwaa)
        if has_address:
            cdk.CfnOutput(self, "AirflowUrl", value=url)

    def _folder(self, airflow: Airflow, prefix: str) -> DagFolder:
        """Where the bundle goes: one folder below MWAA's, so that several projects may share one MWAA."""
        if airflow.bucket is None:
            bucket = data_bucket(self, "Dags", key=own_key(self, "Key", airflow))
            return DagFolder(bucket, airflow.dags, prefix)
        theirs = s3.Bucket.from_bucket_name(self, "Dags", airflow.bucket)
        files = f"{OWN_FILES_FOLDER}/{prefix}"
        return DagFolder(theirs, airflow.dags, prefix, guest=True, kms_key=airflow.kms_key, files=files)

    def _execution_role(
        self, airflow: Airflow, bucket: s3.IBucket, delivery: Delivery
    ) -> tuple[str, Sequence[IDependable]]:
        """The role's ARN, and what gives it its permissions."""
        if airflow.execution_role is None:
            role = mwaa_role(self, "ExecutionRole", airflow=airflow, bucket=bucket)
            delivery.ingestion.grant_run(role)
            database_secret(self, delivery.plan, role)
            return role.role_arn, [role]
        policies = ManagedPolicies(self, "ExecutionPolicies")
        grant(policies, mwaa_statements(self, airflow, bucket), ASKED_FOR)
        for permission, statement in zip(airflow.permissions, statements_of(airflow.permissions), strict=True):
            policies.add_to_principal_policy(statement)
            acknowledge_wildcards(
                policies, [statement], permission.reason or "Named in the project file, as `permissions`."
            )
        delivery.ingestion.grant_run(policies)
        database_secret(self, delivery.plan, policies)
        attached: list[iam.ManagedPolicy] = policies.make(
            f"{delivery.plan.prefix}: what MWAA and its DAGs need", role=airflow.execution_role.rsplit("/", 1)[-1]
        )
        arn = self.format_arn(service="iam", region="", resource="role", resource_name=airflow.execution_role)
        return arn, attached
