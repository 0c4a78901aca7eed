"""What is wrong with a network: each mistake gives one error that says what, where and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.project_files import errors, write

HERE = "¦"
"""In a mistake: right behind it is where the error must point."""
CREATE = "network: {create: {cidr: 10.20.0.0/16}}"
USE = "vpc: vpc-0a1b2c3d, private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]"
LOAD = "- {name: load, "
SIX = ", ".join(f"sg-0a1b2c3{number}" for number in range(6))
SEVENTEEN = ", ".join(f"subnet-0a1b2c{number}" for number in range(10, 27))
GROUPS = "subnet_groups: {out: {subnets: [subnet-2a1b2c3d]}}"
OWNER = "arn:aws:iam::444455556666:role/penstock-endpoints"
CUSTOMER = ("class: mw1.small", "class: mw1.small, endpoint_management: customer")

CREATED = {
    # name: (what `create` holds, part of what, part of fix)
    "host bits": ("{cidr: ¦10.20.0.1/16}", "not an IPv4 range", "10.20.0.0/16"),
    "IPv6": ("{cidr: ¦'fd00::/56'}", "not an IPv4 range", "10.20.0.0/16"),
    "large": ("{cidr: ¦10.0.0.0/8}", "a /8 network is not possible", "/16 to /24"),
    "small": ("{cidr: ¦10.20.0.0/25}", "a /25 network is not possible", "/16 to /24"),
    "loopback": ("{cidr: ¦127.0.0.0/16}", "not a range that a network can have", "10.0.0.0/8"),
    "link-local": ("{cidr: ¦169.254.0.0/16}", "not a range that a network can have", "private range"),
    "multicast": ("{cidr: ¦224.0.0.0/16}", "not a range that a network can have", "private range"),
    "zone of another region": (
        "{zones: [eu-west-1a, ¦us-east-1b]}",
        "not an availability zone of eu-west-1",
        "eu-west-1a",
    ),
    "letter alone": ("{zones: [¦a, eu-west-1b]}", "'a' is not an availability zone", "eu-west-1a"),
    "local zone": ("{zones: [eu-west-1a, ¦eu-west-1-lon-1a]}", "is not an availability zone", "eu-west-1a"),
    "a zone twice": ("{zones: [eu-west-1b, ¦eu-west-1b]}", "is listed twice", "MWAA needs two"),
    "one zone": ("{zones: ¦[eu-west-1b]}", "at least 2 entries", ""),
    "three zones": ("{zones: ¦[eu-west-1a, eu-west-1b, eu-west-1c]}", "at most 2 entries", ""),
    "unknown egress": ("{egress: ¦public}", "must be 'nat' or 'endpoints'", "'nat'"),
    "no NAT gateway": ("{nat_gateways: ¦0}", "must be at least 1", "at least 1"),
    "three NAT gateways": ("{nat_gateways: ¦3}", "must be at most 2", "at most 2"),
    "NAT beside endpoints": ("{egress: endpoints, ¦nat_gateways: 1}", "has no NAT gateway", "remove nat_gateways"),
    "endpoints beside NAT": ("{¦more_endpoints: [glue]}", "over the internet", "write egress: endpoints"),
    "left out beside NAT": ("{¦without_endpoints: [sts]}", "over the internet", "write egress: endpoints"),
    "trust beside NAT": ('{¦trusted_accounts: ["111122223333"]}', "over the internet", "write egress: endpoints"),
    "full name": (
        "{egress: endpoints, more_endpoints: [¦com.amazonaws.eu-west-1.glue]}",
        "is not a service with an endpoint",
        "behind com.amazonaws.<region>.",
    ),
    "upper case": ("{egress: endpoints, more_endpoints: [¦Glue]}", "'Glue' is not a service", "such as glue"),
    "made anyway": ("{egress: endpoints, more_endpoints: [glue, ¦sqs]}", "the endpoint of sqs is made", "remove it"),
    "S3": ("{egress: endpoints, more_endpoints: [¦s3]}", "the endpoint of s3 is made", "remove it"),
    "twice": ("{egress: endpoints, more_endpoints: [glue, ¦glue]}", "is listed twice", "remove one"),
    "too many": (
        f"{{egress: endpoints, more_endpoints: ¦[{', '.join(f'a{n}' for n in range(31))}]}}",
        "at most 30 entries",
        "",
    ),
    "directory buckets": ("{egress: endpoints, more_endpoints: [¦s3express]}", "gateway endpoint only", "remove it"),
    "private host of all": ("{¦private_hosts: [a.io]}", "over the internet", "remove"),
    "address of a host": (
        "{egress: endpoints, private_hosts: [¦'https://a.io']}",
        "must be the name of a host",
        "*.acme",
    ),
    "not made": ("{egress: endpoints, without_endpoints: [¦airflow.op]}", "would be made", "'airflow.ops'"),
    "both made and not": (
        "{egress: endpoints, more_endpoints: [ssm], without_endpoints: [kms, ¦ssm]}",
        "the endpoint of ssm is both asked for, in more_endpoints, and left out",
        "remove it from one of the two",
    ),
    "left out and unknown": (
        "{egress: endpoints, more_endpoints: [glue], without_endpoints: [¦glue]}",
        "the endpoint of glue is both asked for",
        "one of the two",
    ),
    "no account": (
        '{egress: endpoints, trusted_accounts: [¦"1111"]}',
        "must be the number of an AWS account",
        "twelve digits",
    ),
    "odd retention": (
        "{flow_logs: {retention_days: ¦31}}",
        "cannot keep a log for 31 days",
        "use one of: 1, 3, 5, 7, 14, 30, 60",
    ),
    "unknown key of flow logs": ("{flow_logs: {¦days: 30}}", "unknown key 'days'", ""),
}
USED = {
    # name: (what `use` holds beside the VPC and its private subnets, part of what, part of fix)
    "no id of a task's subnet": (
        "task_subnets: [¦sg-0a1b2c3d]",
        "'sg-0a1b2c3d' is not an AWS id",
        "subnet- and 8 or 17",
    ),
    "17 subnets": (f"task_subnets: ¦[{SEVENTEEN}]", "at most 16 entries", ""),
    "subnet twice": ("task_subnets: [subnet-2a1b2c3d, ¦subnet-2a1b2c3d]", "is listed twice", "remove it"),
    "no id of a group": ("security_groups: [¦subnet-0a1b2c3d]", "is not an AWS id", "sg- and 8 or 17"),
    "six groups": (f"security_groups: ¦[{SIX}]", "at most 5 entries", ""),
    "six groups of tasks": (f"task_security_groups: ¦[{SIX}]", "at most 5 entries", ""),
    "six groups of MWAA": (f"airflow_security_groups: ¦[{SIX}]", "at most 5 entries", ""),
    "group twice": ("task_security_groups: [sg-0a1b2c3d, ¦sg-0a1b2c3d]", "is listed twice", "remove it"),
    "both kinds of groups": (
        "security_groups: [sg-0a1b2c3d], ¦task_security_groups: [sg-1a1b2c3d]",
        "`task_security_groups` has no place beside them",
        "airflow_security_groups",
    ),
    "both kinds for MWAA": (
        "security_groups: [sg-0a1b2c3d], ¦airflow_security_groups: [sg-1a1b2c3d]",
        "`airflow_security_groups` has no place beside them",
        "task_security_groups",
    ),
    "public without subnets": ("assign_public_ip: ¦true", "leads nowhere from the private subnets", "task_subnets"),
    "public in a private one": (
        "task_subnets: [subnet-1a1b2c3d, subnet-2a1b2c3d], assign_public_ip: ¦true",
        "leads nowhere from the private subnets",
        "name public subnets",
    ),
    "public group in a private one": (
        "subnet_groups: {out: {subnets: [subnet-0a1b2c3d], assign_public_ip: ¦true}}",
        "leads nowhere from the private subnets",
        "subnet_groups",
    ),
    "no role": (
        "shared_by: {role: ¦owner, security_groups: [sg-0a1b2c3d]}",
        "must be the ARN of a role",
        "arn:aws:iam",
    ),
    "no group of the owner's": (f"shared_by: {{¦role: '{OWNER}'}}", "there are none", "security_groups"),
    "the name of a role that IAM does not allow": (
        f"shared_by: {{role: ¦'{OWNER}{'x' * 64}', security_groups: [sg-0a1b2c3d]}}",
        "must be the ARN of a role",
        "arn:aws:iam::<account>:role/<name>",
    ),
    "a group and no role": ("shared_by: {¦security_groups: [sg-0a1b2c3d]}", "there is none", "by hand"),
    "no id of the owner's group": (
        f"shared_by: {{role: '{OWNER}', security_groups: [¦sg-x]}}",
        "is not an AWS id",
        "sg- and 8 or 17",
    ),
    "empty group": ("subnet_groups: {out: {subnets: ¦[]}}", "is empty", ""),
    "group without subnets": ("subnet_groups: {out: ¦{}}", "'subnets' is missing", ""),
    "odd name of a group": ("subnet_groups: {¦a b: {subnets: [subnet-2a1b2c3d]}}", "cannot be the name", "40 letters"),
    "no id in a group": ("subnet_groups: {out: {subnets: [¦subnet-x]}}", "is not an AWS id", "subnet- and 8 or 17"),
}


def _place(text: str) -> tuple[str, str]:
    """A text without its mark, and line and column of the mark."""
    before, _, rest = text.partition(HERE)
    return before + rest, f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def _first(folder: Path, *edits: tuple[str, str]) -> tuple[str, str, str]:
    """The first error of the project with these edits, after a check that it is where the mark was."""
    path = write(folder, *edits)
    text, where = _place(path.read_text())
    path.write_text(text)
    place, what, fix = errors(path)[0]

    assert place == f"penstock.yaml:{where}", what
    assert fix
    return place, what, fix


@pytest.mark.parametrize(("create", "what", "fix"), CREATED.values(), ids=CREATED)
def test_mistake_in_a_network_to_create(tmp_path: Path, create: str, what: str, fix: str) -> None:
    """Of each setting, at its line and column."""
    _, said, advice = _first(tmp_path, (CREATE, f"network: {{create: {create}}}"))

    assert what in said
    assert fix in advice


@pytest.mark.parametrize(("use", "what", "fix"), USED.values(), ids=USED)
def test_mistake_in_a_network_that_exists(tmp_path: Path, use: str, what: str, fix: str) -> None:
    """Of each setting, at its line and column."""
    _, said, advice = _first(tmp_path, CUSTOMER, (CREATE, f"network: {{use: {{{USE}, {use}}}}}"))

    assert what in said
    assert fix in advice


@pytest.mark.parametrize(
    ("network", "what"),
    [
        ("¦{}", "exactly one of `create` and `use`"),
        (f"¦{{create: {{}}, use: {{{USE}}}}}", "exactly one of `create` and `use`"),
        ("{use: ¦{private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]}}", "'vpc' is missing"),
        (
            "{use: {vpc: ¦vpc-1, private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]}}",
            "'vpc' of network.use must be the id of a VPC, not 'vpc-1'",
        ),
        ("{use: {vpc: vpc-0a1b2c3d, private_subnets: ¦[subnet-0a1b2c3d]}}", "at least 2 entries"),
        (
            "{use: {vpc: vpc-0a1b2c3d, private_subnets: ¦[subnet-0a1b2c3d, subnet-1a1b2c3d, subnet-2a1b2c3d]}}",
            "at most 2 entries",
        ),
        ("{use: {vpc: vpc-0a1b2c3d, private_subnets: [subnet-0a1b2c3d, ¦subnet-0a1b2c3d]}}", "is listed twice"),
    ],
)
def test_networks_that_are_none(tmp_path: Path, network: str, what: str) -> None:
    """One of the two ways, one VPC, two subnets."""
    assert what in _first(tmp_path, (CREATE, f"network: {network}"))[1]


def test_vpc_that_is_shared_by_its_own_account(tmp_path: Path) -> None:
    """Then nobody shares it, and MWAA can make its endpoints itself."""
    shared = f"shared_by: {{role: ¦'{OWNER}', security_groups: [sg-0a1b2c3d]}}"
    network = (CREATE, f"network: {{use: {{{USE}, {shared}}}}}")
    _, what, fix = _first(tmp_path, network, CUSTOMER, ("dev: {region", 'dev: {account: "444455556666", region'))

    assert what == "the role is in the account of the deploy"
    assert "leave shared_by out" in fix


def test_shared_vpc_wants_mwaa_told(tmp_path: Path) -> None:
    """With MWAA's own management the environment would fail after an hour."""
    shared = f"¦shared_by: {{role: '{OWNER}', security_groups: [sg-0a1b2c3d]}}"
    _, what, fix = _first(tmp_path, (CREATE, f"network: {{use: {{{USE}, {shared}}}}}"))

    assert what == "MWAA cannot make endpoints in a VPC of another account"
    assert "endpoint_management: customer" in fix


@pytest.mark.parametrize(
    ("more", "what", "fix"),
    [
        ("airflow_security_groups: [sg-2a1b2c3d]", "those of network.use.airflow_security_groups", "into sg-2a1b2c3d;"),
        ("security_groups: [sg-0a1b2c3d]", "those of network.use.security_groups", "Penstock makes one"),
        (f"shared_by: {{role: '{OWNER}', security_groups: [sg-0a1b2c3d]}}", "its owner's security groups", "the owner"),
        ("shared_by: {}", "the endpoint of the page is in a VPC of another account", "the owner let TCP 443"),
    ],
)
def test_ranges_that_no_rule_of_ours_lets_in(tmp_path: Path, more: str, what: str, fix: str) -> None:
    """The groups that count are somebody else's: an error that says so, and not a rule that does nothing."""
    web = ("class: mw1.small", f"{CUSTOMER[1] if 'shared' in more else CUSTOMER[0]}, ¦web_access_cidrs: [10.8.0.0/16]")
    _, said, advice = _first(tmp_path, (CREATE, f"network: {{use: {{{USE}, {more}}}}}"), web)

    assert what in said
    assert fix in advice


def test_task_in_a_group_that_does_not_exist(tmp_path: Path) -> None:
    """The nearest one is named; so it is in the defaults."""
    network = (CREATE, f"network: {{use: {{{USE}, {GROUPS}}}}}")
    _, what, fix = _first(tmp_path, network, (LOAD, LOAD + "subnets: ¦outt, "))
    assert (what, fix) == ("there is no group of subnets 'outt'", "did you mean 'out'?")

    _, what, _ = _first(tmp_path, network, ("task: {cpu_units", "task: {subnets: ¦inside, cpu_units"))
    assert what == "there is no group of subnets 'inside'"
