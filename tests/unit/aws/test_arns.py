"""ARNs: of the partition that the environment's region is in, wherever a project names one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session

from penstock.aws.arns import Arn, domain_of, partition_of, parts, wrong_partition
from penstock.project.ecs.image_names import wrong_address
from tests.unit.project_edits import CACHE_SECRET, MIRROR, command, permission, top
from tests.unit.project_files import errors, loaded, write

CREATE, DEV = "create: {version: 3.0.6, class: mw1.small}", "dev: {region: eu-west-1}"
PROD = ("  prod: {region: eu-central-1, variables: {HOST: prod.acme.internal}}\n", "")
NETWORK = "{create: {cidr: 10.20.0.0/16}}"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000"
MULTI = "arn:aws:kms:eu-west-1:111122223333:key/mrk-0a1b2c3d00004000800000000000000f"
USE = "use: {environment: team, version: 3.0.6, bucket: team-dags, execution_role: "
ROLE = "arn:aws:iam::111122223333:role/team"
POLICY = "arn:aws:iam::111122223333:policy/limit"
SUBNETS = "vpc: vpc-0a1b2c3d, private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]"

PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "airflow.create.kms_key": ((CREATE, f"create: {{version: 3.0.6, kms_key: '{KEY}'}}"),),
    "airflow.use.kms_key": ((CREATE, f"{USE}team, kms_key: '{KEY}'}}"),),
    "airflow.use.execution_role": ((CREATE, f"{USE}'{ROLE}'}}"),),
    "airflow.self_managed.kms_key": (
        (CREATE, f"self_managed: {{version: 3.0.6, bucket: team-dags, kms_key: '{KEY}'}}"),
    ),
    "logs.kms_key": (top(f"logs: {{kms_key: '{KEY}'}}"),),
    "observability.topic": (top("observability: {topic: 'arn:aws:sns:eu-west-1:111122223333:data'}"),),
    "observability.encryption": (top(f"observability: {{encryption: '{KEY}'}}"),),
    "iam.permissions_boundary": (top(f"iam: {{permissions_boundary: '{POLICY}'}}"),),
    "AWS's boundary": (top("iam: {permissions_boundary: 'arn:aws:iam::aws:policy/PowerUserAccess'}"),),
    "permissions": (permission("{actions: ['s3:GetObject'], resources: ['arn:aws:s3:::bucket/*']}"),),
    "secrets": (("OM_JWT: secretsmanager:openmetadata", f"OM_JWT: '{CACHE_SECRET}'"),),
    "secret_kms_keys": (top(f"secret_kms_keys: ['{KEY}']"),),
    "pull-through log-in": (
        top(f"images: {{command: {{pull_through: {{upstream: public.ecr.aws, credentials: '{CACHE_SECRET}'}}}}}}"),
    ),
    "owner of the VPC": (
        (CREATE, "create: {version: 3.0.6, endpoint_management: customer}"),
        (NETWORK, f"{{use: {{{SUBNETS}, shared_by: {{role: '{ROLE}', security_groups: [sg-0a1b2c3d]}}}}}}"),
    ),
}
"""Each place that takes an ARN, with a good one."""


def _mistaken(edits: tuple[tuple[str, str], ...], start: str) -> tuple[tuple[str, str], ...]:
    return tuple((old, new.replace("arn:aws:", start)) for old, new in edits)


@pytest.mark.parametrize("partition", ["aws-cn", "awsfoo"])
@pytest.mark.parametrize("edits", PLACES.values(), ids=PLACES)
def test_an_arn_of_another_partition_is_refused(
    tmp_path: Path, edits: tuple[tuple[str, str], ...], partition: str
) -> None:
    """At the ARN itself, and with the partition that the region belongs to; the right one is taken."""
    loaded(tmp_path / "right", PROD, *edits)
    path = write(tmp_path / "wrong", PROD, *_mistaken(edits, f"arn:{partition}:"))
    (line,) = [one for one in path.read_text().splitlines() if f"arn:{partition}:" in one]
    number = path.read_text().splitlines().index(line) + 1

    ((place, what, fix),) = errors(path)

    assert place == f"penstock.yaml:{number}:{line.index(f'arn:{partition}:')}"  # of the quote before it
    assert what == f"the ARN says {partition}, and eu-west-1 belongs to aws"
    assert fix.startswith("write arn:aws:")


def test_an_arn_whose_own_region_is_of_another_partition(tmp_path: Path) -> None:
    """It cannot exist, whatever its partition."""
    secret = CACHE_SECRET.replace("eu-west-1", "cn-north-1")
    ((_, what, fix),) = errors(write(tmp_path, PROD, ("OM_JWT: secretsmanager:openmetadata", f"OM_JWT: '{secret}'")))

    assert what == "the ARN says aws, and cn-north-1 belongs to aws-cn"
    assert fix == "name one in a region like eu-west-1"


def test_other_partitions_have_their_own(tmp_path: Path) -> None:
    """A project for GovCloud, with each place that takes an ARN; a wildcard as a region belongs to all."""
    edits = [
        edit
        for name in ("airflow.use.kms_key", "logs.kms_key", "iam.permissions_boundary", "secrets", "permissions")
        for edit in _mistaken(PLACES[name], "arn:aws-us-gov:")
    ]
    gov = [(old, new.replace("eu-west-1", "us-gov-west-1")) for old, new in edits]

    assert loaded(tmp_path, PROD, (DEV, "dev: {region: us-gov-west-1}"), *gov)
    assert wrong_partition("arn:aws:glue:*:111122223333:table/*", "eu-west-1") is None
    assert wrong_partition("arn:aws:glue:eu-*:111122223333:table/*", "eu-west-1") is None


def test_a_boundary_is_of_the_account(tmp_path: Path) -> None:
    """IAM knows no other account's policy; one of AWS's own is in every account; without an account nobody knows."""
    own = (DEV, 'dev: {region: eu-west-1, account: "111122223333"}')
    other = (DEV, 'dev: {region: eu-west-1, account: "444455556666"}')
    boundary = PLACES["iam.permissions_boundary"]

    ((place, what, fix),) = errors(write(tmp_path / "a", PROD, other, *boundary))

    assert place == "penstock.yaml:23:29"
    assert what == "the policy is in account 111122223333, and this environment in 444455556666"
    assert "444455556666" in fix
    assert loaded(tmp_path / "b", PROD, own, *boundary)
    assert loaded(tmp_path / "c", PROD, other, *PLACES["AWS's boundary"])


@pytest.mark.parametrize("key", [KEY.replace("0a1b2c3d-", ""), KEY.rpartition("/")[0] + "/zzz", f"{KEY} ", f"{KEY}0"])
@pytest.mark.parametrize("name", ["airflow.create.kms_key", "airflow.use.kms_key", "observability.encryption"])
def test_the_id_of_a_key_is_one(tmp_path: Path, name: str, key: str) -> None:
    """A UUID, or that of a multi-Region key; MWAA alone takes none of those."""
    edits = [(old, new.replace(KEY, key)) for old, new in PLACES[name]]
    multi = [(old, new.replace(KEY, MULTI)) for old, new in PLACES[name]]

    ((_, what, _),) = errors(write(tmp_path / "a", PROD, *edits))

    assert "not the ARN of a KMS key" in what
    if name != "airflow.create.kms_key":
        assert loaded(tmp_path / "b", PROD, *multi)


CHINA = MIRROR.replace("amazonaws.com", "amazonaws.com.cn")


@pytest.mark.parametrize(
    "edit",
    [
        top(f"images: {{command: {{mirror: ¦{CHINA}}}}}"),
        command(f"image: ¦'{CHINA}/x:1'"),
        top(f"images: {{command: {{pull_through: {{upstream: ¦{CHINA.partition('/')[0]}}}}}}}"),
    ],
    ids=["mirror", "image", "upstream"],
)
def test_a_registry_is_where_its_region_is(tmp_path: Path, edit: tuple[str, str]) -> None:
    """Only China's regions are below amazonaws.com.cn."""
    before = write(tmp_path / "marked", PROD, edit).read_text().partition("¦")[0]

    ((place, what, fix),) = errors(write(tmp_path, PROD, (edit[0], edit[1].replace("¦", ""))))

    assert place == f"penstock.yaml:{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"
    assert what == "registries of eu-west-1 are not below amazonaws.com.cn"
    assert fix == "write 111122223333.dkr.ecr.eu-west-1.amazonaws.com"


def _partitions() -> list[dict[str, Any]]:
    known: list[dict[str, Any]] = get_session().get_component("data_loader").load_data("partitions")["partitions"]
    return known


def test_partitions_are_those_that_boto_knows() -> None:
    """Every region of every partition, isolated ones included."""
    regions = {
        region: partition["id"]
        for partition in _partitions()
        for region in partition["regions"]
        if re.fullmatch(partition["regionRegex"], region)
    }

    assert len(regions) > 30
    assert {region: partition_of(region) for region in regions} == regions


def test_domains_are_those_that_boto_knows() -> None:
    """Of the partitions whose registries Penstock knows: the isolated ones have others."""
    suffixes = {
        region: partition["outputs"]["dnsSuffix"]
        for partition in _partitions()
        for region in partition["regions"]
        if partition["outputs"]["dnsSuffix"].startswith("amazonaws.") and re.fullmatch(partition["regionRegex"], region)
    }

    assert set(suffixes.values()) == {"amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"}
    assert {region: domain_of(region) for region in suffixes} == suffixes
    assert [wrong_address(f"111122223333.dkr.ecr.{region}.{domain}/a:1") for region, domain in suffixes.items()] == [
        None
    ] * len(suffixes)


def test_parts_of_an_arn() -> None:
    """What is behind the account may have colons of its own."""
    arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/penstock/acme:*"

    assert parts(arn) == Arn("aws", "logs", "eu-west-1", "111122223333", "log-group:/penstock/acme:*")
