"""On which call a request is, as boto3 sends it."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.local.aws.__main__ import SERVICES
from penstock.local.faults import services
from penstock.local.faults.calls import Call, Head, call
from tests.unit.local.faults.sending import Sent

OBJECT = {"Bucket": "acme", "Key": "dags/a b+c/ü.py"}
PART = {**OBJECT, "UploadId": "u"}


@pytest.mark.parametrize(
    ("service", "operation", "values"),
    [
        ("ecs", "RunTask", {"taskDefinition": "tool"}),
        ("logs", "GetLogEvents", {"logStreamName": "s", "logGroupName": "g"}),
        ("secretsmanager", "GetSecretValue", {"SecretId": "s"}),
        ("stepfunctions", "ListStateMachines", {}),
        ("sqs", "ListQueues", {}),
        ("sts", "GetCallerIdentity", {}),
        ("cloudformation", "DescribeStacks", {}),
        ("ec2", "DescribeVpcs", {}),
        ("cloudwatch", "ListMetrics", {}),
        ("mwaa", "GetEnvironment", {"Name": "acme-dev"}),
        ("mwaa", "ListEnvironments", {}),
        ("mwaa", "CreateCliToken", {"Name": "acme-dev"}),
        ("lambda", "Invoke", {"FunctionName": "arn:aws:lambda:eu-west-1:123456789012:function:activate"}),
        ("lambda", "GetFunction", {"FunctionName": "activate"}),
        ("lambda", "ListFunctions", {}),
        ("s3", "ListBuckets", {}),
        ("s3", "CreateBucket", {"Bucket": "acme"}),
        ("s3", "HeadBucket", {"Bucket": "acme"}),
        ("s3", "ListObjects", {"Bucket": "acme"}),
        ("s3", "ListObjectsV2", {"Bucket": "acme", "Prefix": "dags/"}),
        ("s3", "GetBucketVersioning", {"Bucket": "acme"}),
        ("s3", "GetObject", OBJECT),
        ("s3", "HeadObject", OBJECT),
        ("s3", "PutObject", {**OBJECT, "Body": b"x"}),
        ("s3", "CopyObject", {**OBJECT, "CopySource": "other/key"}),
        ("s3", "DeleteObject", OBJECT),
        ("s3", "DeleteObjects", {"Bucket": "acme", "Delete": {"Objects": [{"Key": "a"}]}}),
        ("s3", "GetObjectTagging", OBJECT),
        ("s3", "CreateMultipartUpload", OBJECT),
        ("s3", "UploadPart", {**PART, "PartNumber": 1, "Body": b"x"}),
        ("s3", "UploadPartCopy", {**PART, "PartNumber": 1, "CopySource": "other/key"}),
        ("s3", "ListParts", PART),
        ("s3", "CompleteMultipartUpload", PART),
        ("s3", "AbortMultipartUpload", PART),
    ],
)
def test_operation_of_a_request(service: str, operation: str, values: dict[str, Any]) -> None:
    """In every protocol, the operation is the one that boto3 was asked for."""
    from botocore import xform_name

    assert Sent(service, xform_name(operation), **values).call == Call(service, operation)


def test_service_of_a_signed_address() -> None:
    """Its scope is in the query."""
    scope = "X-Amz-Credential=AKIA%2F20261130%2Feu-west-1%2Fs3%2Faws4_request"

    assert call(Head("GET", f"/acme/key?{scope}&X-Amz-Signature=0", {})) == Call("s3", "GetObject")


@pytest.mark.parametrize("authorization", ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=broken, Signature=0"])
def test_request_without_a_scope_is_unsigned(authorization: str) -> None:
    """Nothing else says which service it is for."""
    assert call(Head("GET", "/acme/key", {"authorization": authorization})) == Call("unsigned", "GET")


def test_request_of_no_known_form_keeps_its_method() -> None:
    """So that it is counted all the same."""
    headers = {"authorization": "AWS4-HMAC-SHA256 Credential=A/20261130/eu-west-1/lambda/aws4_request, Signature=0"}

    assert call(Head("PATCH", "/nowhere", headers)) == Call("lambda", "PATCH")


def test_every_service_of_the_embedded_aws_has_a_name() -> None:
    """A rule can name each, and botocore has a model of each."""
    assert set(services.NAMES) == set(SERVICES)
    assert all(services.operations(name) for name in services.NAMES.values())
