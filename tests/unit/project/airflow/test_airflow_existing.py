"""`airflow.use` and `airflow.self_managed`: the choice, the checks, the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.aws.bucket_names import wrong_name
from penstock.compile.compiler import compile_plan
from penstock_runtime.plan.airflow import Airflow, SelfManagedAirflow, UsedAirflow
from penstock_runtime.plan.plan import Plan
from tests.unit.project_files import PROJECT, errors, loaded, write

CREATE = "{create: {version: 3.0.6, class: mw1.small}}"
NETWORK = "{create: {cidr: 10.20.0.0/16}}"
USED_NETWORK = "{use: {vpc: vpc-0a1b2c3d, private_subnets: [subnet-0a1b2c3d, subnet-1a1b2c3d]}}"
ROLE = "arn:aws:iam::111122223333:role/service-role/team-airflow"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f"
USE = "environment: team, version: 2.10.3, bucket: team-dags, execution_role: team-airflow"
HERE = "¦"
DEV, PROD = "dev: {region: eu-west-1}", "prod: {region: eu-central-1, variables: {HOST: prod.acme.internal}}"

MISTAKES = {
    # name: (airflow, part of what, part of fix)
    "none": ("¦{dag_prefix: x_}", "exactly one of create, use, self_managed, and has none", "penstock adopt"),
    "two": (f"{{use: {{{USE}}}, ¦self_managed: {{version: 3.0.6}}}}", "and has use, self_managed", "keep one"),
    "no version": ("{use: ¦{environment: team, bucket: team-dags, execution_role: r}}", "'version' is missing", "add"),
    "two parts": ('{self_managed: {version: ¦"2.10"}}', "'2.10' must have three parts", "2.10.3"),
    "digits without end": (f"{{self_managed: {{version: ¦3.0.{'1' * 4301}}}}}", "must have three parts", "3.0.6"),
    "other digits": ("{self_managed: {version: ¦३.२.३}}", "'३.२.३' must have three parts", "3.0.6"),
    "long use": (f"{{use: {{{USE.replace('2.10.3', '¦' + '2' * 4301 + '.10.3')}}}}}", "must have three parts", "3.0.6"),
    "too old use": (f"{{use: {{{USE.replace('2.10.3', '¦2.8.1')}}}}}", "older than 2.9", "MWAA changes the version"),
    "too old": ("{self_managed: {version: ¦2.8.1}}", "older than 2.9", "upgrade"),
    "environment's name": (
        f"{{use: {{{USE.replace('team,', '¦1team,', 1)}}}}}",
        "must be the name of an MWAA environment",
        "aws mwaa list",
    ),
    "bucket's ARN": ('{self_managed: {version: 3.0.6, bucket: ¦"arn:aws:s3:::x"}}', "not the name of a bucket", "name"),
    "bucket with two dots": (
        "{self_managed: {version: 3.0.6, bucket: ¦a..b}}",
        "two dots in a row",
        "write the bucket",
    ),
    "bucket of an address": (f"{{use: {{{USE.replace('team-dags', '¦192.168.1.1')}}}}}", "an IP address", "the bucket"),
    "bucket beyond ASCII": ("{self_managed: {version: 3.0.6, bucket: ¦xn--abc}}", "starts in xn--", "write the bucket"),
    "access point": ("{self_managed: {version: 3.0.6, bucket: ¦a-0x-s3alias}}", "it is an access point", "general"),
    "directory bucket": (
        f"{{use: {{{USE.replace('team-dags', '¦a--euw1-az1--x-s3')}}}}}",
        "it is a directory bucket",
        "general purpose",
    ),
    "folder from the root": ("{self_managed: {version: 3.0.6, dags: ¦/dags}}", "cannot be a folder", "no / at"),
    "folder that leads up": ("{self_managed: {version: 3.0.6, dags: ¦a/../b}}", "cannot be a folder", "dags or team"),
    "folder with a slash": ("{self_managed: {version: 3.0.6, dags: ¦dags/}}", "cannot be a folder", "at its ends"),
    "role": (
        f"{{use: {{{USE.replace('team-airflow', '¦role/x y')}}}}}",
        "neither the ARN nor the name of a role",
        "its name",
    ),
    "role in other letters": (
        f"{{use: {{{USE.replace('team-airflow', '¦rölé')}}}}}",
        "nor the name of a role",
        "its name",
    ),
    "role in other digits": (
        f"{{use: {{{USE.replace('team-airflow', '¦' + ROLE.replace('2', '२'))}}}}}",
        "neither the ARN nor the name of a role",
        "its name",
    ),
    "role elsewhere": (
        f"{{use: {{{USE.replace('team-airflow', '¦' + ROLE)}}}}}",
        "the role is in account 111122223333, and this environment in 444455556666",
        "account of the MWAA environment",
    ),
    "group twice": (
        f"{{use: {{{USE}, security_groups: [sg-0a1b2c3d, ¦sg-0a1b2c3d]}}}}",
        "sg-0a1b2c3d is listed twice",
        "remove one",
    ),
    "group": (f"{{use: {{{USE}, security_groups: [¦vpc-0a1b2c3d]}}}}", "is not an AWS id", "sg-"),
    "alias": (
        '{self_managed: {version: 3.0.6, bucket: abc, kms_key: ¦"alias/x"}}',
        "not the ARN of a KMS key",
        "alias",
    ),
    "key elsewhere": (
        f"{{self_managed: {{version: 3.0.6, bucket: abc, kms_key: ¦{KEY.replace('west', 'north')}}}}}",
        "the key is in eu-north-1, and the bucket must be in eu-west-1",
        "the bucket's own key",
    ),
    "key of no bucket": (f"{{self_managed: {{version: 3.0.6, ¦kms_key: {KEY}}}}}", "none is named", "remove kms_key"),
}


@pytest.mark.parametrize(("airflow", "what", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_named_with_place_and_fix(tmp_path: Path, airflow: str, what: str, fix: str) -> None:
    """The first error reported is the mistake, at its line and column."""
    text = PROJECT.replace(CREATE, airflow).replace(NETWORK, USED_NETWORK).replace(f"  {PROD}\n", "")
    text = text.replace(DEV, 'dev: {region: eu-west-1, account: "444455556666"}')
    before, _, rest = text.partition(HERE)
    place, said, advice = errors(write(tmp_path, (PROJECT, before + rest)))[0]

    assert place == f"penstock.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    assert what in said
    assert fix in advice


@pytest.mark.parametrize("bucket", ["abc", "a.b-c", "1.2.3", "192.168.1.1.x", "a" * 63, "acme-xn--x"])
def test_a_bucket_may_be_called(bucket: str) -> None:
    """What only looks like something that is refused."""
    assert wrong_name(bucket) is None


def test_groups_of_another_vpc_are_refused(tmp_path: Path) -> None:
    """Tasks in a VPC that Penstock makes cannot join the groups of the one where MWAA is."""
    edit = (CREATE, f"{{use: {{{USE}, security_groups: [sg-0a1b2c3d]}}}}")
    place, what, fix = errors(write(tmp_path, edit))[0]

    assert place.startswith("penstock.yaml:6:")
    assert "the tasks are in one of their own" in what
    assert "network: {use:" in fix


def _plan(folder: Path, airflow: str, network: str = NETWORK) -> Plan:
    return compile_plan(loaded(folder, (f"  {PROD}\n", ""), (CREATE, airflow), (NETWORK, network)))


def test_plan_of_an_environment_that_exists(tmp_path: Path) -> None:
    """The role goes by its name, which is what a policy is attached to; it all survives JSON."""
    plan = _plan(tmp_path, f"{{use: {{{USE.replace('team-airflow', ROLE)}, dags: a/dags, kms_key: {KEY}}}}}")

    assert plan.airflow == UsedAirflow("team", "2.10.3", "team-dags", "a/dags", "team-airflow", KEY)
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(("more", "bucket"), [("", None), (", bucket: own-dags", "own-dags")])
def test_plan_of_an_airflow_of_ones_own(tmp_path: Path, more: str, bucket: str | None) -> None:
    plan = _plan(tmp_path, f"{{self_managed: {{version: 3.0.6{more}}}}}")

    assert plan.airflow == SelfManagedAirflow("3.0.6", bucket, "dags", None)
    assert Plan.from_json(plan.to_json()) == plan


def test_plan_of_one_to_create_survives_json(tmp_path: Path) -> None:
    plan = _plan(tmp_path, CREATE)

    assert isinstance(plan.airflow, Airflow)
    assert Plan.from_json(plan.to_json()) == plan


def test_tasks_join_the_groups_of_mwaa_where_the_network_names_none(tmp_path: Path) -> None:
    """The network's own groups win; without any, the tasks are where Airflow's database can be reached."""
    airflow = f"{{use: {{{USE}, security_groups: [sg-0a1b2c3d]}}}}"
    own = USED_NETWORK.replace("]}}", "], security_groups: [sg-1a1b2c3d]}}")

    assert _plan(tmp_path, airflow, USED_NETWORK).network.task_security_groups == ("sg-0a1b2c3d",)
    assert _plan(tmp_path, airflow, own).network.task_security_groups == ("sg-1a1b2c3d",)


def test_each_environment_chooses_for_itself(tmp_path: Path) -> None:
    """Naming one way in an environment drops the other of the top level, and keeps what is beside them."""
    override = f"prod: {{region: eu-central-1, airflow: {{use: {{{USE}}}}}}}"
    top = CREATE.replace("}}", "}, dag_prefix: shared_}")
    project = loaded(tmp_path, (PROD, override), (CREATE, top))

    assert isinstance(compile_plan(project, "dev").airflow, Airflow)
    prod = compile_plan(project, "prod")
    assert isinstance(prod.airflow, UsedAirflow)
    assert [schedule.dag_id for schedule in prod.schedules] == ["shared_daily"]


def test_environment_changes_one_field_of_what_the_top_level_uses(tmp_path: Path) -> None:
    """The same way on both levels is merged as any mapping is."""
    override = "prod: {region: eu-central-1, airflow: {use: {bucket: prod-dags}}}"
    project = loaded(tmp_path, (PROD, override), (CREATE, f"{{use: {{{USE}}}}}"))

    airflow = compile_plan(project, "prod").airflow
    assert isinstance(airflow, UsedAirflow)
    assert (airflow.name, airflow.bucket) == ("team", "prod-dags")


def test_two_ways_in_one_environment_are_an_error(tmp_path: Path) -> None:
    """What an environment itself says stays: both are reported."""
    both = f"prod: {{region: eu-central-1, airflow: {{use: {{{USE}}}, create: {{version: 3.0.6}}}}}}"
    place, what, _ = errors(write(tmp_path, (PROD, both)))[0]

    assert place.startswith("penstock.yaml:4:")
    assert "has create, use" in what


def test_variables_named_like_the_ways_are_kept(tmp_path: Path) -> None:
    """`create` and `use` exclude each other in `network` and `airflow` only."""
    overrides = "prod: {region: eu-central-1, variables: {use: b}}"
    project = loaded(tmp_path, (PROD, overrides), ("{HOST: dev.acme.internal}", "{create: a, HOST: h}"))

    assert project.settings("prod").variables == {"create": "a", "use": "b", "HOST": "h"}


def test_unknown_version_is_a_warning_at_its_place(tmp_path: Path) -> None:
    """AWS may know a newer one than our table."""
    plan = _plan(tmp_path, f"{{use: {{{USE.replace('2.10.3', '3.9.9')}}}}}")

    assert any(
        warning.startswith("penstock.yaml:5:") and "Airflow 3.9.9 is not in the table" in warning
        for warning in plan.warnings
    )
