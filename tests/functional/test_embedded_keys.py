"""Whom the embedded AWS asks for more than ministack does: keys of S3's objects, endpoints, state machines, roles."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.local.aws.endpoint import Keys
from tests.functional.embedded import ACCOUNT, REGION, Aws, aws, deploy, trust, until

__all__ = ["aws"]

BUCKET = "under-a-key"
VIA_S3 = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}


def refused(call: Any, *arguments: Any, **more: Any) -> str:
    """What a call is refused with; empty where it goes through."""
    try:
        call(*arguments, **more)
    except ClientError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def key(aws: Aws) -> str:
    """A key, and a bucket under it that a template has made."""
    arn = str(aws.client("kms").create_key()["KeyMetadata"]["Arn"])
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    encryption = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": default}]}
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET, "BucketEncryption": encryption}}
    deploy(aws.endpoint, "keyed", {"Resources": {"Bucket": bucket}})
    aws.client("s3").put_object(Bucket=BUCKET, Key="old", Body=b"old")
    return arn


@pytest.mark.parametrize(
    ("grants", "refusals"),
    [
        ([], {"get": "Decrypt", "put": "GenerateDataKey", "copy": "Decrypt", "parts": "GenerateDataKey"}),
        (["kms:Decrypt"], {"put": "GenerateDataKey", "copy": "GenerateDataKey", "parts": "GenerateDataKey"}),
        (["kms:GenerateDataKey"], {"get": "Decrypt", "copy": "Decrypt", "parts": "Decrypt"}),
        (["kms:Decrypt", "kms:GenerateDataKey"], {}),
    ],
)
def test_objects_want_their_key(aws: Aws, key: str, grants: list[str], refusals: dict[str, str]) -> None:
    """Each call with what it needs of the key, which S3 uses on the caller's behalf. A look at the header needs none.

    Source: Amazon S3 API Reference, "Permissions" of GetObject, PutObject, CopyObject, CreateMultipartUpload and
    UploadPart
    """
    arn = f"arn:aws:s3:::{BUCKET}"
    statements: list[dict[str, Any]] = [{"Action": "s3:*", "Resource": [arn, f"{arn}/*"]}]
    if grants:
        statements.append({"Action": grants, "Resource": key, "Condition": VIA_S3})
    s3 = aws.client("s3", aws.role(f"keyed-{len(grants)}-{'-'.join(grants).replace(':', '')}", *statements))
    place = {"Bucket": BUCKET}
    large = io.BytesIO(bytes(9 * 1024 * 1024))
    found = {
        "head": refused(s3.head_object, **place, Key="old"),
        "get": refused(s3.get_object, **place, Key="old"),
        "put": refused(s3.put_object, **place, Key="new", Body=b"new"),
        "copy": refused(s3.copy_object, **place, Key="copy", CopySource={**place, "Key": "old"}),
        "parts": refused(s3.upload_fileobj, large, BUCKET, "large"),
        "delete": refused(s3.delete_object, **place, Key="new"),
    }

    assert {name: text.partition("perform: kms:")[2].partition(" ")[0] for name, text in found.items() if text} == (
        refusals
    )


def test_a_grant_by_way_of_s3_is_for_s3_only(aws: Aws, key: str) -> None:
    """Source: AWS KMS Developer Guide, condition key kms:ViaService"""
    keys = aws.role("direct", {"Action": "kms:*", "Resource": key, "Condition": VIA_S3})

    assert "perform: kms:GenerateDataKey" in refused(
        aws.client("kms", keys).generate_data_key, KeyId=key, KeySpec="AES_256"
    )


def test_the_keys_own_policy_counts(aws: Aws) -> None:
    """A key whose policy does not let IAM decide: a role's own grant is not enough.

    Source: AWS KMS Developer Guide, "Key policies in AWS KMS": allows access to the account and enables IAM policies
    """
    s3, kms = aws.client("s3"), aws.client("kms")
    only = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "Action": "kms:*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**only, "Resource": "*"}]})
    closed = kms.create_key(Policy=document, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"]
    s3.put_object(Bucket="tool-bucket", Key="open/closed", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=closed)
    keys = aws.role(
        "closed", {"Action": "s3:*", "Resource": "*"}, {"Action": "kms:*", "Resource": closed, "Condition": VIA_S3}
    )

    assert "perform: kms:Decrypt" in refused(aws.client("s3", keys).get_object, Bucket="tool-bucket", Key="open/closed")


def endpoint(aws: Aws, **changes: Any) -> dict[str, Any]:
    """The arguments of CreateVpcEndpoint."""
    subnet = aws.outputs["Subnet0"]
    (subnet_description,) = aws.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"]
    return {
        "VpcEndpointType": "Interface",
        "VpcId": subnet_description["VpcId"],
        "ServiceName": f"com.amazonaws.vpce.{REGION}.vpce-svc-0123456789abcdef0",
        "SubnetIds": [subnet],
        "SecurityGroupIds": [aws.outputs["Group"]],
        **changes,
    }


def test_an_endpoint_wants_a_grant_on_each_thing(aws: Aws) -> None:
    """VPC, subnet, group, the endpoint with its service, and the tags that it is made with.

    Source: AWS, "Service Authorization Reference", Amazon EC2
    """
    ec2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
    call = endpoint(aws, TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "a", "Value": "b"}]}])
    service = {"StringLike": {"ec2:VpceServiceName": f"com.amazonaws.vpce.{REGION}.*"}}
    tag = {"StringEquals": {"ec2:CreateAction": "CreateVpcEndpoint"}}
    statements: list[dict[str, Any]] = [
        {"Action": "ec2:CreateVpcEndpoint", "Resource": f"{ec2}:vpc/{call['VpcId']}"},
        {"Action": "ec2:CreateVpcEndpoint", "Resource": f"{ec2}:subnet/{call['SubnetIds'][0]}"},
        {"Action": "ec2:CreateVpcEndpoint", "Resource": f"{ec2}:security-group/{call['SecurityGroupIds'][0]}"},
        {"Action": "ec2:CreateVpcEndpoint", "Resource": f"{ec2}:vpc-endpoint/*", "Condition": service},
        {"Action": "ec2:CreateTags", "Resource": f"{ec2}:vpc-endpoint/*", "Condition": tag},
    ]
    for number, missing in enumerate(statements):
        keys = aws.role(f"endpoints-{number}", *[one for one in statements if one is not missing])
        text = refused(aws.client("ec2", keys).create_vpc_endpoint, **call)
        assert "UnauthorizedOperation" in text
        assert f"perform: {missing['Action']}" in text
        # Of the VPC ministack speaks itself, and names no resource.
        assert number == 0 or f"on resource: {missing['Resource']}" in text
    client = aws.client("ec2", aws.role("endpoints", *statements))

    assert refused(client.create_vpc_endpoint, **call) == ""
    other = {**call, "ServiceName": f"com.amazonaws.{REGION}.s3"}
    assert "perform: ec2:CreateVpcEndpoint" in refused(client.create_vpc_endpoint, **other)


def test_a_token_makes_one_endpoint(aws: Aws) -> None:
    """Source: Amazon EC2 API Reference, "Ensuring idempotency" """
    ec2 = aws.client("ec2")
    answers = [ec2.create_vpc_endpoint(**endpoint(aws, ClientToken=token)) for token in ("one", "one", "two")]
    ids = [one["VpcEndpoint"]["VpcEndpointId"] for one in answers]

    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("service", "grants", "status", "words"),
    [
        ("states", ["ec2:DescribeVpcs"], "SUCCEEDED", ""),
        ("states", [], "FAILED", "not authorized to perform: ec2:DescribeVpcs"),
        ("lambda", ["ec2:DescribeVpcs"], "FAILED", "does not trust states.amazonaws.com"),
    ],
)
def test_a_state_machine_calls_as_its_role(aws: Aws, service: str, grants: list[str], status: str, words: str) -> None:
    """What its role may not do, or a role that does not trust Step Functions, fails the execution.

    Source: AWS Step Functions Developer Guide, "How Step Functions generates IAM policies for integrated services"
    """
    iam, states = aws.client("iam"), aws.client("stepfunctions")
    name = f"machine-{service}-{len(grants)}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust(f"{service}.amazonaws.com")))
    if grants:
        statement = {"Effect": "Allow", "Action": grants, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=name, PolicyName="grants", PolicyDocument=document)
    look = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:describeVpcs", "End": True}
    definition = json.dumps({"StartAt": "Look", "States": {"Look": look}})
    machine = states.create_state_machine(name=name, definition=definition, roleArn=role["Role"]["Arn"])
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    ended = until(lambda: (one := states.describe_execution(executionArn=execution))["status"] != "RUNNING" and one)

    assert ended["status"] == status
    assert words in ended.get("cause", "")
    assert ('"VpcId"' in ended.get("output", "")) == (status == "SUCCEEDED")


def test_a_session_is_its_role(aws: Aws) -> None:
    """A trust that names a role by `aws:PrincipalArn` lets that role's sessions in, and no other's.

    Source: AWS IAM User Guide, "AWS global condition context keys", aws:PrincipalArn
    """
    grant = {"Action": "sts:AssumeRole", "Resource": "*"}
    sessions: dict[str, Keys] = {name: aws.role(name, grant) for name in ("friend", "other")}
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/friend"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = aws.client("iam").create_role(RoleName="guarded", AssumeRolePolicyDocument=document)["Role"]["Arn"]

    assert aws.endpoint.assume(arn, "test", sessions["friend"]).session_token
    assert "AccessDenied" in refused(aws.endpoint.assume, arn, "test", sessions["other"])
