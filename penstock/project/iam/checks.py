"""What types cannot say about boundaries and tags, and about an ARN's region."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from penstock.aws import arns
from penstock.problem import Problem

MAX_TAGS = 40
"""AWS takes 50 for a resource (AWS General Reference, "Tagging AWS resources"); Penstock and CDK add some of theirs."""


MAX_TAG_KEY, MAX_TAG_VALUE = 128, 256
"""A value has at least one: MWAA's TagValue (botocore's model) and the resource schemas of CloudWatch say so."""


def check_region(arn: str | None, region: str, *path: str | int) -> Iterator[Problem]:
    """A key and a secret that a service of the region uses are in that region."""
    if arn is None:
        return
    if (own := arns.parts(arn).region) != region:
        yield Problem(f"{path[-1]} is in {own}, and this environment in {region}", f"name one in {region}", path)
    elif wrong := arns.wrong_partition(arn, region):
        yield wrong.at(*path)


def check_boundary(arn: str | None, region: str, account: str | None) -> Iterator[Problem]:
    if arn is None:
        return
    here = ("iam", "permissions_boundary")
    if wrong := arns.wrong_partition(arn, region):
        yield wrong.at(*here)
    own = arns.parts(arn).account
    # A customer managed policy, or one of AWS's (IAM API Reference, PutRolePermissionsBoundary); a managed policy is
    # for the roles of its account (IAM User Guide, "Managed policies and inline policies").
    if account is not None and own not in ("aws", account):
        what = f"the policy is in account {own}, and this environment in {account}"
        yield Problem(what, f"make it in {account} too, and name that one", here)


def check_tags(tags: Mapping[str, str]) -> Iterator[Problem]:
    if len(tags) > MAX_TAGS:
        yield Problem(
            f"{len(tags)} tags are too many", f"use at most {MAX_TAGS}: AWS takes 50, ours included", ("tags",)
        )
    first: dict[str, str] = {}
    for key, value in tags.items():
        path = ("tags", key)
        # IAM reads `Owner` and `owner` as one key of a role, and refuses both at once (IAM User Guide, "Tags for AWS
        # Identity and Access Management resources", case sensitivity).
        other = first.setdefault(key.casefold(), key)
        if other != key:
            what = f"tags {other[:60]!r} and {key[:60]!r} differ in capitals only, and a role takes one of them"
            yield Problem(
                what,
                f"keep one; an environment that gives it another value writes {other[:60]!r} too",
                path,
                at_key=True,
            )
        if re.match(r"aws:|penstock:", key, re.IGNORECASE):
            yield Problem(f"tag {key[:60]!r} has a prefix that is not yours", "rename it", path, at_key=True)
        elif not 0 < len(key) <= MAX_TAG_KEY or not _taggable(key):
            yield Problem(f"{key[:60]!r} cannot be a tag's key", _tag_fix(f"1 to {MAX_TAG_KEY}"), path, at_key=True)
        if not 0 < len(value) <= MAX_TAG_VALUE or not _taggable(value):
            fix = _tag_fix(f"1 to {MAX_TAG_VALUE}")
            yield Problem(f"the value of tag {key[:60]!r} is none that AWS takes", fix, path)


def _taggable(text: str) -> bool:
    """IAM API Reference, Tag, and those of ECS, S3 and MWAA: letters, digits, spaces and `_ . : / = + - @`."""
    return all(character in "_.:/=+-@" or unicodedata.category(character)[0] in "LNZ" for character in text)


def _tag_fix(count: str) -> str:
    return f"use {count} letters, digits, spaces and _.:/=+-@"
