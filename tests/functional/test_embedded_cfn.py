"""CloudFormation of the embedded AWS: what ministack lacks, and AWS's own strictness."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.functional.embedded import Aws, aws, base_template, delete, deploy, policy, trust

__all__ = ["aws"]


def exporting(value: str | None) -> dict[str, Any]:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "kept"}}
    outputs = {} if value is None else {"One": {"Value": value, "Export": {"Name": "one"}}}
    return {"Resources": {"Topic": topic}, "Outputs": outputs}


IMPORTING = {
    "Resources": {
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/imported", "Type": "String", "Value": {"Fn::ImportValue": "one"}},
        }
    }
}


def test_export_in_use_can_neither_change_nor_go(aws: Aws) -> None:
    """As CloudFormation: the update fails with its words, the stack stays as it was; unused, both are allowed.

    Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
    """
    cfn = aws.client("cloudformation")
    deploy(aws.endpoint, "exporter", exporting("a"))
    deploy(aws.endpoint, "importer", IMPORTING)
    changed = exporting("b")
    changed["Resources"]["Topic"]["Properties"]["TopicName"] = "changed"

    with pytest.raises(AssertionError, match="Export one cannot be updated as it is in use by importer"):
        deploy(aws.endpoint, "exporter", changed)
    assert cfn.describe_stacks(StackName="exporter")["Stacks"][0]["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    with pytest.raises(AssertionError, match="Export one cannot be deleted as it is in use by importer"):
        deploy(aws.endpoint, "exporter", {**exporting(None), "Description": "less"})

    assert [one["Value"] for one in cfn.list_exports()["Exports"]] == ["a"]
    topics = [one["TopicArn"].rsplit(":", 1)[-1] for one in aws.client("sns").list_topics()["Topics"]]
    assert topics == ["kept"]
    with pytest.raises(AssertionError, match="one is already exported by stack exporter"):
        deploy(aws.endpoint, "rival", {**exporting("c"), "Resources": {"Logs": {"Type": "AWS::Logs::LogGroup"}}})

    assert delete(aws.endpoint, "importer") == "DELETE_COMPLETE"
    deploy(aws.endpoint, "exporter", exporting("b"))
    deploy(aws.endpoint, "exporter", {**exporting(None), "Description": "less"})
    assert cfn.list_exports()["Exports"] == []


def test_replaced_definition_becomes_inactive(aws: Aws) -> None:
    """A changed definition is a new revision; the old one is deregistered after the update, and not by a failed one.

    Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
    """
    ecs = aws.client("ecs")
    before = aws.outputs["Definition"]
    template = base_template()
    template["Resources"]["Definition"]["Properties"]["Memory"] = "1024"
    broken = {**template, "Outputs": {"Bad": {"Value": {"Fn::GetAtt": ["Cluster", "Nothing"]}}}}

    with pytest.raises(AssertionError):
        deploy(aws.endpoint, "base", broken)
    assert ecs.describe_task_definition(taskDefinition="tool")["taskDefinition"]["taskDefinitionArn"] == before
    aws.outputs = deploy(aws.endpoint, "base", template)

    statuses = {
        arn: ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["status"]
        for arn in (before, aws.outputs["Definition"])
    }
    assert list(statuses.values()) == ["INACTIVE", "ACTIVE"]
    assert aws.stopped(aws.start("true"))["taskDefinitionArn"] == aws.outputs["Definition"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Memory": "8192"}, "No Fargate configuration"),
        ({"ExecutionRoleArn": {"Ref": "AWS::NoValue"}}, "execution role"),
    ],
)
def test_definition_is_checked(aws: Aws, change: dict[str, Any], words: str) -> None:
    """CloudFormation passes on what RegisterTaskDefinition refuses.

    Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
    """
    properties = {**base_template()["Resources"]["Definition"]["Properties"], "Family": "wrong", **change}
    for name in ("ExecutionRoleArn", "TaskRoleArn"):
        if "Fn::GetAtt" in properties[name]:
            properties[name] = aws.outputs[properties[name]["Fn::GetAtt"][0]]
    container = {**properties["ContainerDefinitions"][0], "Secrets": []}
    container["LogConfiguration"] = {"LogDriver": "awslogs", "Options": {"awslogs-group": "/penstock/tool"}}
    properties["ContainerDefinitions"] = [container]
    template = {"Resources": {"Definition": {"Type": "AWS::ECS::TaskDefinition", "Properties": properties}}}

    with pytest.raises(AssertionError, match=words):
        deploy(aws.endpoint, f"wrong-{len(words)}", template)


def test_network_types(aws: Aws) -> None:
    """Rules of a group on itself, NAT with its address, flow log; all gone with the stack.

    Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html
    """
    ec2 = aws.client("ec2")
    outputs = deploy(aws.endpoint, "network", NETWORK)

    group = ec2.describe_security_groups(GroupIds=[outputs["Group"]])["SecurityGroups"][0]
    nat = ec2.describe_nat_gateways(Filter=[{"Name": "vpc-id", "Values": [outputs["Vpc"]]}])["NatGateways"][0]
    logs = ec2.describe_flow_logs(Filter=[{"Name": "resource-id", "Values": [outputs["Vpc"]]}])["FlowLogs"]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == outputs["Group"]
    assert group["IpPermissionsEgress"][-1]["FromPort"] == 443
    assert (nat["State"], outputs["Cidr"]) == ("available", "10.9.0.0/16")
    assert logs[0]["TrafficType"] == "REJECT"
    assert outputs["Address"].count(".") == 3

    assert delete(aws.endpoint, "network") == "DELETE_COMPLETE"
    assert ec2.describe_flow_logs()["FlowLogs"] == []
    assert ec2.describe_addresses()["Addresses"] == []


def test_bucket_deployment(aws: Aws) -> None:
    """Sources one over the other, deploy-time values in JSON, prefix, prune, filters, removal.

    Source: aws-cdk-lib, aws_s3_deployment.BucketDeployment, and its function's own code
    """
    s3 = aws.client("s3")
    for name, files in {
        "one.zip": {"a.txt": "a", "sub/b.txt": "b", "skip.log": "log"},
        "two.zip": {"a.txt": "over", "resources.json": '{"name": "<<m:0>>", "more": "<<m:1>>"}'},
    }.items():
        s3.put_object(Bucket="tool-bucket", Key=name, Body=archive(files))
    for bucket in ("target", "target2"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket=bucket, Key="elsewhere", Body=b"")
        s3.put_object(Bucket=bucket, Key="dags/old", Body=b"")
        s3.put_object(Bucket=bucket, Key="dags/old.log", Body=b"")
    properties = {
        "SourceBucketNames": ["tool-bucket", "tool-bucket"],
        "SourceObjectKeys": ["one.zip", "two.zip"],
        "SourceMarkers": [{}, {"<<m:0>>": {"Ref": "Parameter"}, "<<m:1>>": 'quo"te\n'}],
        "SourceMarkersConfig": [{}, {"jsonEscape": True}],
        "DestinationBucketName": "target",
        "DestinationBucketKeyPrefix": "dags",
        "Prune": True,
        "Exclude": ["*.log"],
        "RetainOnDelete": False,
    }

    deploy(aws.endpoint, "bundle", deployment(properties))
    first = keys(s3, "target")
    text = s3.get_object(Bucket="target", Key="dags/resources.json")["Body"].read()
    over = s3.get_object(Bucket="target", Key="dags/a.txt")["Body"].read()
    deploy(aws.endpoint, "bundle", deployment({**properties, "Prune": False, "DestinationBucketName": "target2"}))
    moved = (keys(s3, "target"), keys(s3, "target2"))
    status = delete(aws.endpoint, "bundle")

    bundle = ["dags/a.txt", "dags/resources.json", "dags/sub/b.txt"]
    assert first == sorted([*bundle, "dags/old.log", "elsewhere"])
    assert json.loads(text) == {"name": "/marker", "more": 'quo"te\n'}
    assert over == b"over"
    assert moved == (["elsewhere"], sorted([*bundle, "dags/old", "dags/old.log", "elsewhere"]))
    assert (status, keys(s3, "target2")) == ("DELETE_COMPLETE", ["elsewhere"])


@pytest.mark.parametrize("missing", ["s3:PutObject", "s3:GetObject", "s3:ListBucket"])
def test_bucket_deployment_has_the_rights_of_its_function(aws: Aws, missing: str) -> None:
    """What CDK does not grant to its function, the deployment may not do; the stack says so.

    Source: aws-cdk-lib, aws_s3_deployment.BucketDeployment, and its function's own code
    """
    aws.client("s3").put_object(Bucket="tool-bucket", Key="three.zip", Body=archive({"c.txt": "c"}))
    properties = {
        "SourceBucketNames": ["tool-bucket"],
        "SourceObjectKeys": ["three.zip"],
        "DestinationBucketName": "tool-bucket",
        "DestinationBucketKeyPrefix": "three",
        "Prune": False,
    }
    other = [one for one in ("s3:PutObject", "s3:GetObject", "s3:ListBucket") if one != missing]

    with pytest.raises(AssertionError, match=f"not authorized to perform: {missing}"):
        deploy(aws.endpoint, f"without-{missing.split(':')[1].lower()}", deployment(properties, other))


def test_unknown_custom_resource_is_refused(aws: Aws) -> None:
    """It fails at once; on ministack it would wait for a Lambda function that does not run.

    Source: none: ours, and stricter than CloudFormation, which calls the function
    """
    template = deployment({"ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:none"})
    template["Resources"]["Deployment"]["Type"] = "Custom::Mine"

    with pytest.raises(AssertionError, match=r"knows no Custom::Mine"):
        deploy(aws.endpoint, "custom", template)


def test_bucket_that_holds_objects_is_not_deleted(aws: Aws) -> None:
    """Tags arrive; only an empty bucket can go.

    Source: docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
    """
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full", "Tags": [{"Key": "a", "Value": "b"}]}}
    deploy(aws.endpoint, "full", {"Resources": {"Bucket": bucket}})
    s3 = aws.client("s3")
    s3.put_object(Bucket="full", Key="a", Body=b"")

    assert s3.get_bucket_tagging(Bucket="full")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert delete(aws.endpoint, "full") == "DELETE_FAILED"
    s3.delete_object(Bucket="full", Key="a")
    assert delete(aws.endpoint, "full") == "DELETE_COMPLETE"


def test_secret_by_ref(aws: Aws) -> None:
    """`Ref` is the ARN; an update keeps it.

    Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-secretsmanager-secret.html
    """
    arn = aws.outputs["Secret"]
    template = base_template()
    template["Resources"]["Secret"]["Properties"]["SecretString"] = '{"token": "newer"}'

    aws.outputs = deploy(aws.endpoint, "base", template)

    assert aws.outputs["Secret"] == arn
    value = aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    assert json.loads(value) == {"token": "newer"}


def deployment(properties: dict[str, Any], action: str | list[str] = "s3:*") -> dict[str, Any]:
    """A bucket deployment with a function and its role, as CDK makes them."""
    parameter = {"Name": "/marker", "Type": "String", "Value": "x"}
    role = {
        "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
        "Policies": [policy("s3", {"Action": action, "Resource": "*"})],
    }
    function = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": "def handler(event, context): pass"},
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
    }
    token = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}
    return {
        "Resources": {
            "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": parameter},
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Deployment": {"Type": "Custom::CDKBucketDeployment", "Properties": token | properties},
        }
    }


def archive(files: dict[str, str]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
    return body.getvalue()


def keys(s3: Any, bucket: str) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


NETWORK: dict[str, Any] = {
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.0.0/24"},
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "own", "VpcId": {"Ref": "Vpc"}},
        },
        "Own": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": {"Ref": "Group"},
                "SourceSecurityGroupId": {"Ref": "Group"},
                "IpProtocol": "-1",
            },
        },
        "Out": {
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {
                "GroupId": {"Ref": "Group"},
                "CidrIp": "0.0.0.0/0",
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
            },
        },
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        "Nat": {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {
                "SubnetId": {"Ref": "Subnet"},
                "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]},
            },
        },
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
        "FlowLog": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {
                "ResourceId": {"Ref": "Vpc"},
                "ResourceType": "VPC",
                "TrafficType": "REJECT",
                "LogGroupName": {"Ref": "Logs"},
            },
        },
    },
    "Outputs": {
        "Vpc": {"Value": {"Ref": "Vpc"}},
        "Group": {"Value": {"Ref": "Group"}},
        "Cidr": {"Value": {"Fn::GetAtt": ["Vpc", "CidrBlock"]}},
        "Address": {"Value": {"Ref": "Address"}},
    },
}


def test_secret_without_a_value_has_none(aws: Aws) -> None:
    """Until somebody writes it: ECS and `GetSecretValue` find nothing, as on AWS; the first value is the only one.

    Source: AWS CloudFormation User Guide, "AWS::SecretsManager::Secret": without SecretString and GenerateSecretString
    you "create an empty secret".
    """
    secrets = aws.client("secretsmanager")
    resource = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "acme/written-later"}}
    deploy(aws.endpoint, "secret", {"Resources": {"Secret": resource}})
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="acme/written-later")
    secrets.put_secret_value(SecretId="acme/written-later", SecretString="x")

    assert len(secrets.list_secret_version_ids(SecretId="acme/written-later")["Versions"]) == 1
    assert delete(aws.endpoint, "secret") == "DELETE_COMPLETE"
