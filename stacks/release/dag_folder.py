"""Where a bundle goes: a folder of a bucket, Penstock's or somebody else's, and the rights to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.bucket import key_statement
from stacks.nag import acknowledge, acknowledge_wildcards


@dataclass(frozen=True)
class DagFolder:
    """Where the bundle of a plan goes."""

    bucket: s3.IBucket
    dags: str
    """Airflow's DAG folder in the bucket. The plan's folder is below it: several projects may share one Airflow."""
    prefix: str
    guest: bool = False
    """The bucket is somebody else's: the upload may only touch the plan's folder, and deletes it with the stack."""
    kms_key: str | None = None
    """ARN of the key that a guest's bucket is encrypted with."""
    files: str | None = None
    """Folder of a guest's bucket for the files that MWAA starts from; None: there are none."""

    @property
    def path(self) -> str:
        """The plan's own folder."""
        return f"{self.dags}/{self.prefix}"


def object_statements(folder: DagFolder, *actions: str) -> list[iam.PolicyStatement]:
    """Do `actions` with the plan's files, list its folder, and use the bucket's key for these by way of S3."""
    statements = [
        iam.PolicyStatement(actions=list(actions), resources=[folder.bucket.arn_for_objects(f"{folder.path}/*")]),
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[folder.bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"{folder.path}/*"]}},
        ),
    ]
    if folder.kms_key is not None:
        stack = cdk.Stack.of(folder.bucket)
        statements.append(key_statement(stack, folder.kms_key, write="s3:PutObject" in actions))
    return statements


def _file_statements(folder: DagFolder) -> list[iam.PolicyStatement]:
    """Upload the files that MWAA starts from, and ask for the version of each. None is ever deleted."""
    if folder.files is None:
        return []
    return [
        iam.PolicyStatement(
            actions=["s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"],
            resources=[folder.bucket.arn_for_objects(f"{folder.files}/*")],
        ),
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[folder.bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"{folder.files}/*"]}},
        ),
    ]


def guest_role(scope: Construct, folder: DagFolder, bundle: Path) -> iam.IRole:
    """For CDK's upload function: it may only write, list and delete below the plan's folder.

    CDK would let it do so in the whole bucket. `without_policy_updates` keeps CDK from adding that.
    """
    # Its bucket is where all files of this stack wait for the deploy; CDK names them by their content's hash.
    waiting = s3_assets.Asset(scope, "Bundle", path=str(bundle)).bucket
    statements = [
        iam.PolicyStatement(actions=["s3:GetObject"], resources=[waiting.arn_for_objects("*")]),
        # It compares by a listing and reads none of them.
        *object_statements(folder, "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"),
        *_file_statements(folder),
    ]
    role = iam.Role(
        scope,
        "UploadRole",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSLambdaBasicExecutionRole")],
        inline_policies={"Upload": iam.PolicyDocument(statements=statements)},
    )
    basic = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    acknowledge(role, {f"AwsSolutions-IAM4[Policy::{basic}]": "The Lambda writes its log, as any does."})
    acknowledge_wildcards(role, statements, "Below our own folder of the bucket, and what CDK has uploaded.")
    return role.without_policy_updates()
