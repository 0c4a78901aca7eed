"""References and settings in Meltano's files, and what of them reaches a run. Tried with Meltano 4.4.1."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime.plan.plan import Plan
from tests.unit.project_files import errors, loaded, write

Edit = tuple[str, str]
BASE = """\
default_environment: prod
environments:
- name: prod
  env: {OF_ENV: "$HOST", OF_TOP: $BASE}
  config: {plugins: {loaders: [{name: target-b, env: {OVER: x}}]}}
- {name: dev, env: {X: $NOT_USED}}
env: {BASE: text}
plugins:
  extractors:
  - name: tap-a
    namespace: tap_n
    settings: [{name: host, value: $HOST}, {name: token, kind: password, aliases: [key]}, {name: api.base_url}]
    env: {P: $OF_ENV}
    config: {a: "$P $BASE $OF_ENV $MELTANO_PROJECT_ROOT $HOME", b: '\\$NOT_MINE $lower'}
    select: ["$TAP_A_HOST.*"]
  loaders: [{name: target-b, config: {password: $PASSWORD, over: $OVER}}]
  utilities: [{name: never-run, config: {x: $NOBODY}}]
schedules: [{name: s, extractor: tap-a, loader: target-b, transform: skip, interval: "@daily"}]
"""
SECRETS, VARIABLES = "secrets:\n", "\nvariables: {"


def _plan(folder: Path, text: str = BASE, *edits: Edit, env: str | None = None) -> Plan:
    files = {"meltano/meltano.yml": text, **({"meltano/.env": env} if env is not None else {})}
    return compile_plan(loaded(folder, *edits, files=files))


def _first(folder: Path, text: str, *edits: Edit, env: str = "") -> tuple[str, str, str]:
    return errors(write(folder, *edits, files={"meltano/meltano.yml": text, "meltano/.env": env}))[0]


def _warnings(plan: Plan) -> list[str]:
    return [warning for warning in plan.warnings if "meltano" in warning or "reaches no task" in warning]


def _meltano_names(plan: Plan) -> set[str]:
    return {
        name
        for schedule in plan.schedules
        for task in schedule.tasks
        if task.engine == "meltano"
        for name in task.names
    }


def test_what_meltano_fills_is_no_fault(tmp_path: Path) -> None:
    """From the process, `env` of top, environment and plugin, and Meltano's own; other environments do not count."""
    assert _warnings(_plan(tmp_path)) == []


UNFILLED = {
    # name: (old, new, part of what, part of fix)
    "config": ("password: $PASSWORD", 'password: "${PASWORD}"', "${PASWORD} is neither a secret", "'PASSWORD'"),
    "bare": ("password: $PASSWORD", "password: $OTHER_TOKEN", "${OTHER_TOKEN} is neither", "declare OTHER_TOKEN under"),
    "default": ("value: $HOST", "value: $HOSTT", "${HOSTT} is neither", "'HOST'"),
    "extra": ("$TAP_A_HOST", "$TAP_B_HOST", "${TAP_B_HOST} is neither", "declare TAP_B_HOST"),
    "setting of the plugin": ("b: '", "b: '$TAP_A_HOST", "${TAP_A_HOST} is neither", "declare TAP_A_HOST"),
    "environment": ('OF_ENV: "$HOST"', 'OF_ENV: "$HOTS"', "${HOTS} is neither", "'HOST'"),
    "of the same env": ("OF_TOP: $BASE", "OF_TOP: $OF_ENV", "${OF_ENV} is neither", "declare OF_ENV"),
    "env of a plugin": ("P: $OF_ENV", "P: $PASSWORD", "leaves $PASSWORD empty in", "env: {PASSWORD: ${PASSWORD}}"),
    "Meltano's own in it": ("P: $OF_ENV", "P: $MELTANO_PROJECT_ROOT", "leaves $MELTANO_PROJECT_ROOT", "name: prod"),
    "env at the top": ("BASE: text", "BASE: text, Y: $PASSWORD", "$PASSWORD in env at the top", "prod, env: {Y: $PASS"),
    "with a default": ("over: $OVER", 'over: "${OVER:-x}"', "does not fill ${OVER:-x}", "allow-literal"),
    "pip_url": ("namespace: tap_n", "pip_url: git+${PASSWORD}@x", "where its image is built", "meltano.image"),
    "its own setting": ("schedules:", "database_uri: $URI_\nschedules:", "${URI_} is neither", "declare"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "what", "fix"), UNFILLED.values(), ids=UNFILLED)
def test_reference_that_nothing_fills_is_an_error(tmp_path: Path, old: str, new: str, what: str, fix: str) -> None:
    """Meltano leaves it empty, or passes it on as text, without a word."""
    assert BASE.count(old) == 1
    place, said, advice = _first(tmp_path, BASE.replace(old, new))

    assert place.startswith("meltano/meltano.yml:")
    assert (what in said, fix in advice) == (True, True), (said, advice)


def test_reference_that_base_env_needs_may_stay(tmp_path: Path) -> None:
    """`env` of the environment is filled from `env` at the top after that is."""
    assert _warnings(_plan(tmp_path, BASE.replace("BASE: text", "BASE: $HOST"))) == []


def test_plugin_has_the_env_of_what_it_inherits_from(tmp_path: Path) -> None:
    """And its settings, under its own name."""
    child = "  - {name: tap-child, inherit_from: tap-a, config: {x: $P}}\n"
    text = BASE.replace("  loaders:", child + "  loaders:").replace("extractor: tap-a", "extractor: tap-child")
    secret = (SECRETS, f"{SECRETS}  TAP_CHILD_TOKEN: secretsmanager:a\n")
    plan = _plan(tmp_path, text, secret)

    assert (_warnings(plan), "TAP_CHILD_TOKEN" in _meltano_names(plan)) == ([], True)


def test_line_may_say_that_a_text_is_meant(tmp_path: Path) -> None:
    """By the comment that allows a literal secret."""
    text = BASE.replace("over: $OVER}}]", "over: $WHATEVER}}] # penstock: allow-literal")

    assert _warnings(_plan(tmp_path, text)) == []


def test_image_of_the_team_may_hold_more(tmp_path: Path) -> None:
    """What it sets, nobody can see here: a warning."""
    named = ("environment: prod}", "environment: prod, image: x/y:1}")
    text = BASE.replace("over: $OVER", "over: $OF_IMAGE")

    assert any(
        "nothing is wrong if the image itself sets it" in warning for warning in _plan(tmp_path, text, named).warnings
    )
    assert _warnings(_plan(tmp_path / "b", text, named, env="OF_IMAGE=x\n")) == []


def test_secret_under_meltanos_name_for_a_setting_reaches_its_tasks(tmp_path: Path) -> None:
    """That is how Meltano's users give a setting: by its variable. Nobody else's task gets it."""
    secret = (SECRETS, f"{SECRETS}  TAP_A_TOKEN: secretsmanager:a\n  TAP_N_KEY: secretsmanager:b\n")
    variable = (VARIABLES, f"{VARIABLES}TAP_A_API_BASE_URL: https://x, TARGET_B_ANY: y, TAP_A__SELECT: '[]', ")
    plan = _plan(tmp_path, BASE, secret, variable)
    others = {
        name
        for schedule in plan.schedules
        for task in schedule.tasks
        if task.engine != "meltano"
        for name in task.names
    }

    assert {"TAP_A_TOKEN", "TAP_N_KEY", "TAP_A_API_BASE_URL", "TARGET_B_ANY", "TAP_A__SELECT"} <= _meltano_names(plan)
    assert not others & {"TAP_A_TOKEN", "TAP_A_API_BASE_URL"}
    assert _warnings(plan) == []


def test_setting_reaches_exactly_the_tasks_that_run_its_plugin(tmp_path: Path) -> None:
    """A second schedule runs another tap, and a job a third way: each has the secret of its own."""
    secret = (SECRETS, f"{SECRETS}  TAP_A_TOKEN: secretsmanager:a\n  TAP_Z_KEY: secretsmanager:b\n")
    text = BASE.replace("  loaders:", "  - {name: tap-z, settings: [{name: key}]}\n  loaders:")
    other = '{name: z, extractor: tap-z, loader: target-b, transform: skip, interval: "@daily"}'
    text = text.replace("schedules: [", f"schedules: [{other}, ")
    plan = _plan(tmp_path, text, secret, ("meltano: tap-a target-b", "meltano: tap-z target-b"))
    names = {schedule.name: {*schedule.tasks[0].names} & {"TAP_A_TOKEN", "TAP_Z_KEY"} for schedule in plan.schedules}

    assert names == {"s": {"TAP_A_TOKEN"}, "z": {"TAP_Z_KEY"}, "daily": {"TAP_Z_KEY"}}
    assert _warnings(plan) == []


def test_name_that_is_no_setting_reaches_nothing_and_is_told(tmp_path: Path) -> None:
    """With what is meant, where a setting has nearly that name. Plugins that nothing runs do not count."""
    secret = (SECRETS, f"{SECRETS}  TAP_A_TOKN: secretsmanager:a\n  NEVER_RUN_X: secretsmanager:b\n")
    plan = _plan(tmp_path, BASE, secret, (VARIABLES, f"{VARIABLES}LOST: x, "))
    place = "penstock.yaml:13:15"

    assert _warnings(plan) == [
        f"{place}: secret TAP_A_TOKN reaches no task: did you mean 'TAP_A_TOKEN'? add it to meltano.secrets, write "
        "${TAP_A_TOKN} where it is needed, or remove it",
        "penstock.yaml:14:16: secret NEVER_RUN_X reaches no task: add it to meltano.secrets, write ${NEVER_RUN_X} "
        "where it is needed, or remove it",
        "penstock.yaml:17:19: variable LOST reaches no task: write ${LOST} where it is needed, in meltano.yml too, or "
        "remove it",
    ]
    fixed = ("environment: prod}", "environment: prod, secrets: [TAP_A_TOKN, NEVER_RUN_X]}")
    assert _warnings(_plan(tmp_path / "b", BASE, secret, fixed)) == []


def test_settings_of_a_lock_file_are_known(tmp_path: Path) -> None:
    """A plugin from the Hub has its settings there, and not in `meltano.yml`."""
    lines = [line for line in BASE.splitlines(keepends=True) if "settings:" not in line and "tap_n" not in line]
    lock = '{"namespace": "tap_lock", "settings": [{"name": "user.name"}]}'
    files = {"meltano/meltano.yml": "".join(lines), "meltano/plugins/extractors/tap-a--x.lock": lock}
    edits = (SECRETS, f"{SECRETS}  TAP_LOCK_USER_NAME: secretsmanager:a\n  TAP_A_OTHER: secretsmanager:b\n")
    plan = compile_plan(loaded(tmp_path, edits, files=files))

    assert {"TAP_LOCK_USER_NAME", "TAP_A_OTHER"} & _meltano_names(plan) == {"TAP_LOCK_USER_NAME"}


def test_dotenv_is_not_in_the_image_and_that_is_said(tmp_path: Path) -> None:
    """With names only, never values."""
    plan = _plan(tmp_path, BASE, env="TAP_A_TOKEN=hunter2\nexport MELTANO_STATE_BACKEND_URI='s3://x'\nOTHER=1\n")
    place, _, fix = _first(tmp_path / "b", BASE.replace("$PASSWORD", '"${PASWORD}"'), env="PASWORD=x\n")

    assert [warning.split(": ", 1)[1][:60] for warning in _warnings(plan)] == [
        "MELTANO_STATE_BACKEND_URI is set in .env, which does not go ",
        "TAP_A_TOKEN is set in .env, which does not go into the image",
    ]
    assert "hunter2" not in str(plan.warnings)
    assert place.startswith("meltano/meltano.yml:")
    assert fix.startswith(
        "declare PASWORD under secrets or variables in penstock.yaml: .env does not go into the image"
    )


ENV = "transform: skip, env: {TAP_A_TOKEN: %s}, "


def test_secret_in_env_of_a_schedule_is_an_error_whose_fix_works(tmp_path: Path) -> None:
    """Meltano takes a variable of a process unchanged: the tap would get the text $PASSWORD."""
    for number, reference in enumerate(("$PASSWORD", '"${PASSWORD}"')):
        text = BASE.replace("transform: skip, ", ENV % reference)
        place, what, fix = _first(tmp_path / str(number), text)
        assert (place[:22], "Meltano never fills a variable of a process" in what) == ("meltano/meltano.yml:18", True)
    assert (
        "write secrets: {TAP_A_TOKEN: 'secretsmanager:warehouse#password'} and meltano: {secrets: [TAP_A_TOKEN]}" in fix
    )

    secret = (SECRETS, f"{SECRETS}  TAP_A_TOKEN: 'secretsmanager:warehouse#password'\n")
    plan = _plan(tmp_path / "fixed", BASE, secret, ("environment: prod}", "environment: prod, secrets: [TAP_A_TOKEN]}"))
    assert "TAP_A_TOKEN" in {secret.name for definition in plan.task_definitions for secret in definition.secrets}


def test_variable_in_env_of_a_schedule(tmp_path: Path) -> None:
    """In braces Penstock fills it; without, nobody does. A literal secret's fix names a way that works."""
    filled = _plan(tmp_path / "a", BASE.replace("transform: skip, ", ENV % '"x-${HOST}"'))
    _, bare, fix = _first(tmp_path / "b", BASE.replace("transform: skip, ", ENV % "$HOST"))
    _, unknown, meant = _first(tmp_path / "c", BASE.replace("transform: skip, ", ENV % '"${HOSTT}"'))
    _, literal, advice = _first(tmp_path / "d", BASE.replace("transform: skip, ", ENV % "hunter2"))
    (task,) = [task for schedule in filled.schedules if schedule.name == "s" for task in schedule.tasks]

    assert task.environment["TAP_A_TOKEN"] == "x-dev.acme.internal"
    assert ("$HOST is taken as text" in bare, fix) == (True, "write ${HOST}")
    assert ("nothing fills ${HOSTT}" in unknown, meant) == (True, "did you mean 'HOST'?")
    assert "is a secret in plain text" in literal
    assert advice.startswith("declare it in penstock.yaml: secrets: {TAP_A_TOKEN: secretsmanager:<name>}")
