"""Custom resources: CDK's own are answered natively, Penstock's function is run unchanged, any other is refused."""

from __future__ import annotations

from typing import Any, NoReturn

from penstock.local.aws import compat
from penstock.local.aws.cfn.bucket_deployment import BucketDeployment
from penstock.local.aws.cfn.function import Function
from penstock.local.aws.endpoint import Endpoint

Properties = dict[str, Any]
Made = tuple[str, Properties]

_AUTO_DELETE_TAG = "aws-cdk:auto-delete-objects"


def handlers(endpoint: Endpoint) -> dict[str, dict[str, Any]]:
    """The custom resources that Penstock's stacks may use: those of aws-cdk-lib, and our own."""
    deployment = BucketDeployment(endpoint)
    release = Function(endpoint, "Custom::PenstockRelease")

    def empty_bucket(physical_id: str, properties: Properties) -> None:
        s3 = endpoint.client("s3")
        bucket = properties["BucketName"]
        if bucket not in compat.s3._buckets:
            return
        tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
        if {"Key": _AUTO_DELETE_TAG, "Value": "true"} not in tags:
            return
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
            if objects:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})

    return {
        "Custom::CDKBucketDeployment": {
            "create": deployment.create,
            "update": deployment.update,
            "delete": deployment.delete,
        },
        "Custom::PenstockRelease": {"create": release.create, "update": release.update, "delete": release.delete},
        "Custom::S3AutoDeleteObjects": {
            "create": lambda logical_id, properties, stack: (f"{stack}-{logical_id}", {}),
            "update": lambda physical_id, old, new, stack: (physical_id, {}),
            "delete": empty_bucket,
        },
        "Custom::VpcRestrictDefaultSG": {
            "create": _restrict_default_group,
            "update": lambda physical_id, old, new, stack: _restrict_default_group(physical_id, new, stack),
            "delete": lambda physical_id, properties: None,
        },
    }


def refuse(
    logical_id: str, _properties: Properties, _stack: str, kind: str = "AWS::CloudFormation::CustomResource"
) -> NoReturn:
    """Fail a custom resource that nobody would answer.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{logical_id}: the embedded AWS runs no Lambda function and knows no {kind}")


def _restrict_default_group(_logical_id: str, properties: Properties, _stack: str) -> Made:
    """aws-cdk-lib's `restrictDefaultSecurityGroup`: the VPC's default group loses its rules."""
    group = compat.ec2._security_groups.get(properties["DefaultSecurityGroupId"])
    if group is not None:
        group["IpPermissions"], group["IpPermissionsEgress"] = [], []
    return f"{properties['DefaultSecurityGroupId']}-restricted", {}
