"""Values against the services' own models: what is refused, in which words, and that nothing right is."""

from __future__ import annotations

import html
import re
import warnings
from typing import Any

import pytest
from botocore.loaders import Loader

from penstock.aws.service_models import RESOURCES, call_refusals, refusals, walk
from penstock.aws.service_models.constraints import refused
from penstock.aws.service_models.documented import DOCUMENTED
from penstock.aws.service_models.models import model
from penstock.aws.service_models.resources import CALLS, OPERATIONS, UNCHECKED

GROUP = {"GroupDescription": "Fargate tasks: outbound only", "VpcId": "vpc-0a1b2c3d"}
RULE = {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
TRUST = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}
ALARM = {
    "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1, "Threshold": 1, "MetricName": "Errors",
    "Namespace": "AWS/Lambda", "Period": 300, "Statistic": "Sum",
}  # fmt: skip
MWAA = {
    "Name": "acme-dev", "ExecutionRoleArn": "arn:aws:iam::111122223333:role/x", "DagS3Path": "dags",
    "SourceBucketArn": "arn:aws:s3:::acme-dags", "NetworkConfiguration": {"SubnetIds": ["subnet-1", "subnet-2"]},
}  # fmt: skip
TASK = {"Family": "acme", "ContainerDefinitions": [{"Name": "main", "Image": "acme/x:1"}]}
BUCKET = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
HUB = {
    "EcrRepositoryPrefix": "hub", "UpstreamRegistryUrl": "registry-1.docker.io",
    "CredentialArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ecr-pullthroughcache/hub-AbCdEf",
}  # fmt: skip

WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "apostrophe": ("AWS::EC2::SecurityGroup", {**GROUP, "GroupDescription": "AWS's"}, "Invalid security group descr"),
    "long": ("AWS::EC2::SecurityGroup", {**GROUP, "GroupDescription": "x" * 256}, "Invalid security group descr"),
    "rule": ("AWS::EC2::SecurityGroupIngress", {**RULE, "Description": "AWS's"}, "Invalid rule description. Valid"),
    "rule in a group": (
        "AWS::EC2::SecurityGroup",
        {**GROUP, "SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "10.0.0.0/8", "Description": "d'"}]},
        "Invalid rule description",
    ),
    "network": ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/15"}, "at 'CidrBlock'"),
    "mwaa name": ("AWS::MWAA::Environment", {**MWAA, "Name": "1x"}, "Value '1x' at 'Name' failed to satisfy"),
    "mwaa class": ("AWS::MWAA::Environment", {**MWAA, "EnvironmentClass": "mw1.huge"}, "at 'EnvironmentClass'"),
    "mwaa subnets": (
        "AWS::MWAA::Environment", {**MWAA, "NetworkConfiguration": {"SubnetIds": ["subnet-1"]}},
        "'NetworkConfiguration.SubnetIds' failed to satisfy constraint: Member must have length greater than or equal",
    ),
    "mwaa option": (
        "AWS::MWAA::Environment", {**MWAA, "AirflowConfigurationOptions": {"Core.x": "1"}}, "regular expression pattern"
    ),
    "mwaa level": (
        "AWS::MWAA::Environment",
        {**MWAA, "LoggingConfiguration": {"TaskLogs": {"Enabled": True, "LogLevel": "TRACE"}}},
        "Member must satisfy enum value set: [CRITICAL, ERROR, WARNING, INFO, DEBUG]",
    ),
    "mwaa role": (
        "AWS::MWAA::Environment", {key: one for key, one in MWAA.items() if key != "ExecutionRoleArn"},
        "at 'ExecutionRoleArn' failed to satisfy constraint: Member must not be null",
    ),
    "empty tag": ("AWS::MWAA::Environment", {**MWAA, "Tags": {"team": ""}}, "'Tags{value}'"),
    "family": ("AWS::ECS::TaskDefinition", {**TASK, "Family": "acme.dev"}, "at 'Family'"),
    "platform": (
        "AWS::ECS::TaskDefinition", {**TASK, "RuntimePlatform": {"CpuArchitecture": "arm64"}}, "[X86_64, ARM64]"
    ),
    "secret without value": (
        "AWS::ECS::TaskDefinition",
        {**TASK, "ContainerDefinitions": [{"Name": "main", "Image": "x", "Secrets": [{"Name": "A"}]}]},
        "'ContainerDefinitions[].Secrets[].valueFrom' failed to satisfy constraint: Member must not be null",
    ),
    "stop timeout": (
        "AWS::ECS::TaskDefinition",
        {**TASK, "ContainerDefinitions": [{"Name": "main", "Image": "x", "StopTimeout": 121}]},
        "at 'ContainerDefinitions[].StopTimeout'",
    ),
    "mount option": (
        "AWS::ECS::TaskDefinition",
        {**TASK, "ContainerDefinitions": [
            {"LinuxParameters": {"Tmpfs": [{"ContainerPath": "/tmp", "Size": 1, "MountOptions": ["quick"]}]}}
        ]},
        "Value 'quick' at 'ContainerDefinitions[].LinuxParameters.Tmpfs[].MountOptions[]'",
    ),
    "insights": ("AWS::ECS::Cluster", {"ClusterSettings": [{"Name": "containerInsights", "Value": "on"}]}, "'on'"),
    "retention": ("AWS::Logs::LogGroup", {"RetentionInDays": 42}, "Value '42' at 'RetentionInDays'"),
    "retention as text": ("AWS::Logs::LogGroup", {"RetentionInDays": "42"}, "Value '42' at 'RetentionInDays'"),
    "log group": ("AWS::Logs::LogGroup", {"LogGroupName": "a b"}, r"pattern: [\.\-_/#A-Za-z0-9]+"),
    "dimension": (
        "AWS::CloudWatch::Alarm", {**ALARM, "Dimensions": [{"Name": "Project", "Value": "für"}]},
        "Value 'für' at 'Dimensions[].Value'",
    ),
    "missing data": ("AWS::CloudWatch::Alarm", {**ALARM, "TreatMissingData": "bad"}, "at 'TreatMissingData'"),
    "actions": ("AWS::CloudWatch::Alarm", {**ALARM, "AlarmActions": list("abcdef")}, "less than or equal to 5"),
    "rule name": ("AWS::Events::Rule", {"Name": "a b"}, "at 'Name'"),
    "event pattern": ("AWS::Events::Rule", {"EventPattern": {"source": ["x" * 4096]}}, "length less than or equal to"),
    "retries": (
        "AWS::Events::Rule",
        {"Targets": [{"Id": "T", "Arn": "arn:x", "RetryPolicy": {"MaximumRetryAttempts": 186}}]},
        "Member must have value less than or equal to 185",
    ),
    "policy of another script": (
        "AWS::IAM::Role", {**TRUST, "Policies": [{"PolicyName": "P", "PolicyDocument": {"Resource": "日本"}}]},
        "at 'Policies[].PolicyDocument'",
    ),
    "role path": ("AWS::IAM::Role", {**TRUST, "Path": "data"}, "at 'Path'"),
    "tag": ("AWS::IAM::Role", {**TRUST, "Tags": [{"Key": "a!", "Value": "b"}]}, "at 'Tags[].Key'"),
    "managed policy": ("AWS::IAM::ManagedPolicy", {"PolicyDocument": {"S": "x" * 6144}}, "equal to 6144"),
    "encryption": (
        "AWS::S3::Bucket",
        {"BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aes"}}]
        }},
        "Value 'aes' at",
    ),
    "bucket name": ("AWS::S3::Bucket", {"BucketName": "Acme"}, "at 'BucketName'"),
    "log-in": ("AWS::ECR::PullThroughCacheRule", {**HUB, "CredentialArn": "arn:aws:x"}, "at 'CredentialArn'"),
    "registry": ("AWS::ECR::PullThroughCacheRule", {**HUB, "UpstreamRegistryUrl": "acme.io"}, "at 'UpstreamRegistryU"),
    "display name": ("AWS::SNS::Topic", {"DisplayName": "x" * 101}, "at 'DisplayName'"),
    "secret name": ("AWS::SecretsManager::Secret", {"Name": "a b"}, "at 'Name'"),
    "number": ("AWS::Lambda::Function", {"MemorySize": "much"}, "Member must be an integer"),
    "flag": ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": "yes"}, "Member must be a boolean"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "properties", "words"), WRONG.values(), ids=WRONG)
def test_what_a_service_refuses_is_refused(kind: str, properties: dict[str, Any], words: str) -> None:
    """In its words, or as it words such things."""
    assert words in "\n".join(refusals(kind, properties))


RIGHT: dict[str, tuple[str, dict[str, Any]]] = {
    "group": ("AWS::EC2::SecurityGroup", {**GROUP, "GroupDescription": "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"}),
    "rule": ("AWS::EC2::SecurityGroupIngress", {**RULE, "Description": "The services of AWS, by HTTPS"}),
    "mwaa": ("AWS::MWAA::Environment", {**MWAA, "MaxWorkers": "5", "Tags": {"Köln": "München 1"}}),
    "not known yet": ("AWS::MWAA::Environment", {**MWAA, "Name": {"Ref": "Name"}, "KmsKey": {"Fn::Sub": "x"}}),
    "no value": ("AWS::Logs::LogGroup", {"RetentionInDays": {"Ref": "AWS::NoValue"}}),
    "alarm": ("AWS::CloudWatch::Alarm", {**ALARM, "Dimensions": [{"Name": "Project", "Value": "acme"}]}),
    "role": ("AWS::IAM::Role", {**TRUST, "Tags": [{"Key": "Straße", "Value": ""}], "Path": "/data/"}),
    "bucket": ("AWS::S3::Bucket", {"BucketEncryption": BUCKET}),
    "rule of a cache": ("AWS::ECR::PullThroughCacheRule", HUB),
    "booleans as text": ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": "true"}),
    "of nobody we know": ("AWS::Other::Thing", {"Name": "'"}),
}


@pytest.mark.parametrize(("kind", "properties"), RIGHT.values(), ids=RIGHT)
def test_what_a_service_takes_is_taken(kind: str, properties: dict[str, Any]) -> None:
    """References are not values yet; numbers and booleans may come as text."""
    assert refusals(kind, properties) == []


def test_what_nobody_has_mapped_is_unknown() -> None:
    """It says neither that it is right nor that it is wrong."""
    assert walk("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16", "Nonsense": 1}).unknown == {"Nonsense": ""}
    assert walk("AWS::Other::Thing", {"Name": "x"}).unknown == {"": ""}


def test_calls_are_held_against_the_same_models() -> None:
    """Those of the API, by the names that it has; a secret's value is in no message."""
    assert call_refusals("logs", "PutRetentionPolicy", {"logGroupName": "a", "retentionInDays": 7}) == []
    (retention,) = call_refusals("logs", "PutRetentionPolicy", {"logGroupName": "a", "retentionInDays": 8})
    (secret,) = call_refusals("secretsmanager", "CreateSecret", {"Name": "a", "SecretString": "hidden" * 20_000})

    assert "Value '8' at 'retentionInDays'" in retention
    assert "Value at 'SecretString' failed to satisfy constraint" in secret
    assert "hidden" not in secret


@pytest.mark.parametrize("arguments", [{"tags": 5}, {"tags": [5]}, {"settings": {"a": 1}}, {"clusterName": {"a": []}}])
def test_what_has_another_type_altogether_is_no_traceback(arguments: dict[str, Any]) -> None:
    """A call may hold anything."""
    assert all(
        "failed to satisfy constraint" in refusal for refusal in call_refusals("ecs", "CreateCluster", arguments)
    )


@pytest.mark.parametrize("service", sorted({service for service, _, _ in DOCUMENTED}))
def test_what_is_documented_only_is_still_documented(service: str) -> None:
    """The words are in the model at hand; where a guide says it, the guide has a name."""
    shapes = Loader().load_service_model(service, "service-2")["shapes"]
    for (own, shape, member), limit in DOCUMENTED.items():
        if own != service:
            continue
        if limit.says.startswith("Guide: "):
            assert re.match(r"Guide: (Amazon|IAM|AWS) .+, .+", limit.says)
            continue
        member_shape = shapes[shape]["members"][member]
        text = member_shape.get("documentation", "") + shapes[member_shape["shape"]].get("documentation", "")
        text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", text)))
        assert limit.says in text, (shape, member)


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_path_of_the_map_exists(kind: str) -> None:
    """In the model at hand, and what CloudFormation supplies is required."""
    resource = RESOURCES[kind]
    own = model(resource.service)
    for path in resource.renamed.values():
        own.at(path)

    assert resource.supplied <= set(own.shapes[own.inputs[resource.operations[0]]].required)


def test_every_pattern_is_one_of_pythons() -> None:
    """Those of Java too; one that Python reads otherwise, and says so, fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for service in OPERATIONS:
            for shape in model(service).shapes.values():
                list(refused("x", shape)) if shape.type == "string" else None


def test_the_tables_name_what_there_is() -> None:
    """Calls and exceptions of services and types that are in the map."""
    assert set(CALLS) <= set(OPERATIONS)
    assert {kind for kind, _ in UNCHECKED} <= set(RESOURCES)
    used = {(service, name) for service in OPERATIONS for name in model(service).shapes}
    assert {(service, shape) for service, shape, _ in DOCUMENTED if shape not in RESOURCES} <= used
