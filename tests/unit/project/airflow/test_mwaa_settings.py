"""The settings of an MWAA environment: what is filled, what is refused, what is only warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.aws.mwaa import FIXED_OPTIONS
from penstock.compile.airflow import MAX_UPLOAD_FOLDER
from penstock.compile.compiler import compile_plan
from penstock_runtime.errors import InputErrors
from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.plan import Plan
from tests.unit.project_files import PROJECT, errors, loaded, write

HERE = "¦"
"""In a mistake: right behind it is where the error must point."""
CREATE = "version: 3.0.6, class: mw1.small"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

MISTAKES = {
    # name: (what is written for CREATE, part of what, part of fix)
    "too many workers": (f"{CREATE}, workers: ¦{{max: 51}}", "1 to 50 workers, not 51", "use 1 to 50"),
    "workers turned round": (f"{CREATE}, workers: ¦{{min: 3, max: 2}}", "at least 3 workers and at most 2", "swap"),
    "no worker": (f"{CREATE}, workers: {{min: ¦0}}", "must be at least 1, not 0", "at least 1"),
    "one scheduler": (f"{CREATE}, schedulers: ¦1", "mw1.small has 2 to 5 schedulers, not 1", "2 to 5"),
    "six schedulers": (f"{CREATE}, schedulers: ¦6", "mw1.small has 2 to 5 schedulers, not 6", "2 to 5"),
    "schedulers of micro": (
        "version: 3.0.6, class: mw1.micro, schedulers: ¦2",
        "mw1.micro has exactly 1 scheduler, not 2",
        "write schedulers: 1, or leave it out",
    ),
    "one web server": (f"{CREATE}, web_servers: ¦{{min: 1}}", "2 to 5 web servers, not 1", "use 2 to 5"),
    "six web servers": (f"{CREATE}, web_servers: ¦{{max: 6}}", "2 to 5 web servers, not 6", "use 2 to 5"),
    "web servers turned round": (f"{CREATE}, web_servers: ¦{{min: 4, max: 2}}", "4 web servers and at most 2", "swap"),
    "web servers of micro": (
        "version: 3.0.6, class: mw1.micro, web_servers: ¦{min: 2}",
        "mw1.micro has exactly 1 web server, not 2",
        "write web_servers: {min: 1, max: 1}",
    ),
    "both kinds of access": (
        f"{CREATE}, access: ¦public_and_private",
        "both at once come with Airflow 3.2",
        "use access: private or public, or Airflow 3.2",
    ),
    "a name with a dot": (f"{CREATE}, name: ¦team.airflow", "must be the name of an MWAA", "a letter first"),
    "a long name": (f"{CREATE}, name: ¦{'x' * 81}", "must have at most 80 characters", ""),
    "a folder from the root": (f"{CREATE}, dags: ¦/dags", "cannot be a folder for DAGs", "no / at its ends"),
    "MWAA's own folder": (f"{CREATE}, dags: ¦plugins/x", "is where requirements, plugins", "such as dags"),
    "a role's name": (f"{CREATE}, execution_role: ¦team-role", "is not the ARN of a role", "arn:aws:iam::<account>"),
    "a role of China": (
        f"{CREATE}, execution_role: ¦'arn:aws-cn:iam::111122223333:role/x'",
        "the ARN says aws-cn",
        "write arn:aws:iam",
    ),
    "unknown access": (f"{CREATE}, access: ¦vpn", "must be 'private', 'public' or 'public_and_private'", ""),
    "page for everybody": (f"{CREATE}, web_access_cidrs: [¦0.0.0.0/0]", "0/0' allows every address", "of your VPN"),
    "page for a host": (f"{CREATE}, web_access_cidrs: [¦10.8.0.1]", "not how a range is written", "write 10.8.0.1/32"),
    "page beyond a range": (f"{CREATE}, web_access_cidrs: [¦10.8.0.1/16]", "not how a range is", "write 10.8.0.0/16"),
    "page by a mask": (f"{CREATE}, web_access_cidrs: [¦10.8.0.0/255.255.0.0]", "not how a range is", "10.8.0.0/16"),
    "page for IPv6": (f"{CREATE}, web_access_cidrs: [¦'fd00::/8']", "'fd00::/8' is not an IPv4 range", "10.8.0.0/16"),
    "page for a group": (f"{CREATE}, web_access_cidrs: [¦sg-0a1b2c3d]", "is not an IPv4 range", "such as 10.8.0.0/16"),
    "page twice": (f"{CREATE}, web_access_cidrs: [10.8.0.0/16, ¦10.8.0.0/16]", "10.8.0.0/16 is listed twice", "remove"),
    "page that is public": (
        f"{CREATE}, access: public, ¦web_access_cidrs: [10.8.0.0/16]",
        "a public environment has no address in the VPC",
        "write access: private",
    ),
    "option without a section": (f'{CREATE}, options: {{¦parallelism: "4"}}', "is not an option", "section.key"),
    "long option": (f'{CREATE}, options: {{¦core.{"x" * 60}: "4"}}', "has 65 characters", "AIRFLOW__SECTION__KEY"),
    "empty option": (f'{CREATE}, options: {{core.x: ¦""}}', "has 0 characters, and MWAA takes 1 to 65536", "remove it"),
    "option beyond ASCII": (f"{CREATE}, options: {{core.x: ¦ü}}", "is not printable ASCII", "ASCII only"),
    "option with a name": (f'{CREATE}, options: {{core.x: ¦"${{HOST}}"}}', "nothing fills ${HOST}", "write the value"),
    "option with a secret": (
        f'{CREATE}, options: {{core.x: ¦"a-${{OM_JWT}}"}}', "nothing fills ${OM_JWT}", "export AIRFLOW__CORE__X, read"
    ),
    "password of the mail server": (
        f"{CREATE}, options: {{smtp.smtp_password: ¦hunter2hunter2}}", "is a secret", "into connection smtp_default"
    ),
    "name for that password": (
        f'{CREATE}, options: {{smtp.smtp_password: ¦"${{PASSWORD}}"}}', "nothing fills", "into connection smtp_default"
    ),
    "name for a sensitive option": (
        f'{CREATE}, options: {{sentry.sentry_dsn: ¦"${{DSN}}"}}', "nothing fills ${DSN}", "sentry.sentry_dsn_secret: <"
    ),
    "password of another option": (
        f"{CREATE}, options: {{team.api_key: ¦hunter2}}",
        "'team.api_key' is a secret",
        "export AIRFLOW__TEAM__API_KEY, read",
    ),
    "secret that does not name one": (
        f"{CREATE}, options: {{sso.client_secret: ¦hunter2}}", "'sso.client_secret' is a secret", "SSO__CLIENT_SECRET"
    ),
    "transport": (
        f"{CREATE}, options: {{¦celery_broker_transport_options.visibility_timeout: '60'}}",
        "visibility_timeout to 43200, over what is written",
        "remove it",
    ),
    "way to log in": (f"{CREATE}, options: {{¦core.auth_manager: x.Y}}", "sets core.auth_manager itself", "remove"),
    "old Airflow": ("version: ¦2.8.1, class: mw1.small", "2.8.1 is older than 2.9, the oldest", "use one of: 2.9.2"),
    "Airflow 1": ("version: ¦1.10.12, class: mw1.small", "1.10.12 is older than 2.9, the oldest", "use one of: 2.9.2"),
    "one web server at most": (f"{CREATE}, web_servers: ¦{{max: 1}}", "2 to 5 web servers, not 1", "use 2 to 5"),
    "retention": (f"{CREATE}, logs: {{retention_days: ¦100}}", "does not keep logs for 100 days", "use 90, or"),
    "log level": (f"{CREATE}, logs: {{task: {{level: ¦TRACE}}}}", "must be 'CRITICAL'", ""),
    "unknown log": (f"{CREATE}, logs: {{¦triggerer: {{}}}}", "unknown key 'triggerer'", ""),
    "maintenance in other digits": (f"{CREATE}, maintenance_window: ¦'SUN:0३:30'", "not the start of a", "UTC"),
    "alias": (f"{CREATE}, kms_key: ¦alias/data", "is an alias, and MWAA needs", "key/<id>"),
    "multi-region key": (f"{CREATE}, kms_key: ¦{KEY.replace('key/1234', 'key/mrk-1')}", "a multi-region key", "key/"),
    "key elsewhere": (f"{CREATE}, kms_key: ¦{KEY.replace('eu-west', 'eu-south')}", "is in eu-south-1, and", "region"),
    "no key": (f"{CREATE}, kms_key: ¦mine", "not the ARN of a KMS key", "arn:aws:kms"),
    "quarter of an hour": (f"{CREATE}, maintenance_window: ¦SUN:03:15", "not the start of a maintenance", "SUN:03:30"),
    "strategy": (f"{CREATE}, worker_replacement: ¦rolling", "must be 'graceful' or 'forced'", ""),
    "endpoints": (f"{CREATE}, endpoint_management: ¦mine", "must be 'service' or 'customer'", ""),
}  # fmt: skip


@pytest.mark.parametrize(("written", "what", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_named_with_place_and_fix(tmp_path: Path, written: str, what: str, fix: str) -> None:
    """One error for each environment of the project, at its line and column; here the two share it."""
    before, _, _ = PROJECT.replace(CREATE, written).partition(HERE)
    path = write(tmp_path, (CREATE, written.replace(HERE, "")), ("{region: eu-central-1, ", "{region: eu-west-1, "))
    ((place, said, advice),) = errors(path)

    assert place == f"penstock.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    assert what in said
    assert fix in advice
    assert advice


@pytest.mark.parametrize("option", sorted(FIXED_OPTIONS))
def test_option_of_the_service_is_refused(tmp_path: Path, option: str) -> None:
    """MWAA sets it over the user's, and nobody would notice."""
    own = FIXED_OPTIONS[option]
    path = write(tmp_path, (CREATE, f"{CREATE}, options: {{{option}: x}}"))

    said = f"MWAA sets {option} itself" if own is None else f"MWAA sets {option} to {own}"
    assert f"{said}, over what is written here" in [what for _, what, _ in errors(path)]


ELSEWHERE = """version: 3.0.6
    class: mw1.small
    options:
      secrets.backend: airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend
      sentry.sentry_dsn_secret: sentry_dsn
      smtp.smtp_password_secret: mail/password
      team.api_key: not-really-one  # penstock: allow-literal
"""


def test_option_may_name_what_the_secrets_backend_has(tmp_path: Path) -> None:
    """A name is not a secret, and neither is what the user says is not one."""
    edit = (f"airflow: {{create: {{{CREATE}}}}}", f"airflow:\n  create:\n    {ELSEWHERE}")
    airflow = compile_plan(loaded(tmp_path, edit)).airflow

    assert isinstance(airflow, Airflow)
    assert airflow.options["smtp.smtp_password_secret"] == "mail/password"
    assert airflow.options["team.api_key"] == "not-really-one"


def test_option_of_one_environment_is_checked_there(tmp_path: Path) -> None:
    """Once, at its place below the environment."""
    more = "eu-central-1, airflow: {create: {options: {smtp.smtp_password: hunter2}}}, variables"
    ((where, _, fix),) = errors(write(tmp_path, ("eu-central-1, variables", more)))

    assert where == "penstock.yaml:4:81"
    assert "smtp_default" in fix


def _airflow(folder: Path, more: str, kind: str = "mw1.small", version: str = "3.0.6") -> Airflow:
    return compile_plan(loaded(folder, (CREATE, f"version: {version}, class: {kind}{more}"))).airflow


@pytest.mark.parametrize(
    ("kind", "counts"),
    [("mw1.micro", (1, 1, 1, 1, 1)), ("mw1.small", (1, 2, 2, 2, 2)), ("mw1.2xlarge", (1, 2, 2, 2, 2))],
)
def test_counts_fit_the_class_where_nothing_is_said(tmp_path: Path, kind: str, counts: tuple[int, ...]) -> None:
    """mw1.micro has one of each; a service's default that is left out would stay what it was before."""
    airflow = _airflow(tmp_path, "", kind)

    found = (
        airflow.min_workers,
        airflow.max_workers,
        airflow.schedulers,
        airflow.min_web_servers,
        airflow.max_web_servers,
    )
    assert found == counts


@pytest.mark.parametrize(
    ("create", "workers", "servers"),
    [
        (f"{CREATE}, workers: {{min: 3}}, web_servers: {{min: 3}}", (3, 3), (3, 3)),
        (f"{CREATE}, workers: {{min: 1}}, web_servers: {{max: 4}}", (1, 2), (2, 4)),
        (f"{CREATE}, workers: {{max: 7}}, web_servers: {{}}", (1, 7), (2, 2)),
        ("version: 3.0.6, class: mw1.micro, workers: {min: 1}, web_servers: {max: 1}", (1, 1), (1, 1)),
    ],
)
def test_one_number_is_enough(tmp_path: Path, create: str, workers: tuple[int, int], servers: tuple[int, int]) -> None:
    """The other follows from it and from the class."""
    airflow = compile_plan(loaded(tmp_path, (CREATE, create))).airflow

    assert isinstance(airflow, Airflow)
    assert (airflow.min_workers, airflow.max_workers) == workers
    assert (airflow.min_web_servers, airflow.max_web_servers) == servers


def test_settings_reach_the_plan(tmp_path: Path) -> None:
    """Each as it was written, over what the class gives."""
    airflow = _airflow(
        tmp_path,
        ", workers: {min: 3, max: 25}, schedulers: 5, web_servers: {min: 3, max: 5}, access: public_and_private"
        ", web_access_cidrs: [10.8.0.0/16, 192.168.7.9/32], maintenance_window: MON:00:00, worker_replacement: forced"
        ", logs: {retention_days: 7, task: {level: ERROR}}",
        version="3.3.1",
    )

    assert (airflow.min_workers, airflow.max_workers, airflow.schedulers) == (3, 25, 5)
    assert (airflow.min_web_servers, airflow.max_web_servers, airflow.access) == (3, 5, "public_and_private")
    assert airflow.web_access_cidrs == ("10.8.0.0/16", "192.168.7.9/32")
    assert (airflow.maintenance_window, airflow.worker_replacement, airflow.log_retention_days) == (
        "MON:00:00",
        "forced",
        7,
    )
    assert {log.kind: (log.enabled, log.level) for log in airflow.logs} == {
        "dag_processing": (True, "INFO"),
        "scheduler": (True, "INFO"),
        "task": (True, "ERROR"),
        "web_server": (True, "INFO"),
        "worker": (True, "INFO"),
    }


def test_name_bucket_folder_and_role_of_ones_own(tmp_path: Path) -> None:
    """As they are written, a role without its ARN's head; files go to a folder of ours in a bucket that is not."""
    own = "name: Team_A-1, bucket: team, dags: a/dags, execution_role: 'arn:aws:iam::111122223333:role/team/x'"
    plan = compile_plan(loaded(tmp_path, (CREATE, f"{CREATE}, {own}")))
    airflow = plan.airflow

    assert isinstance(airflow, Airflow)
    assert (airflow.name, airflow.bucket, airflow.dags, airflow.execution_role) == (
        "Team_A-1",
        "team",
        "a/dags",
        "team/x",
    )
    assert airflow.requirements is not None
    assert airflow.requirements.key.startswith(f"penstock/{plan.prefix}/requirements/")
    assert str(airflow.plugins).startswith(f"penstock/{plan.prefix}/plugins/")
    assert Plan.from_json(plan.to_json()) == plan


def test_bucket_of_ones_own_is_checked(tmp_path: Path) -> None:
    """Its name, and that MWAA's DAG folder is not that of our files."""
    arn = errors(write(tmp_path, (CREATE, f"{CREATE}, bucket: 'arn:aws:s3:::x'")))
    folder = errors(write(tmp_path, (CREATE, f"{CREATE}, bucket: team, dags: penstock")))

    assert any("not the name of a bucket" in what for _, what, _ in arn)
    assert any("'penstock' is where requirements, plugins" in what for _, what, _ in folder)


@pytest.mark.parametrize(
    "airflow",
    [
        "create: {version: 3.0.6, dags: DAGS}",
        "self_managed: {version: 3.0.6, dags: DAGS}",
        "use: {environment: a, version: 3.0.6, bucket: abc, execution_role: x, dags: DAGS}",
    ],
)
def test_folder_that_no_upload_can_fill(tmp_path: Path, airflow: str) -> None:
    """CDK takes 102 characters of a folder, and ours is below it; up to there it is taken."""
    whole = "airflow: {create: {version: 3.0.6, class: mw1.small}}"
    room = MAX_UPLOAD_FOLDER - len("/acme-dev/release")
    long, short = ((whole, f"airflow: {{{airflow.replace('DAGS', 'd' * size)}}}") for size in (room + 1, room))
    with pytest.raises(InputErrors, match=f"room for {room} before /acme-dev/"):
        compile_plan(loaded(tmp_path / "long", long))

    assert compile_plan(loaded(tmp_path / "short", short))


def test_one_name_is_one_environments(tmp_path: Path) -> None:
    """Two that would be made under one name in one account and region; elsewhere it is free."""
    named = (CREATE, f"{CREATE}, name: team")
    both = ("environments:\n", "environments:\n  other: {region: eu-west-1}\n")
    (error,) = errors(write(tmp_path, named, both))
    apart = ("environments:\n", "environments:\n  other: {region: eu-north-1}\n")

    assert "both create the MWAA environment 'team' in eu-west-1" in error[1]
    assert "give each a name of its own" in error[2]
    assert loaded(tmp_path, named, apart)


@pytest.mark.parametrize(
    ("more", "warning"),
    [
        (", workers: {max: 26}", "penstock.yaml:6:63: 26 workers need a raised quota: an account has 25"),
        (", requirements: {file: r.txt}", "reaches no package index and starts without these packages"),
    ],
)
def test_what_may_not_be_meant_is_warned_of(tmp_path: Path, more: str, warning: str) -> None:
    """With its place; without it there is no warning."""
    files = {"r.txt": "tabulate\n"}
    plan = compile_plan(loaded(tmp_path, (CREATE, CREATE + more), files=files))

    assert warning in "".join(plan.warnings)
    assert compile_plan(loaded(tmp_path)).warnings == ()


def test_endpoints_that_penstock_makes_are_nobodys_business(tmp_path: Path) -> None:
    """In a VPC of one's own there is nothing to do by hand, so nothing is said."""
    assert compile_plan(loaded(tmp_path, (CREATE, f"{CREATE}, endpoint_management: customer"))).warnings == ()


def test_more_dags_than_the_class_is_made_for(tmp_path: Path) -> None:
    """A warning: they run, slowly."""
    listed = "".join(f'  - {{name: s{number}, job: warehouse, interval: "@daily"}}\n' for number in range(50))
    plan = compile_plan(loaded(tmp_path, ("schedules:\n", f"schedules:\n{listed}")))

    assert plan.warnings == ("penstock.yaml:6:43: 51 DAGs, and mw1.small is made for up to 50",)
