"""Amazon Resource Names, `arn:<partition>:<service>:<region>:<account>:<resource>`, and the partition of a region.

A partition is a part of AWS with accounts, roles and names of its own: no ARN of one means anything in another. IAM
refuses a policy with one of another ('Partition "aws" is not valid for resource …', MalformedPolicyDocument; seen in
github.com/terraform-aws-modules/terraform-aws-iam, issue 224).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from penstock.problem import Problem

_KEY = "arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/"
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SINGLE_REGION_KEY = f"{_KEY}{_UUID}"
KEY = f"{_KEY}({_UUID}|mrk-[0-9a-f]{{32}})"
"""Of a KMS key. AWS KMS Developer Guide, "Key identifiers (KeyId)"; `mrk-` is a multi-Region key, with an ARN for each
region. No alias: as the resource of a policy it grants nothing (the same, "Use aliases to control access to KMS keys").
"""
ROLE_NAME = r"[A-Za-z0-9_+=,.@-]{1,64}"
"""IAM User Guide, "IAM and AWS STS quotas", names of roles: of the basic Latin alphabet."""
ROLE = rf"arn:aws[a-z-]*:iam::[0-9]{{12}}:role/(?:[\x21-\x7e]+/)?{ROLE_NAME}"
_POLICY_PART = r"[A-Za-z0-9_+=,.@-]"
POLICY = rf"arn:aws[a-z-]*:iam::(aws|[0-9]{{12}}):policy/({_POLICY_PART}+/)*{_POLICY_PART}{{1,128}}"
"""Of a managed policy, AWS's own ones included. IAM API Reference, CreatePolicy, Path and PolicyName."""

_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""What the names of its regions start with → the partition (botocore, `data/partitions.json`); all others: aws."""
_DOMAINS = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
"""Partition → where its services are (the same, `dnsSuffix`); all others: amazonaws.com."""


class Arn(NamedTuple):
    """The parts of an ARN; those that it leaves out are empty."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


def parts(arn: str) -> Arn:
    """The parts of a text that begins with `arn:` and has five colons at least."""
    return Arn(*arn.split(":", 5)[1:])


def partition_of(region: str) -> str:
    """The partition that a region belongs to."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")


def domain_of(region: str) -> str:
    """What the addresses of AWS's services in a region end in."""
    return _DOMAINS.get(partition_of(region), "amazonaws.com")


def wrong_partition(arn: str, region: str) -> Problem | None:
    """Why an ARN names nothing that something in `region` could use, and the fix; None where it may."""
    arn_parts = parts(arn)
    if (right := partition_of(region)) != arn_parts.partition:
        return Problem(
            f"the ARN says {arn_parts.partition}, and {region} belongs to {right}",
            f"write arn:{right}:{arn_parts.service}:…",
        )
    own = arn_parts.region
    if re.fullmatch("[a-z0-9-]+", own) and (right := partition_of(own)) != arn_parts.partition:
        return Problem(
            f"the ARN says {arn_parts.partition}, and {own} belongs to {right}", f"name one in a region like {region}"
        )
    return None


ID = "(?:[0-9a-f]{8}|[0-9a-f]{17})"
"""The part of an id of AWS behind its prefix: `0a1b2c3d` of `vpc-0a1b2c3d`."""
