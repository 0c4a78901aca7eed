"""How an exported file's task reads secrets while it runs: the file's own functions and commands, run here."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.bundle.export import in_file
from penstock.bundle.export.target import Operator
from tests.unit.bundle.export.exported_files import exported, imported

NASTY = "a\"b\\c$HOME 'd' #e: {f} ünï \U0001f511 ${HOST}"
SECRETS = {
    ("secretsmanager", "eu-west-1", "openmetadata"): "the-token",
    ("secretsmanager", "eu-west-1", "warehouse"): json.dumps({"password": NASTY, "user": "u"}),
    ("secretsmanager", "us-east-1", "arn:aws:secretsmanager:us-east-1:111122223333:secret:far-AbCdEf"): "far",
    ("ssm", "eu-west-1", "/team/token"): "parameter",
}
BOTO3 = f"""\
SECRETS = {SECRETS!r}


class client:
    def __init__(self, service, region_name):
        self.where = service, region_name

    def get_secret_value(self, SecretId):
        return {{"SecretString": SECRETS[(*self.where, SecretId)]}}

    def get_parameter(self, Name, WithDecryption):
        assert WithDecryption
        return {{"Parameter": {{"Value": SECRETS[(*self.where, Name)]}}}}
"""


@pytest.fixture
def boto3(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A boto3 that knows `SECRETS`."""
    module = types.ModuleType("boto3")
    exec(BOTO3, module.__dict__)
    monkeypatch.setitem(sys.modules, "boto3", module)
    return module


class Workflow:
    """Stands for OpenMetadata's class of a workflow; notes what is done with it."""

    def __init__(self, settings: dict[str, Any], fails: bool) -> None:
        self.settings, self.fails, self.calls = settings, fails, list[str]()

    def execute(self) -> None:
        self.calls.append("execute")

    def print_status(self) -> None:
        self.calls.append("print_status")

    def raise_from_status(self) -> None:
        self.calls.append("raise_from_status")
        if self.fails:
            raise RuntimeError("failed records")

    def stop(self) -> None:
        self.calls.append("stop")


@pytest.fixture
def workflows(monkeypatch: pytest.MonkeyPatch) -> list[Workflow]:
    """The workflows that were created by `metadata.workflow.metadata.MetadataWorkflow`; the second one fails."""
    made: list[Workflow] = []

    def create(settings: dict[str, Any]) -> Workflow:
        made.append(Workflow(settings, fails=bool(made)))
        return made[-1]

    module = types.ModuleType("metadata.workflow.metadata")
    module.MetadataWorkflow = types.SimpleNamespace(create=create)  # type: ignore[attr-defined]
    for name in ("metadata", "metadata.workflow"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return made


@pytest.mark.parametrize(
    ("references", "values"),
    [
        (["secretsmanager:openmetadata"], ["the-token"]),
        (["secretsmanager:warehouse#password", "secretsmanager:openmetadata"], [NASTY, "the-token"]),
        (["ssm:/team/token"], ["parameter"]),
        (
            [
                "ssm:/team/token",
                "secretsmanager:arn:aws:secretsmanager:us-east-1:111122223333:secret:far-AbCdEf",
                "secretsmanager:warehouse#user",
            ],
            ["parameter", "far", "u"],
        ),
    ],
)
def test_each_kind_of_reference(boto3: types.ModuleType, references: list[str], values: list[str]) -> None:
    """A whole secret, a field of one, one of another region, a parameter; whichever of them a schedule has."""
    names: dict[str, Any] = {"boto3": boto3, "json": json, "region": "eu-west-1"}
    exec(in_file.read_secret(references), names)

    assert [names["read_secret"](reference) for reference in references] == values


@pytest.mark.parametrize("operator", [Operator.python, Operator.virtualenv])
def test_workflow_is_filled_in_memory(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    boto3: types.ModuleType,
    workflows: list[Workflow],
    operator: Operator,
) -> None:
    """The package gets the values; Airflow gets names only, and masks them where it runs in its process.

    The run id is a UUID, one for each try. A workflow that fails, fails the task, and is stopped all the same.
    """
    made = imported(exported(tmp_path, operator).text, monkeypatch, tmp_path)
    task = made.tasks["catalogue"]
    function = task["python_callable"]
    if operator is Operator.virtualenv:
        # As the virtual environment gets it: its source, and nothing around it.
        names: dict[str, Any] = {}
        exec(inspect.getsource(function), names)
        function = names["run_workflow"]

    function(**{**task["op_kwargs"], "run": "daily/manual/catalogue/1"})
    with pytest.raises(RuntimeError, match="failed records"):
        function(**{**task["op_kwargs"], "run": "daily/manual/catalogue/2"})

    first, second = workflows
    connection = first.settings["source"]["serviceConnection"]["config"]
    assert (connection["hostPort"], connection["authType"]["password"]) == ("dev.acme.internal:5432", NASTY)
    server = first.settings["workflowConfig"]["openMetadataServerConfig"]
    assert server["securityConfig"]["jwtToken"] == "the-token"
    assert first.calls == second.calls == ["execute", "print_status", "raise_from_status", "stop"]
    assert first.settings["pipelineRunId"] != second.settings["pipelineRunId"]
    assert set(made.masked) == ({"the-token", NASTY} if operator is Operator.python else set())
    assert NASTY not in json.dumps(task, default=str)


def test_bash_fills_the_file_as_metadata_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`metadata` fills the environment into the text, then reads it as YAML: any value comes through unchanged."""
    text = exported(tmp_path, Operator.bash, ("HOST: dev.acme.internal", "HOST: 'a\"b: #c'")).text
    task = imported(text, monkeypatch, tmp_path).tasks["catalogue"]
    # The file is there while `metadata` runs, and has no secret in it.
    notes = 'echo "$1 $2 $3" > "$OUT/line"\ncp "$3" "$OUT/file.yaml"\nenv -0 > "$OUT/env"\n'
    programs = _programs(tmp_path, BOTO3, metadata=notes)
    rendered = {name: value.replace("{{ '{' }}", "{") for name, value in task["env"].items()}
    rendered["RUN"] = "daily/manual/catalogue/1"

    done = subprocess.run(
        ["bash", "-c", task["bash_command"]],
        env={**rendered, **programs, "OUT": str(tmp_path), "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    command = (tmp_path / "line").read_text().split()
    assert command[:2] == ["ingest", "-c"]
    assert not Path(command[2]).exists()
    written = (tmp_path / "file.yaml").read_text()
    assert "the-token" not in written
    environment = dict(one.split("=", 1) for one in (tmp_path / "env").read_text().split("\0") if one)
    monkeypatch.setattr(os, "environ", environment)
    settings = yaml.safe_load(os.path.expandvars(written))
    connection = settings["source"]["serviceConnection"]["config"]
    assert (connection["hostPort"], connection["authType"]["password"]) == ('a"b: #c:5432', NASTY)
    assert len(settings["pipelineRunId"]) == 36


def test_a_secret_that_cannot_be_read_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs with an empty password."""
    task = imported(exported(tmp_path, Operator.bash).text, monkeypatch, tmp_path).tasks["load"]
    refusing = "def client(*_, **__):\n    raise SystemExit('denied')\n"
    programs = _programs(tmp_path, refusing, meltano="echo ran\n")

    done = subprocess.run(
        ["bash", "-c", task["bash_command"]],
        env={**task["env"], **programs},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert "denied" in done.stderr


def test_a_container_reads_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that Docker starts becomes Meltano, with the secret in its environment and in no argument."""
    task = imported(exported(tmp_path, Operator.docker).text, monkeypatch, tmp_path).tasks["load"]
    programs = _programs(tmp_path, BOTO3, meltano='printf "%s|" "$@" "$PASSWORD"\n')
    assert NASTY not in json.dumps(task, default=str)

    done = subprocess.run(
        [sys.executable, *task["entrypoint"][1:], *task["command"]],
        env={**task["environment"], **programs},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == (f"run|tap-a|target-b|{NASTY}|", "")


def _programs(folder: Path, boto3: str, **scripts: str) -> dict[str, str]:
    """The environment in which Python has this boto3, and there are these shell scripts."""
    programs = folder / "programs"
    programs.mkdir()
    (programs / "boto3.py").write_text(boto3)
    (programs / "python3").symlink_to(sys.executable)
    for name, text in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}")
        (programs / name).chmod(0o755)
    return {"PATH": f"{programs}:/usr/bin:/bin", "PYTHONPATH": str(programs)}
