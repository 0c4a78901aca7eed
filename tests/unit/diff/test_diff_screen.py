"""How a comparison is told on a screen: what matters is not below the cut."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.cli.changes import resources, show_report
from penstock.diff import plans, report, templates
from penstock_runtime.plan.plan import Plan
from tests.unit.diff.diff_states import small_plan

MANY = 60
"""More than a screen takes."""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return small_plan(tmp_path_factory.mktemp("project"))


def stack(*, tag: str, threshold: int, count: int = MANY, **more: Any) -> templates.Templates:
    """Alarms with tags; the last also with a threshold."""
    tags = [{"Key": "team", "Value": tag}]
    alarms = {f"A{one:02}": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Tags": tags}} for one in range(count)}
    alarms["AA"] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Tags": tags, "Threshold": threshold}}
    return {"a": {"Resources": {**alarms, **more}}}


def test_what_goes_is_told_first_and_tags_last() -> None:
    """A gateway that goes, a role that is replaced, a value, what comes, a hash; all other tags are one line."""
    nat = {"Type": "AWS::EC2::NatGateway"}
    code = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": "0a1b2c3d" * 8}}}
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "one"}}
    moved = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "two", "PermissionsBoundary": "arn:b"}}
    before = stack(tag="a", threshold=1, Zgone=nat, Role=role, Code=code)
    after = stack(tag="b", threshold=9, Role=moved, Code={**code, "Properties": {"Code": {}}}, Another=nat)

    assert resources(templates.compare(before, after)) == [
        "- EC2 NatGateway a/Zgone",
        "! IAM Role one is replaced, because of RoleName; also changed: PermissionsBoundary\n"
        "    PermissionsBoundary: nothing → arn:b\n"
        "    RoleName: one → two",
        "~ CloudWatch Alarm a/AA: Tags, Threshold\n    Threshold: 1 → 9",
        "+ EC2 NatGateway a/Another",
        "~ Lambda Function a/Code: Code",
        f"~ {MANY} resources: Tags only\n    Tags.team: a → b",
    ]


def test_one_resource_with_other_tags_is_called_by_its_name() -> None:
    before, after = (stack(tag=tag, threshold=1, count=0) for tag in "ab")

    assert resources(templates.compare(before, after)) == ["~ CloudWatch Alarm a/AA: Tags only\n    Tags.team: a → b"]


def test_the_screen_is_cut_by_resources_and_says_so(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    """Of many that come, forty; JSON has all."""
    comparison = report.compare(({}, None), (stack(tag="a", threshold=1), plans.as_data(plan)), prices={})
    show_report(comparison)
    said = capsys.readouterr().out

    assert said.count("+ CloudWatch Alarm") == 40
    assert "… and 21 more: --format json has them all" in said
    assert len(comparison.as_data()["resources"]) == MANY + 1
