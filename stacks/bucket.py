"""A bucket for data that must not be lost, and the deployments that fill it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as s3_deployment
from constructs import Construct

from stacks.nag import acknowledge, acknowledge_function, acknowledge_log_group, acknowledge_wildcards

_LOG = "UploadLog"
_MIB = 1024 * 1024
_FUNCTION_MIB, _FUNCTION_MIB_FOR_LARGE_FILES = 512, 1769
"""Memory of CDK's function. With 1769 MiB it has a whole CPU (AWS Lambda Developer Guide, "Configure Lambda function
memory"), which packs and sends large files within its 15 minutes."""
_DISK_MIB, _MOST_DISK_MIB = 512, 10240
"""AWS Lambda API Reference, EphemeralStorage."""


def data_bucket(scope: Construct, name: str, *, key: kms.IKey | None = None) -> s3.Bucket:
    """Versioned, encrypted, TLS only, closed to the public, and kept when its stack goes.

    Args:
        key: encrypts it; None: S3's own.
    """
    bucket = s3.Bucket(
        scope,
        name,
        versioned=True,
        encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
        encryption_key=key,
        # One data key for many objects, and not a call of KMS for each.
        bucket_key_enabled=None if key is None else True,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        lifecycle_rules=[
            s3.LifecycleRule(
                noncurrent_version_expiration=cdk.Duration.days(90),
                abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
            )
        ],
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    audited = "Reads are audited by CloudTrail data events in accounts that record them."
    acknowledge(
        bucket,
        {
            **dict.fromkeys(("AwsSolutions-S1", "CKV_AWS_18", "NIST.800.53.R5-S3BucketLoggingEnabled"), audited),
            "NIST.800.53.R5-S3BucketReplicationEnabled": "A deploy from the repository makes all of it again.",
            "NIST.800.53.R5-S3DefaultEncryptionKMS": "S3 encrypts it with a key of its own; airflow.create.kms_key.",
        },
    )
    return bucket


def deploy_files(
    scope: Construct,
    name: str,
    *,
    to: s3.IBucket,
    sources: Sequence[s3_deployment.ISource],
    prefix: str | None = None,
    role: iam.IRole | None = None,
    stays: bool = True,
    extract: bool = True,
    size_bytes: int = 0,
) -> s3_deployment.BucketDeployment:
    """Copy files to a bucket at deploy time. What is there already stays.

    Args:
        prefix: the folder in the bucket.
        role: what CDK's function runs as, with all that it needs; None: CDK makes one, which may write the bucket.
        extract: whether the sources are archives of files. If not, they are the files, and S3's versions of them are
            known afterwards.
        size_bytes: of all the files, where they may be large.
        stays: whether the files outlive the stack. If not, all that is below `prefix` goes with it.
    """
    key, storage = to.encryption_key, _storage(size_bytes)
    deployment = s3_deployment.BucketDeployment(
        scope,
        name,
        sources=list(sources),
        destination_bucket=to if key is None else _without_key(scope, f"{name}Bucket", to),
        destination_key_prefix=prefix,
        prune=False,
        extract=extract,
        # Our buckets outlive their stacks, and so does what is in them.
        retain_on_delete=stays,
        memory_limit=_FUNCTION_MIB if storage is None else _FUNCTION_MIB_FOR_LARGE_FILES,
        ephemeral_storage_size=storage,
        role=role,
        log_group=_log(cdk.Stack.of(scope)),
    )
    if key is not None:
        statement = key_statement(cdk.Stack.of(scope), key.key_arn, write=True)
        deployment.handler_role.add_to_principal_policy(statement)
    _acknowledge_lambda(deployment, own_role=role is None)
    return deployment


def _storage(size_bytes: int) -> cdk.Size | None:
    """Disk of CDK's function, which unpacks an archive of the files; None: what every function has is enough."""
    if 2 * size_bytes <= _DISK_MIB * _MIB // 2:
        return None
    # In steps, so that another size of a file seldom makes another function.
    return cdk.Size.mebibytes(min(_MOST_DISK_MIB, (1 + 2 * size_bytes // (1024 * _MIB)) * 1024 + _DISK_MIB))


def _without_key(scope: Construct, name: str, bucket: s3.IBucket) -> s3.IBucket:
    """The bucket as CDK is to see it: it would grant its function all of a key's uses, to whatever end."""
    return s3.Bucket.from_bucket_attributes(scope, name, bucket_arn=bucket.bucket_arn, bucket_name=bucket.bucket_name)


def key_statement(stack: cdk.Stack, key: str, *, write: bool) -> iam.PolicyStatement:
    """Use a bucket's key by way of S3, and no other.

    Writing needs `kms:Decrypt` too: a file is sent in parts from 8 MiB on, and S3 requires it for each (Amazon S3 API
    Reference, UploadPart).
    """
    return iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:GenerateDataKey"] if write else ["kms:Decrypt"],
        resources=[key],
        conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
    )


def _log(stack: cdk.Stack) -> logs.ILogGroup:
    """Of CDK's function; there before it. CDK's own is made after the function, whose first call may make it too."""
    existing = stack.node.try_find_child(_LOG)
    if existing is not None:
        return cast(logs.LogGroup, existing)
    group = logs.LogGroup(stack, _LOG, retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY)
    acknowledge_log_group(group)
    return group


def _acknowledge_lambda(deployment: s3_deployment.BucketDeployment, *, own_role: bool) -> None:
    """CDK's own Lambda copies the files; its runtime is CDK's, and its role too unless it was given one."""
    for child in cdk.Stack.of(deployment).node.children:
        if child.node.id.startswith("Custom::CDKBucketDeployment"):
            key = "Its environment holds a switch of CDK's, and nothing secret."
            runtime = "CDK pins the runtime that its code is tested with."
            acknowledge(child, {"AwsSolutions-L1": runtime, "CKV_AWS_173": key})
            acknowledge_function(child)
    if not own_role:
        return
    role = deployment.handler_role
    basic = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    acknowledge(role, {f"AwsSolutions-IAM4[Policy::{basic}]": "The Lambda writes its log, as any does."})
    policy = cast(iam.Policy, role.node.find_child("DefaultPolicy"))
    statements = cdk.Stack.of(deployment).resolve(policy.document)["Statement"]
    acknowledge_wildcards(role, statements, "Our bucket and CDK's own, no other.")
