"""What is lost with a resource that a deploy deletes or replaces."""

from __future__ import annotations

import pytest

from penstock.diff import templates


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        ("AWS::MWAA::Environment", "Airflow's database"),
        ("AWS::S3::Bucket", "objects"),
        ("AWS::Logs::LogGroup", "log"),
        ("AWS::KMS::Key", "everything that it encrypts"),
        ("AWS::SecretsManager::Secret", "value"),
        ("AWS::ECR::Repository", "images"),
    ],
)
def test_what_is_lost_with_a_resource(kind: str, lost: str) -> None:
    """`diff` refuses such a deploy, so no kind that holds data may be forgotten."""
    before = {"acme-dev-x": {"Resources": {"Mine": {"Type": kind, "Properties": {}}}}}

    (change,) = templates.compare(before, {"acme-dev-x": {"Resources": {}}})

    assert lost in (change.loss or "")


def test_nothing_is_lost_with_what_holds_none_or_stays() -> None:
    """A role can be made again; what CloudFormation retains is still in the account."""
    role = {"Type": "AWS::IAM::Role", "Properties": {}}
    kept = {"Type": "AWS::KMS::Key", "Properties": {}, "DeletionPolicy": "Retain"}

    changes = templates.compare({"acme-dev-x": {"Resources": {"Role": role, "Key": kept}}}, {"acme-dev-x": {}})

    assert [change.loss for change in changes] == [None, None]
