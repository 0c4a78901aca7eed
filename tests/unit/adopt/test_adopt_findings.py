"""What is wrong with a live environment: each thing is found, and a good one has nothing wrong."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from penstock.adopt.findings import findings
from penstock.adopt.live import Gone, Live, Statement, Subnet, Unread

MWAA = Statement(
    "mwaa", ("logs:DescribeLogGroups", "cloudwatch:PutMetricData", "s3:GetAccountPublicAccessBlock"), ("*",)
)
GOOD = Live(
    name="team",
    account="111122223333",
    status="AVAILABLE",
    version="3.0.6",
    bucket="team-dags",
    dags="dags",
    execution_role="arn:aws:iam::111122223333:role/team",
    security_groups=("sg-1",),
    logs={"TaskLogs": True},
    versioned=True,
    public_access_blocked=True,
    role=(MWAA, Statement("own", ("s3:GetObject*",), ("arn:aws:s3:::team-dags/*",))),
    subnets=(Subnet("subnet-1", "vpc-1", "eu-west-1a", "nat-1"), Subnet("subnet-2", "vpc-1", "eu-west-1b", "tgw-1")),
    self_referencing=True,
)


def test_nothing_is_wrong_with_a_good_one() -> None:
    """What MWAA's own guide asks for on `*` is not a finding."""
    assert findings(GOOD) == []


def test_what_could_not_be_read_is_said_and_nothing_is_made_up() -> None:
    blind = dataclasses.replace(
        GOOD, versioned=None, public_access_blocked=None, role=None, subnets=None, self_referencing=None,
        unread=(Unread("s3:GetBucketVersioning"),),
    )  # fmt: skip

    assert [(finding.level, finding.what) for finding in findings(blind)] == [
        ("warning", "not looked at: it takes s3:GetBucketVersioning")
    ]


ONE_ZONE = tuple(dataclasses.replace(subnet, zone="eu-west-1a") for subnet in GOOD.subnets or ())
PUBLIC = tuple(dataclasses.replace(subnet, way_out="igw-1") for subnet in GOOD.subnets or ())
DEAD = tuple(dataclasses.replace(subnet, way_out="nat-1", dead=True) for subnet in GOOD.subnets or ())
CLOSED = tuple(dataclasses.replace(subnet, way_out=None) for subnet in GOOD.subnets or ())


@pytest.mark.parametrize(
    ("change", "level", "what", "count"),
    [
        ({"versioned": False}, "error", "team-dags is not versioned", 1),
        ({"public_access_blocked": False}, "error", "blocks all public access", 1),
        ({"self_referencing": False}, "error", "sg-1 lets its own members in", 1),
        ({"subnets": ONE_ZONE}, "error", "are all in eu-west-1a", 1),
        ({"subnets": CLOSED}, "warning", "has no default route", 2),
        ({"subnets": PUBLIC}, "warning", "is public (igw-1)", 2),
        ({"subnets": DEAD}, "error", "leads to nat-1, which is gone", 2),
        ({"gone": (Gone("the role is gone", "make it"),)}, "error", "the role is gone", 1),
        ({"unread": (Unread("kms:DescribeKey", "timeout"),)}, "warning", "by kms:DescribeKey: timeout", 1),
        ({"version": "2.8.1"}, "error", "older than 2.9", 1),
        ({"version": "3"}, "error", "must have three parts", 1),
        ({"version": "1" * 4301 + ".0.0"}, "error", "must have three parts", 1),
        ({"version": "3.9.9"}, "warning", "was not tried", 1),
        ({"status": "UPDATING"}, "warning", "is UPDATING", 1),
        ({"logs": {"TaskLogs": False, "WorkerLogs": True}}, "warning", "logs are off: TaskLogs", 1),
        ({"role": (Statement("all", ("*",), ("*",)),)}, "warning", "all lets whoever writes DAGs", 1),
        ({"role": (Statement("ecs", ("ecs:RunTask",), ("*",)),)}, "warning", "every resource: ecs:RunTask", 1),
        ({"role": (Statement("r", ("iam:PassRole",), ("arn:aws:iam::1:role/*",)),)}, "warning", "iam:PassRole", 1),
        (
            {"role": (Statement("p", ("everything but iam:*",), ("*",)),)},
            "warning",
            "resource: everything but iam:*",
            1,
        ),
        ({"role": (Statement("n", ("*",), ("everything but arn:aws:s3:::x",)),)}, "warning", "every resource: *", 1),
        (
            {"role": (Statement("q", ("everything but s3:*",), ("arn:aws:iam::1:role/*",)),)},
            "warning",
            "everything but s3:*",
            1,
        ),
    ],
)
def test_each_thing_that_is_wrong_is_found(change: dict[str, Any], level: str, what: str, count: int) -> None:
    messages = findings(dataclasses.replace(GOOD, **change))

    assert [one.level for one in messages] == [level] * count
    assert all(what in one.what and one.fix for one in messages)


def test_errors_come_first() -> None:
    messages = findings(dataclasses.replace(GOOD, status="UPDATING", versioned=False))

    assert [one.level for one in messages] == ["error", "warning"]
