"""What the execution role of an environment may do besides: in the plan, refused, missed where a backend needs it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.compile.compiler import compile_plan
from penstock.deployed import needs
from penstock.project.load import load
from penstock_runtime.errors import InputError
from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import Permission
from penstock_runtime.release import infrastructure
from tests.unit.project_files import PROJECT, errors, loaded, write

HERE = "¦"
"""In a mistake: right behind it is where the error must point."""
CREATE = "version: 3.0.6, class: mw1.small"
PLACE = "airflow.providers.amazon.aws.secrets"
SECRETS = f"{PLACE}.secrets_manager.SecretsManagerBackend"
PARAMETERS = f"{PLACE}.systems_manager.SystemsManagerParameterStoreBackend"
MANY = ", ".join(f"'arn:aws:s3:::{'b' * 60}-{number}/*'" for number in range(80))

MISTAKES = {
    # name: (a permission, part of what, part of fix)
    "no action": ("{actions: [¦GetTables], resources: ['*'], reason: x}", "is not an action", "glue:GetTables"),
    "any resource": ("{actions: ['glue:GetTables'], resources: [¦'*']}", "has no reason", "add reason"),
    "any secret": (
        "{actions: ['secretsmanager:GetSecretValue'], resources: [¦'*'], reason: x}",
        "secretsmanager actions on any resource",
        "name the resources",
    ),
    "variable": ("{actions: ['s3:GetObject'], resources: [¦'arn:aws:s3:::${NONE}/*']}", "no variable 'NONE'", "HOST"),
    "no resource": ("{actions: ['s3:GetObject'], ¦resources: []}", "", ""),
}


@pytest.mark.parametrize(("permission", "what", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_named_with_place_and_fix(tmp_path: Path, permission: str, what: str, fix: str) -> None:
    """The same guards as a task's `permissions` have."""
    written = f"{CREATE}, permissions: [{permission}]"
    before, _, _ = PROJECT.replace(CREATE, written).partition(HERE)
    (place, said, advice), *_ = errors(write(tmp_path, (CREATE, written.replace(HERE, ""))))

    assert place.startswith(f"penstock.yaml:{before.count(chr(10)) + 1}:")
    assert what in said
    assert fix in advice


def test_more_than_the_role_has_room_for(tmp_path: Path) -> None:
    """MWAA and our DAGs share the 10,240 characters of a role's inline policies with them."""
    permission = f"{{actions: ['s3:GetObject'], resources: [{MANY}]}}"
    ((place, what, _),) = errors(write(tmp_path, (CREATE, f"{CREATE}, permissions: [{permission}]")))

    assert place.startswith("penstock.yaml:6:")
    assert "and its role has room for 6000" in what


def test_permissions_reach_the_plan_with_their_variables(tmp_path: Path) -> None:
    """An override of a variable counts, as it does for a task's."""
    permission = "{actions: ['s3:Get*'], resources: ['arn:aws:s3:::${HOST}/*'], reason: x}"
    project = loaded(tmp_path, (CREATE, f"{CREATE}, permissions: [{permission}]"))

    environments = [compile_plan(project, "dev", variables=one).airflow for one in (None, {"HOST": "other"})]
    assert all(isinstance(one, Airflow) for one in environments)
    assert [one.permissions for one in environments if isinstance(one, Airflow)] == [
        (Permission(("s3:Get*",), (f"arn:aws:s3:::{bucket}/*",), {}, "x"),) for bucket in ("dev.acme.internal", "other")
    ]
    plan = compile_plan(project, "dev")
    assert Plan.from_json(plan.to_json()) == plan


def test_a_variable_of_the_command_line_is_checked_too(tmp_path: Path) -> None:
    """As for a task's permissions: its value may ask for more than the project's own does."""
    permission = (
        "{actions: ['secretsmanager:GetSecretValue'], resources: ['arn:aws:secretsmanager:*:*:secret:${HOST}']}"
    )
    project = loaded(tmp_path, (CREATE, f"{CREATE}, permissions: [{permission}]"))

    assert compile_plan(project, "dev")
    with pytest.raises(InputError, match="secretsmanager actions on any resource") as caught:
        compile_plan(project, "dev", variables={"HOST": "*"})
    assert "penstock.yaml:6:" in str(caught.value)


def test_a_push_leaves_them_to_the_next_deploy(tmp_path: Path) -> None:
    """They are the role's, which a push does not touch; it says that they wait. So do ranges that reach the page."""
    plan = compile_plan(loaded(tmp_path), "dev")
    assert isinstance(plan.airflow, Airflow)
    more = Permission(("glue:GetTables",), ("*",), {}, "x")
    airflow = dataclasses.replace(plan.airflow, permissions=(more,), web_access_cidrs=("10.8.0.0/16",))
    before, after = (
        json.loads(json.dumps(infrastructure.describe(one, runtime_sha256="a" * 64, images={}, account=None)))
        for one in (plan, dataclasses.replace(plan, airflow=airflow))
    )

    assert needs.lacking(before, after, plan) == []
    (waiting,) = needs.waiting(before, after)
    assert waiting == "airflow: permissions [] → [glue:GetTables on *], web_access_cidrs [] → [10.8.0.0/16]"


def backend(
    folder: Path, options: dict[str, Any], permissions: list[Any], dev: dict[str, str] | None = None
) -> list[str]:
    """What `dev` is warned of, with these options and permissions of its environment."""
    text = yaml.safe_load(write(folder).read_text())
    text["airflow"]["create"] |= {"options": options, "permissions": permissions}
    text["environments"]["dev"] |= dev or {}
    (folder / "penstock.yaml").write_text(yaml.safe_dump(text))
    return [warning for warning in compile_plan(load(folder / "penstock.yaml"), "dev").warnings if "backend" in warning]


def kwargs(name: str, **given: Any) -> dict[str, str]:
    return {"secrets.backend": name, "secrets.backend_kwargs": json.dumps(given)}


SECRET, PARAMETER = "arn:aws:secretsmanager:eu-west-1:*:secret:", "arn:aws:ssm:eu-west-1:*:parameter/"
LACKING: dict[str, tuple[dict[str, str], str, list[str]]] = {
    # name: (options, action, resources)
    "secrets": (
        {"secrets.backend": SECRETS},
        "secretsmanager:GetSecretValue",
        [f"{SECRET}airflow/connections/*", f"{SECRET}airflow/variables/*"],
    ),
    "parameters": (
        {"secrets.backend": PARAMETERS},
        "ssm:GetParameter",
        [f"{PARAMETER}airflow/connections/*", f"{PARAMETER}airflow/variables/*"],
    ),
    "prefixes": (
        kwargs(SECRETS, connections_prefix="team/connections/", variables_prefix=None, sep="/"),
        "secretsmanager:GetSecretValue",
        [f"{SECRET}team/connections/*"],
    ),
    "prefix of parameters": (
        kwargs(PARAMETERS, connections_prefix="/team", variables_prefix="/team", region_name="us-east-1"),
        "ssm:GetParameter",
        ["arn:aws:ssm:us-east-1:*:parameter/team/*"],
    ),
    "no prefix": (
        kwargs(SECRETS, connections_prefix="", variables_prefix=None),
        "secretsmanager:GetSecretValue",
        [f"{SECRET}<name>-??????"],
    ),
    "an option's value there": (
        {"secrets.backend": SECRETS, "sentry.sentry_dsn_secret": "dsn"},
        "secretsmanager:GetSecretValue",
        [f"{SECRET}airflow/connections/*", f"{SECRET}airflow/variables/*", f"{SECRET}airflow/config/*"],
    ),
    "a role of its own": (
        kwargs(SECRETS, role_arn="arn:aws:iam::444455556666:role/reader"),
        "sts:AssumeRole",
        ["arn:aws:iam::444455556666:role/reader"],
    ),
}


@pytest.mark.parametrize(("options", "action", "resources"), LACKING.values(), ids=LACKING)
def test_backend_that_the_role_may_not_read(
    tmp_path: Path, options: dict[str, str], action: str, resources: list[str]
) -> None:
    """A warning with the permission written out; unchanged, or with its placeholder filled, it is what was lacking."""
    (warning,) = backend(tmp_path, options, [])
    place, _, permission = warning.partition("permissions: ")

    assert place.startswith("penstock.yaml:")
    assert "add to airflow.create" in place
    (written,) = yaml.safe_load(permission)
    assert written == {"actions": [action], "resources": resources}
    filled = {**written, "resources": [resource.replace("<name>", "acme") for resource in resources]}
    assert backend(tmp_path, options, [filled]) == []


ARN = "arn:aws:{}:eu-west-1:111122223333:"
BOTH = [f"{ARN.format('secretsmanager')}secret:airflow/{kind}/*" for kind in ("connections", "variables")]
ENOUGH: dict[str, tuple[dict[str, str], list[str], list[str]]] = {
    "no backend": ({}, [], []),
    "a backend of one's own": ({"secrets.backend": "acme.secrets.Backend"}, [], []),
    "all that reads": ({"secrets.backend": SECRETS}, ["secretsmanager:Get*"], BOTH),
    "all below a prefix": (
        {"secrets.backend": SECRETS},
        ["secretsmanager:GetSecretValue"],
        [f"{ARN.format('secretsmanager')}secret:airflow/*"],
    ),
    "single ones": (
        {"secrets.backend": SECRETS},
        ["secretsmanager:GetSecretValue"],
        [f"{BOTH[0][:-1]}warehouse-??????", f"{BOTH[1][:-1]}team-??????"],
    ),
    "other capitals": (
        {"secrets.backend": PARAMETERS},
        ["ssm:getparameter"],
        [f"{ARN.format('ssm')}parameter/airflow/*"],
    ),
    "nothing looked up": (kwargs(SECRETS, connections_prefix=None, variables_prefix=None), [], []),
    "other credentials": (kwargs(SECRETS, profile_name="team"), [], []),
}


@pytest.mark.parametrize(("options", "actions", "resources"), ENOUGH.values(), ids=ENOUGH)
def test_backend_that_lacks_nothing(
    tmp_path: Path, options: dict[str, str], actions: list[str], resources: list[str]
) -> None:
    """Nor is a permission reported for something else; single connections are a choice."""
    assert backend(tmp_path, options, [{"actions": actions, "resources": resources}] if actions else []) == []


def test_backend_that_may_read_one_kind_of_two(tmp_path: Path) -> None:
    """Connections that nobody may read are said, variables that the role reads are not."""
    (warning,) = backend(
        tmp_path,
        {"secrets.backend": SECRETS},
        [{"actions": ["secretsmanager:GetSecretValue"], "resources": [BOTH[1]]}],
    )

    assert "secret:airflow/connections/*" in warning
    assert "airflow/variables" not in warning


def test_another_permission_is_none_for_the_backend(tmp_path: Path) -> None:
    """The account, where it is known, and the partition are those of the environment."""
    other = {"actions": ["ssm:Get*"], "resources": ["*"], "reason": "x"}
    place = {"account": "111122223333", "region": "us-gov-west-1"}
    (warning,) = backend(tmp_path, {"secrets.backend": SECRETS}, [other], place)

    assert '"arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:airflow/connections/*"' in warning


@pytest.mark.parametrize(
    ("action", "more", "told"),
    [
        (
            "glue:GetTables",
            "",
            "Airflow may call glue, and no VPC endpoint leads there: add glue to network.create.more",
        ),
        ("glue:GetTables", ", more_endpoints: [glue]", None),
        ("s3:GetObject", "", None),
        ("airflow:GetEnvironment", "", None),
        ("logs:GetLogEvents", ", without_endpoints: [logs]", "take logs out of network.create.without_endpoints"),
    ],
)
def test_permission_without_an_endpoint_is_a_warning(tmp_path: Path, action: str, more: str, told: str | None) -> None:
    """In a network without internet a call that is allowed may still lead nowhere; each service is reported once."""
    text = yaml.safe_load(write(tmp_path).read_text())
    permission = {"actions": [action], "resources": ["*"], "reason": "x"}
    text["airflow"]["create"]["permissions"] = [permission, permission]
    text["network"] = yaml.safe_load(f"create: {{egress: endpoints{more}}}")
    text["meltano"]["image"] = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/m:1"
    text["images"] = {"openmetadata": {"mirror": "111122223333.dkr.ecr.eu-west-1.amazonaws.com"}}
    text["openmetadata"]["server"] = "https://catalog.acme.internal/api"
    (tmp_path / "penstock.yaml").write_text(yaml.safe_dump(text))
    warned = compile_plan(load(tmp_path / "penstock.yaml"), "dev").warnings

    warnings = [one for one in warned if "Airflow may call" in one]
    assert len(warnings) == (told is not None)
    assert told is None or told in warnings[0]
