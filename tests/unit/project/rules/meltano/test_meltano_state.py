"""Where a Meltano project keeps its state, and what else Penstock sets that its files say otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.local import existing
from penstock.project.rules.meltano.overrides import REASONS
from penstock_runtime.container.engines.meltano import FIXED
from penstock_runtime.plan.plan import Plan
from tests.unit.project_files import MELTANO, errors, loaded, write

Edit = tuple[str, str]
OWN = "state_backend:\n  uri: s3://acme-meltano-state/prod\n"
PROD = "environment: prod}"
LACKING = (
    '{actions: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], '
    'resources: ["arn:aws:s3:::acme-meltano-state/prod/*"]}, '
    '{actions: ["s3:ListBucket"], resources: ["arn:aws:s3:::acme-meltano-state"]}'
)


def _plan(folder: Path, more: str, *edits: Edit) -> Plan:
    return compile_plan(loaded(folder, *edits, files={"meltano/meltano.yml": MELTANO + more}))


def _state(plan: Plan) -> list[str | None]:
    return [definition.meltano_state for definition in plan.task_definitions if definition.engine == "meltano"]


def _said(plan: Plan, word: str) -> list[str]:
    return [warning for warning in plan.warnings if word in warning]


def test_penstock_keeps_the_state_where_the_project_says_nothing(tmp_path: Path) -> None:
    """In the artifacts bucket, without a word: Meltano's default would be lost with the container."""
    plan = _plan(tmp_path, "")

    assert (_state(plan), _said(plan, "state")) == ([None], [])


def test_a_state_backend_of_its_own_is_used(tmp_path: Path) -> None:
    """The first run would load everything once more; what its tasks may not do is said, and that fix is enough."""
    plan = _plan(tmp_path / "a", OWN)
    granted = _plan(tmp_path / "b", OWN, (PROD, f"environment: prod, permissions: [{LACKING}]}}"))

    assert _state(plan) == _state(granted) == ["s3://acme-meltano-state/prod"]
    assert _said(plan, "keeps its state") == [
        "meltano/meltano.yml:6:8: Meltano keeps its state in the bucket acme-meltano-state, and its tasks may not use "
        f"that: add to meltano permissions: [{LACKING}]"
    ]
    assert _said(granted, "state") == []


def test_embedded_aws_has_a_bucket_in_its_place(tmp_path: Path) -> None:
    """On AWS it exists."""
    assert existing.template(_plan(tmp_path, OWN)).keys() == {"StateBucket0"}


def test_its_state_at_the_top_of_a_bucket(tmp_path: Path) -> None:
    """IAM's wildcard over a whole bucket has a reason, so that the fix is valid."""
    text = _said(_plan(tmp_path / "a", "state_backend.uri: s3://own\n"), "keeps its state")[0]
    permissions = text.split("permissions: ")[1]
    plan = _plan(
        tmp_path / "b", "state_backend.uri: s3://own\n", (PROD, f"environment: prod, permissions: {permissions}}}")
    )

    assert _said(plan, "state") == []


@pytest.mark.parametrize(
    ("more", "edit", "state"),
    [
        ("env: {MELTANO_STATE_BACKEND_URI: s3://b/p}\n", None, "s3://b/p"),
        ("state_backend: {uri: 's3://$HOST/x'}\n", None, "s3://dev.acme.internal/x"),
        ("state_backend: {uri: $PASSWORD}\n", None, "a secret"),
        ("state_backend: {uri: s3://KEY:SECRET@b/p}\n", None, "s3://b/p"),
        ("", ("  OM_JWT:", "  MELTANO_STATE_BACKEND_URI: secretsmanager:x\n  OM_JWT:"), "a secret"),
        ("", ("\nvariables: {", "\nvariables: {MELTANO_STATE_BACKEND_URI: s3://v, "), "s3://v"),
    ],
)
def test_state_may_be_said_in_other_ways(tmp_path: Path, more: str, edit: Edit | None, state: str) -> None:
    """By `env`, by reference, by Meltano's own name under secrets or variables; never with credentials in the plan."""
    assert _state(_plan(tmp_path, more, *filter(None, [edit]))) == [state]


@pytest.mark.parametrize(
    ("more", "image"),
    [
        ("database_uri: postgresql://db/meltano\n", "meltano[postgres]"),
        ("state_backend: {uri: azure://x/y}\n", "meltano[azure]"),
        ("state_backend: {uri: gs://x/y}\n", "meltano[gcs]"),
    ],
)
def test_backend_that_the_image_lacks_is_an_error(tmp_path: Path, more: str, image: str) -> None:
    """The image that Penstock builds has Meltano's S3 backend; in one of the team's it is used."""
    _, what, fix = errors(write(tmp_path / "a", files={"meltano/meltano.yml": MELTANO + more}))[0]
    plan = _plan(tmp_path / "b", more, (PROD, "environment: prod, image: x/y:1}"))

    assert ("for S3 only" in what, image in fix) == (True, True)
    assert _state(plan) not in ([None], [])


@pytest.mark.parametrize(
    "more",
    [
        "state_backend: {uri: file:///var/state}\n",
        "state_backend: {uri: systemdb}\n",
        "state_backend: {uri: systemdb}\ndatabase_uri: sqlite:///x.db\n",
    ],
)
def test_state_inside_the_container_gives_way_and_is_told(tmp_path: Path, more: str) -> None:
    """It would be gone after every run."""
    plan = _plan(tmp_path, more)

    assert _state(plan) == [None]
    assert len(_said(plan, "Penstock keeps the state in its own bucket")) == 1


def test_state_that_would_be_lost_is_an_error(tmp_path: Path) -> None:
    """`env` at the top of `meltano.yml` wins over the process, so that nothing can be set in its place."""
    more = "env: {MELTANO_STATE_BACKEND_URI: file:///x}\n"
    place, what, _ = errors(write(tmp_path, files={"meltano/meltano.yml": MELTANO + more}))[0]

    assert (place, "in a container that is gone after the run" in what) == ("meltano/meltano.yml:5:34", True)


def test_every_fixed_variable_has_a_reason() -> None:
    """It is what people are told."""
    assert REASONS.keys() == FIXED.keys()


@pytest.mark.parametrize(
    "setting", ["auto_install: true", "project_readonly: false", "send_anonymous_usage_stats: true"]
)
def test_setting_that_penstock_overrides_is_a_warning(tmp_path: Path, setting: str) -> None:
    """The same value as ours is none."""
    name, value = setting.split(": ")
    same = f"{name}: {'false' if value == 'true' else 'true'}\n"

    assert len(_said(_plan(tmp_path / "a", f"{setting}\n"), f"{name} is ")) == 1
    assert _said(_plan(tmp_path / "b", same), name) == []


@pytest.mark.parametrize(
    "edit",
    [
        ("\nvariables: {", "\nvariables: {MELTANO_AUTO_INSTALL: 'true', "),
        ("meltano: tap-a target-b}", "meltano: tap-a target-b, env: {MELTANO_AUTO_INSTALL: '1'}}"),
        ("    timezone:", "    env: {MELTANO_AUTO_INSTALL: '1'}\n    timezone:"),
    ],
)
def test_variable_that_penstock_sets_itself_is_an_error(tmp_path: Path, edit: Edit) -> None:
    """The engine's value wins, whatever the run says."""
    _, what, fix = errors(write(tmp_path, edit))[0]

    assert what.startswith("Penstock sets MELTANO_AUTO_INSTALL to false for every run of Meltano's: plugins are in")
    assert fix == "remove MELTANO_AUTO_INSTALL"


def test_environment_is_named_in_one_place(tmp_path: Path) -> None:
    """A variable of that name would give way to `meltano.environment`."""
    edit = ("\nvariables: {", "\nvariables: {MELTANO_ENVIRONMENT: dev, ")
    _, what, _ = errors(write(tmp_path, edit))[0]

    assert what == "Penstock sets MELTANO_ENVIRONMENT from meltano.environment"


def test_log_settings_of_the_project_are_kept(tmp_path: Path) -> None:
    """The engine has other defaults, which would win over `meltano.yml`; a task's own variable wins over both."""
    cli = "cli: {log_level: debug, log_format: json}\n"
    own = ("meltano: tap-a target-b}", "meltano: tap-a target-b, env: {MELTANO_CLI_LOG_LEVEL: error}}")
    variables = [
        {name: value for name, value in task.environment.items() if name.startswith("MELTANO_CLI")}
        for plan in (_plan(tmp_path / "a", cli), _plan(tmp_path / "b", cli, own))
        for task in plan.schedules[0].tasks
        if task.engine == "meltano"
    ]

    assert variables == [
        {"MELTANO_CLI_LOG_LEVEL": "debug", "MELTANO_CLI_LOG_FORMAT": "json"},
        {"MELTANO_CLI_LOG_LEVEL": "error", "MELTANO_CLI_LOG_FORMAT": "json"},
    ]
