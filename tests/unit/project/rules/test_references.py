"""`$NAME`, a shell's syntax and templates where nothing fills them: in workflow files, commands and `env`."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from tests.unit.project_files import WORKFLOW, errors, loaded, write

LOAD = "      - {name: load, meltano: tap-a target-b}\n"


def _edit(command: str, more: str = "") -> tuple[str, str]:
    return LOAD, f"{LOAD}      - {{name: x, image: x, command: {command}{more}, python: true}}\n"


def _warnings(folder: Path, *edits: tuple[str, str], **files: str) -> list[str]:
    project = loaded(folder, *edits, files={f"{name}.yaml": text for name, text in files.items()})
    return list(compile_plan(project).warnings)


@pytest.mark.parametrize("old", ['"${HOST}:5432"', '"${PASSWORD}"'])
def test_bare_name_of_the_project_in_a_workflow_is_an_error(tmp_path: Path, old: str) -> None:
    """`metadata ingest -c` fills it, by os.path.expandvars; the connector would get the text."""
    bare = old.replace("{", "").replace("}", "")
    problems = errors(write(tmp_path, files={"warehouse.yaml": WORKFLOW.replace(old, f"x{bare}".replace('x"', '"x'))}))

    name = "HOST" if "HOST" in old else "PASSWORD"
    assert (f"${name} is taken as text: only names in braces are filled", f"write ${{{name}}}") in [
        problems[-1][1:] for problems in [problems]
    ]
    assert problems[-1][0].startswith("warehouse.yaml:5:")


@pytest.mark.parametrize(
    ("text", "warns"),
    [
        ("$WAREHOUSE_HOST", True),
        ("{{ ds }}", True),
        ("{{ data_interval_start | ds }}", True),
        ("^prod_.*$", False),
        ("pa$$WORD", False),
        ("costs $5", False),
        ("$lower", False),
        ("{{ source('a', 'b') }}", False),
    ],
)
def test_what_nobody_may_fill_in_a_workflow_is_a_warning(tmp_path: Path, text: str, warns: bool) -> None:
    """An upper-case name that the project does not know, and Airflow's variables; the rest is text."""
    warnings = _warnings(tmp_path, warehouse=WORKFLOW + f'x: "{text}"\n')

    assert [one[:20] for one in warnings] == ["warehouse.yaml:8:4: "] * warns


def test_line_of_a_workflow_may_say_that_a_text_is_meant(tmp_path: Path) -> None:
    """By the comment that allows a literal secret."""
    assert _warnings(tmp_path, warehouse=WORKFLOW + "x: $HOST {{ ds }}  # penstock: allow-literal\n") == []


COMMANDS = {
    # name: (command, part of what, part of fix)
    "bare variable": ('"echo $HOST"', "$HOST is taken as text", "write ${HOST}"),
    "bare variable in a list": ("[echo, $HOST]", "$HOST is taken as text", "write ${HOST}"),
    "secret without a shell": ('"psql ${PASSWORD}"', "secret PASSWORD is not", "[sh, -c, '… \"${PASSWORD}\" …']"),
    "bare secret": ('"psql $PASSWORD"', "secret PASSWORD is not filled in", "sh, -c"),
    "unknown": ('"echo ${HOTS}"', "nothing fills ${HOTS}: no shell runs here", "did you mean 'HOST'?"),
    "bare in a shell": ("[sh, -c, 'echo $HOST']", "does not get variable HOST: $HOST is empty", "write ${HOST}"),
    "bare secret in a shell": ('"bash -ec \'echo $PASSWORD\'"', "does not get secret PASSWORD", "secrets: [PASSWORD]"),
}  # fmt: skip


@pytest.mark.parametrize(("command", "what", "fix"), COMMANDS.values(), ids=COMMANDS)
def test_reference_that_a_command_does_not_get_is_an_error(tmp_path: Path, command: str, what: str, fix: str) -> None:
    """A command gets `${NAME}` of a variable, a shell in it also a secret's; nothing else."""
    place, said, advice = errors(write(tmp_path, _edit(command)))[0]

    assert (place, what in said, fix in advice) == ("penstock.yaml:22:38", True, True), (said, advice)


@pytest.mark.parametrize(
    "command",
    [
        '"echo ${HOST}"',
        "[sh, -c, 'psql \"${PASSWORD}\" | tee /tmp/x && echo $HOME; date > /tmp/d']",
        "[sh, -c, 'HOST=x; echo $HOST; for PASSWORD in a; do echo $PASSWORD; done']",
        "[/usr/bin/env, bash, -lc, 'echo ${PASSWORD}', a]",
        "[cut, -d, '|']",
        "\"cut -d '|' x\"",
        '"curl https://x.io/?a=1&b=2;c"',
        '"find . -exec ls {} \\\\;"',
        "[docker, inspect, --format, '{{ .Name }}']",
        "\"awk '{print $1}'\"",
    ],
)
def test_what_is_right_in_a_command_is_left_alone(tmp_path: Path, command: str) -> None:
    """A shell's syntax in a shell, an operator in quotes or as an option's value, a name that the script sets."""
    assert _warnings(tmp_path, _edit(command)) == []


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        ('"echo a | tee /tmp/x"', "'|'"),
        ('"make && run"', "'&&'"),
        ('"make; run"', "';'"),
        ('"run > /tmp/x"', "'>'"),
        ('"run >/tmp/x"', "'>/tmp/x'"),
        ('"run 2>&1"', "'2>&1'"),
        ('"echo `date`"', "'`'"),
        ('"echo $(date)"', "'$('"),
        ("[a, '|', b]", "'|'"),
        ('"run --day {{ ds }}"', "'{{ ds }}'"),
        ("[sh, -c, 'run {{ ts_nodash }}']", "'{{ ts_nodash }}'"),
        ('"echo $SOMETHING"', "$SOMETHING"),
        ("[sh, -c, 'echo ${HOTS}']", "did you mean 'HOST'?"),
    ],
)
def test_what_no_shell_or_airflow_will_see_is_a_warning(tmp_path: Path, command: str, seen: str) -> None:
    """It says what to write."""
    (warning,) = _warnings(tmp_path, _edit(command))

    assert warning.startswith("penstock.yaml:22:38: ")
    assert seen in warning
    assert "[sh, -c, '…']" in warning or "did you mean" in warning or "date -u" in warning


def test_arguments_of_meltano_run_are_taken_as_text(tmp_path: Path) -> None:
    """Neither Meltano nor Penstock fills them."""
    own = ("meltano: tap-a target-b", 'meltano: "--state-id-suffix ${HOST} tap-a target-b"')
    _, what, fix = errors(write(tmp_path / "a", own))[0]
    piped = ("meltano: tap-a target-b", 'meltano: "tap-a target-b && echo"')

    assert what == "${HOST} is text here: `meltano run` fills no argument"
    assert "write the value out" in fix
    assert len(_warnings(tmp_path / "b", piped)) == 1


def test_bare_name_in_env(tmp_path: Path) -> None:
    """Of a variable or a secret it is an error, of anything else a warning."""
    for value, what, fix in (
        ("$HOST", "$HOST is taken as text", "write ${HOST}"),
        ("$PASSWORD", "$PASSWORD in env 'A' is taken as text", "write secrets: [PASSWORD] in the task"),
    ):
        _, said, advice = errors(write(tmp_path / value, _edit("ls", f", env: {{A: {value}}}")))[0]
        assert (what in said, fix in advice) == (True, True)
    for value in ("$OTHER/x", '"{{ ds }}"'):
        assert (
            len(_warnings(tmp_path / f"w{len(value)}", ("    timezone:", f"    env: {{A: {value}}}\n    timezone:")))
            == 1
        )


def test_env_and_secrets_of_a_task_fill_its_shell(tmp_path: Path) -> None:
    """Also what a schedule of the job sets."""
    given = ("    timezone:", "    env: {HOST: x}\n    timezone:")
    command = _edit("[sh, -c, 'echo $HOST $PASSWORD']", ", secrets: [PASSWORD]")

    assert _warnings(tmp_path, command, given) == []


def test_declaration_that_reaches_no_task_is_a_warning(tmp_path: Path) -> None:
    """Not one that is named in braces, by itself in a list, or for a registry or the embedded warehouse."""
    registry = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x-AbCdEf"
    warehouse = "{host: HOST, port: PORT, database: HOST, user: HOST, password: PASSWORD}"
    named = f"images: {{command: {{credentials: REGISTRY}}}}\nembedded: {{warehouse: {warehouse}}}\n"
    edits = (
        ("  OM_JWT:", f"  LOST: secretsmanager:a\n  REGISTRY: {registry}\n  OM_JWT:"),
        ("defaults:\n", f"{named}defaults:\n"),
        ("\nvariables: {", "\nvariables: {PORT: '1', GONE: x, "),
    )
    without = ("meltano: {project: meltano, environment: prod}\n", ""), (LOAD, "")
    warnings = _warnings(tmp_path, *edits, *without)

    assert warnings == [
        "penstock.yaml:12:9: secret LOST reaches no task: write ${LOST} where it is needed, or remove it",
        "penstock.yaml:16:30: variable GONE reaches no task: write ${GONE} where it is needed, or remove it",
    ]
