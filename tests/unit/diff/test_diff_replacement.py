"""What CloudFormation replaces, for every type that our templates use; and where it cannot, because a name is taken."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.deploy_policy.types import TYPES
from penstock.diff import plans, report, templates
from penstock.diff.replacement import EXCUSED, FIXED, UNIQUE
from penstock.home import CDK
from penstock_runtime.plan.plan import Plan
from tests.unit.diff.diff_states import BOTH, edited, small_plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return small_plan(tmp_path_factory.mktemp("project"))


GOLDEN = sorted(Path(__file__).resolve().parents[2].joinpath("golden").glob("*/expected/*/*.template.json"))
USED = {resource["Type"] for path in GOLDEN for resource in json.loads(path.read_text())["Resources"].values()} | set(
    TYPES
)
"""Every type that a template of ours has: those of the golden cases, and those that a deploy may make."""
SCHEMAS = sorted(kind for kind in {*USED, *FIXED} if kind.startswith("AWS::"))


@pytest.fixture(scope="module")
def schemas() -> dict[str, dict[str, bool]]:
    """Type → property → whether the schemas that come with the pinned CDK CLI say that it is fixed at creation."""
    with gzip.open(CDK.parent.parent / "aws-cdk" / "db.json.gz") as file:
        schema = json.load(file)["schema"]
    types = {entity["$id"]: entity for entity in schema["typeDefinition"]["entities"]}

    def properties(found: Any, prefix: str = "") -> Iterator[tuple[str, bool]]:
        for name, one in found.items():
            fixed = one.get("causesReplacement") in ("yes", "maybe")
            yield prefix + name, fixed
            # What is below one that is fixed is fixed with it.
            if one["type"]["type"] == "ref" and not fixed:
                below = types[one["type"]["reference"]["$ref"]].get("properties", {})
                yield from properties(below, f"{prefix}{name}.")

    resources = {entity["cloudFormationType"]: entity["properties"] for entity in schema["resource"]["entities"]}
    return {kind: dict(properties(resources[kind])) for kind in SCHEMAS}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_table_says_what_cloudformation_does(schemas: dict[str, dict[str, bool]], kind: str) -> None:
    """Of every type that our templates use, each property that is fixed at creation is in the table, or excused."""
    fixed = {path for path, is_fixed in schemas[kind].items() if is_fixed}
    excused = EXCUSED.get(kind, {})

    assert set(FIXED[kind]) <= fixed
    assert {path for path in excused if path != "*"} <= fixed - set(FIXED[kind])
    if "*" in excused:
        assert fixed - set(FIXED[kind])
    else:
        assert fixed - set(FIXED[kind]) == set(excused)
    assert all(excused.values())


@pytest.mark.parametrize("kind", sorted(UNIQUE))
def test_what_is_unique_is_a_property_fixed_at_creation(schemas: dict[str, dict[str, bool]], kind: str) -> None:
    """Otherwise a change of it would be one in place, and no new resource could come into its way."""
    assert {path for path in UNIQUE[kind] if not schemas[kind][path]} == set()


RULE = {
    "EcrRepositoryPrefix": "hub",
    "UpstreamRegistryUrl": "registry-1.docker.io",
    "CredentialArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ecr-pullthroughcache/hub-AbCdEf",
}
TRUST: dict[str, Any] = {"AssumeRolePolicyDocument": {"Statement": []}, "Path": "/"}
ROLE = {**TRUST, "RoleName": "acme-task"}
SUBNET = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "eu-west-1a"}


def one(kind: str, properties: dict[str, Any], logical_id: str = "One") -> dict[str, Any]:
    return {"a": {"Resources": {logical_id: {"Type": kind, "Properties": properties}}}}


TAKEN = {
    "credentials": ("AWS::ECR::PullThroughCacheRule", RULE, {"CredentialArn": "arn:other"}, "EcrRepositoryPrefix hub"),
    "upstream": ("AWS::ECR::PullThroughCacheRule", RULE, {"UpstreamRegistryUrl": "x"}, "EcrRepositoryPrefix hub"),
    "path": ("AWS::IAM::Role", ROLE, {"Path": "/data/"}, "RoleName acme-task"),
    "zone": ("AWS::EC2::Subnet", SUBNET, {"AvailabilityZone": "eu-west-1b"}, "VpcId vpc-1, CidrBlock 10.0.0.0/24"),
    "key": ("AWS::MWAA::Environment", {"Name": "acme"}, {"KmsKey": "arn:key"}, "Name acme"),
}


@pytest.mark.parametrize(("kind", "properties", "change", "taken"), TAKEN.values(), ids=TAKEN)
def test_a_replacement_under_the_same_name_is_refused(
    plan: Plan, kind: str, properties: dict[str, Any], change: dict[str, Any], taken: str
) -> None:
    """CloudFormation makes the new one first, and its name is taken: nothing that is allowed helps."""
    before, after = one(kind, properties), one(kind, {**properties, **change})
    (found,) = templates.compare(before, after)
    comparison = report.compare((before, None), (after, plans.as_data(plan)), prices={})

    assert (found.kind, found.because, found.taken) == ("replaced", tuple(change), taken)
    assert comparison.refusal is not None
    assert f"because {next(iter(change))} cannot change, and the new one finds {taken} taken" in comparison.refusal
    assert ". Take the change back, or " in comparison.refusal
    assert comparison.as_data()["resources"][0]["taken"] == taken


RENAMED = {
    "another prefix": ("AWS::ECR::PullThroughCacheRule", RULE, {"CredentialArn": "x", "EcrRepositoryPrefix": "hub2"}),
    "another name": ("AWS::IAM::Role", ROLE, {"Path": "/data/", "RoleName": "dp-acme-task"}),
    "no name": ("AWS::IAM::Role", TRUST, {"Path": "/data/"}),
    "another range": ("AWS::EC2::Subnet", SUBNET, {"AvailabilityZone": "b", "CidrBlock": "10.0.1.0/24"}),
}


@pytest.mark.parametrize(("kind", "properties", "change"), RENAMED.values(), ids=RENAMED)
def test_a_replacement_under_another_name_is_not(
    plan: Plan, kind: str, properties: dict[str, Any], change: dict[str, Any]
) -> None:
    """Nor one whose name AWS makes up."""
    before, after = one(kind, properties), one(kind, {**properties, **change})

    assert [found.taken for found in templates.compare(before, after)] == [""]
    assert report.compare((before, None), (after, plans.as_data(plan)), prices={}).refusal is None


def test_what_goes_with_what_it_stands_on_is_not_refused() -> None:
    """The same range in a VPC that is another: nothing is in its way there."""
    changes = templates.compare(BOTH, edited("net", "Vpc", CidrBlock="10.1.0.0/16"))

    assert {change.name: change.taken for change in changes if change.type == "AWS::EC2::Subnet"} == {"net/Subnet": ""}


def test_a_name_under_another_logical_id_is_refused() -> None:
    """What a refactoring of the stacks would do: the new one comes before the old one goes."""
    kind = "AWS::IAM::Role"
    moved = templates.compare(one(kind, ROLE), one(kind, ROLE, "Other"))
    renamed = templates.compare(one(kind, ROLE), one(kind, {**ROLE, "RoleName": "x"}, "Other"))

    assert [(change.kind, change.taken) for change in moved] == [("removed", ""), ("added", "RoleName acme-task")]
    assert {change.taken for change in renamed} == {""}
