"""What a stack leaves behind must not stand in the way of the next deploy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GOLDEN = sorted(Path(__file__).resolve().parents[1].joinpath("golden").glob("*/expected/*/*.template.json"))
"""The templates of all golden cases; `tests/golden` keeps them equal to what the stacks make."""
NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::EC2::SecurityGroup": "GroupName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::MWAA::Environment": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
}
"""Type → the property that names a resource of it, where the account has each name once."""


def test_nothing_that_is_kept_under_its_name_blocks_a_second_first_deploy() -> None:
    """A first deploy that fails is rolled back; what it kept under a fixed name, the next one would find taken.

    `RetainExceptOnCreate` keeps it later on, and lets it go then. CloudFormation User Guide, "DeletionPolicy".
    """
    named = [
        (path, name, resource)
        for path in GOLDEN
        for name, resource in json.loads(path.read_text())["Resources"].items()
        if resource.get("DeletionPolicy", "Delete") != "Delete" and _has_fixed_name(resource)
    ]

    groups = {resource["Properties"]["LogGroupName"] for _, _, resource in named}
    assert {"/penstock/acme-prod", "airflow-acme-prod-Task"} <= groups
    wrong = [f"{path.name}: {name}" for path, name, one in named if one["DeletionPolicy"] != "RetainExceptOnCreate"]
    assert wrong == []


def test_what_is_kept_is_of_a_type_whose_name_we_know() -> None:
    """Otherwise the test above would pass over it."""
    kept = {
        resource["Type"]
        for path in GOLDEN
        for resource in json.loads(path.read_text())["Resources"].values()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }

    assert kept <= NAMES.keys()


def _has_fixed_name(resource: dict[str, Any]) -> bool:
    """Whether the next deploy would give the same name: it is no name that holds one which AWS generates."""
    value = resource.get("Properties", {}).get(NAMES.get(resource["Type"], ""))
    return value is not None and not any(_references(value))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("Ref"), str) and not value["Ref"].startswith("AWS::"):
            yield value["Ref"]
        if "Fn::GetAtt" in value:
            yield str(value["Fn::GetAtt"])
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _references(one)
