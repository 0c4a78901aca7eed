"""The embedded AWS refuses what the services' own models refuse, and a replacement under a name that is taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.embedded import Aws, aws, delete, deploy
from tests.golden import regenerate

__all__ = ["aws"]

SEALED = regenerate.HERE / "endpoints-only" / "expected" / "dev" / "sealed-dev-network.template.json"


def sealed() -> dict[str, Any]:
    """The network of the golden case without internet, to be deployed without the CDK CLI."""
    template: dict[str, Any] = json.loads(SEALED.read_text())
    return {key: one for key, one in template.items() if key in ("Resources", "Outputs")}


def test_a_network_without_internet_is_taken_and_an_apostrophe_is_not(aws: Aws) -> None:
    """EC2 takes few characters in the description of a rule; the deploy rolls back, in EC2's words.

    Source: docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
    """
    deploy(aws.endpoint, "sealed", sealed())
    assert delete(aws.endpoint, "sealed") == "DELETE_COMPLETE"
    template = sealed()
    rules = [one for one in template["Resources"].values() if one["Type"] == "AWS::EC2::SecurityGroupIngress"]
    rules[-1]["Properties"]["Description"] = "AWS's services"

    with pytest.raises(AssertionError, match=r"Invalid rule description\. Valid descriptions are strings"):
        deploy(aws.endpoint, "apostrophe", template)
    (stack,) = aws.client("cloudformation").describe_stacks(StackName="apostrophe")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"


ALARM = {
    "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1, "Threshold": 1, "MetricName": "Errors",
    "Namespace": "AWS/Lambda", "Period": 300, "Statistic": "Sum",
}  # fmt: skip
WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "retention": ("AWS::Logs::LogGroup", {"RetentionInDays": 42}, "Value '42' at 'RetentionInDays'"),
    "dimension": (
        "AWS::CloudWatch::Alarm", {**ALARM, "Dimensions": [{"Name": "Project", "Value": "für"}]}, "'Dimensions.*Value'"
    ),
    "rule": ("AWS::Events::Rule", {"ScheduleExpression": "daily"}, "Value 'daily' at 'ScheduleExpression'"),
    "cluster": ("AWS::ECS::Cluster", {"ClusterName": "a.b"}, "Value 'a.b' at 'ClusterName'"),
    "platform": (
        "AWS::ECS::TaskDefinition",
        {"Family": "x", "ContainerDefinitions": [{"Name": "x", "Image": "x"}],
         "RuntimePlatform": {"CpuArchitecture": "arm64"}},
        "Member must satisfy enum value set: .X86_64, ARM64.",
    ),
    "bucket": ("AWS::S3::Bucket", {"VersioningConfiguration": {"Status": "On"}}, "Value 'On'"),
    "resolved": ("AWS::SNS::Topic", {"TopicName": {"Fn::Join": ["", ["a", "!"]]}}, "Value 'a!' at 'TopicName'"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "properties", "words"), WRONG.values(), ids=WRONG)
def test_what_a_service_refuses_rolls_back(aws: Aws, kind: str, properties: dict[str, Any], words: str) -> None:
    """References are looked at too, when they are known.

    Source: the services' models in botocore
    """
    template = {"Resources": {"One": {"Type": kind, "Properties": properties}}}

    with pytest.raises(AssertionError, match=words):
        deploy(aws.endpoint, f"refused-{abs(hash(words))}", template)


def test_a_rule_under_a_prefix_that_is_taken_is_refused(aws: Aws) -> None:
    """All of a pull-through rule is fixed at creation; under another prefix it is another rule.

    Source: docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-pullthroughcacherule.html
    """
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ecr-pullthroughcache/hub-{}"

    def template(prefix: str, suffix: str) -> dict[str, Any]:
        properties = {
            "EcrRepositoryPrefix": prefix,
            "UpstreamRegistryUrl": "registry-1.docker.io",
            "CredentialArn": secret.format(suffix),
        }
        return {"Resources": {"Rule": {"Type": "AWS::ECR::PullThroughCacheRule", "Properties": properties}}}

    deploy(aws.endpoint, "cache", template("hub", "AbCdEf"))
    with pytest.raises(AssertionError, match="Rename hub and update"):
        deploy(aws.endpoint, "cache", template("hub", "GhIjKl"))
    (stack,) = aws.client("cloudformation").describe_stacks(StackName="cache")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    deploy(aws.endpoint, "cache", template("hub2", "GhIjKl"))
    deploy(aws.endpoint, "cache", template("hub", "AbCdEf"))
    assert delete(aws.endpoint, "cache") == "DELETE_COMPLETE"


CALLS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "retention": (
        "logs", "put_retention_policy", {"logGroupName": "/penstock/tool", "retentionInDays": 8},
        "InvalidParameterException",
    ),
    "definition": (
        "ecs", "register_task_definition",
        {"family": "x", "containerDefinitions": [{"name": "a b", "image": "x"}]},
        "InvalidParameterException",
    ),
    "secret": ("secretsmanager", "create_secret", {"Name": "a b", "SecretString": "x"}, "ValidationException"),
    "rule": ("events", "put_rule", {"Name": "a b", "ScheduleExpression": "rate(1 day)"}, "ValidationException"),
}  # fmt: skip


@pytest.mark.parametrize(("service", "call", "arguments", "code"), CALLS.values(), ids=CALLS)
def test_calls_of_the_api_are_held_against_the_models(
    aws: Aws, service: str, call: str, arguments: dict[str, Any], code: str
) -> None:
    """What comes without CloudFormation is checked by the same tables.

    Source: the services' models in botocore
    """
    with pytest.raises(ClientError, match="failed to satisfy constraint") as refused:
        getattr(aws.client(service), call)(**arguments)

    assert refused.value.response["Error"]["Code"] == code
