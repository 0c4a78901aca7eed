"""Every ARN of the golden templates names the account, the region and the partition of its environment, or what its
project file names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from penstock_runtime.plan.plan import Plan
from tests.golden import regenerate, service_models

ARN = re.compile(r"arn:(?P<partition>[a-z-]+):[a-z0-9-]+:(?P<region>[a-z0-9-]*|\*):(?P<account>[0-9A-Za-z<>-]*|\*):")
AWS_OWN = {"", "*", "aws"}
"""Accounts of ARNs that are nobody's, anybody's or AWS's own."""


@pytest.mark.parametrize("path", service_models.templates(), ids=lambda path: path.name.removesuffix(".template.json"))
def test_arns_are_of_the_environment(path: Path) -> None:
    """A wrong digit would be another account's."""
    plan = Plan.from_json(path.with_name("plan.json").read_text())
    named = "\n".join(one.read_text() for one in path.parents[2].joinpath("project").rglob("*") if one.is_file())
    accounts = {plan.account or regenerate.ACCOUNT, *re.findall(r"(?<!\d)\d{12}(?!\d)", named)}
    regions = {"", "*", plan.region, *re.findall(r"(?<=:)[a-z]{2}-[a-z]+-\d(?=:)", named)}
    text = path.read_text()
    arns = [one.groupdict() for one in ARN.finditer(text)]

    assert {one["account"] for one in arns} <= accounts | AWS_OWN
    assert {one["region"] for one in arns} <= regions
    assert {one["partition"] for one in arns} <= {"aws"}
    assert set(re.findall(r"(?<![\da-f-])\d{12}(?![\da-f])", text)) <= accounts


def test_normalising_leaves_accounts_alone() -> None:
    """Nor an id of eight digits of somebody else's, nor an image's digest; logical ids lose their hash everywhere."""
    digest, asset = "0" * 64, "1" * 64
    template = {
        "Resources": {
            "Role0A1B2C3D": {
                "Properties": {
                    "Arn": "arn:aws:iam::111122223333:role/x",
                    "Account": "111122223333",
                    "Other": "ABCDEF12.x",
                    "Image": f"acme/x@sha256:{digest}",
                    "Key": f"{asset}.zip",
                    "Self": {"Fn::GetAtt": ["Role0A1B2C3D", "Arn"]},
                    "Named": "stack:ExportsOutputFnGetAttRole0A1B2C3DArn01234567",
                }
            }
        },
        "Outputs": {"ExportsOutputFnGetAttRole0A1B2C3DArn01234567": {}},
    }
    (text,) = regenerate.without_hashes({"stack": template}).values()
    properties = json.loads(text)["Resources"]["Role"]["Properties"]

    assert properties == {
        "Arn": "arn:aws:iam::111122223333:role/x",
        "Account": "111122223333",
        "Other": "ABCDEF12.x",
        "Image": f"acme/x@sha256:{digest}",
        "Key": "<hash>.zip",
        "Self": {"Fn::GetAtt": ["Role", "Arn"]},
        "Named": "stack:ExportsOutputFnGetAttRoleArn",
    }
