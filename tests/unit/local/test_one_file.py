"""`penstock run FILE`: what a file gets from its project, from the shell, and from the embedded system that is up."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import yaml

from penstock.cli.run_file import is_file
from penstock.local.one_file import order, target
from penstock.local.one_file.process import from_shell
from penstock.project.load import load
from penstock.project.openmetadata.shapes.shape_file import Unknown
from penstock_runtime import contract
from penstock_runtime.container import files
from penstock_runtime.errors import InputError
from tests.unit.project_files import WORKFLOW, write

FILES = (
    "        openmetadata: {type: metadata, config: warehouse.yaml}\n",
    "        openmetadata: {type: metadata, config: warehouse.yaml}\n"
    "        timeout_minutes: 5\n        env: {REGION: 'at ${HOST}'}\n        secrets: [EXTRA]\n"
    "        files: {/tmp/ca.pem: certs/ca.pem, /tmp/key: {secret: KEY}}\n",
)
SECRETS = ("  PASSWORD:", "  EXTRA: secretsmanager:e\n  KEY: secretsmanager:k\n  PASSWORD:")
SHELL = {"OM_JWT": "t", "PENSTOCK_SECRET_PASSWORD": "p", "EXTRA": "e", "KEY": "k"}


def _unknown(_version: str) -> Unknown:
    return Unknown("it is not here", "fetch it")


def _ordered(folder: Path, shell: dict[str, str], embedded: dict[str, str] | None = None) -> dict[str, str]:
    """The container's environment of the project's file."""
    project = load(write(folder, FILES, SECRETS, files={"certs/ca.pem": "CA"}))
    aim = target.inside(project, "prod", folder / "warehouse.yaml", None)
    made = order.place(order.check(folder / "warehouse.yaml", aim, None, _unknown), aim, shell, embedded or {})
    (folder / "laid").mkdir()
    return order.lay_out(made, project, folder / "laid")


def _config(environ: dict[str, str]) -> dict[str, object]:
    data: dict[str, object] = yaml.safe_load(Path(environ[contract.CONFIG_URI].removeprefix("file://")).read_text())
    return data


def test_file_of_a_task_gets_what_the_task_gets(tmp_path: Path) -> None:
    """Type, pipeline, time limit, variables of the environment, secrets, files with their modes."""
    environ = _ordered(tmp_path, SHELL)
    config = _config(environ)

    assert config["ingestionPipelineFQN"] == "warehouse.acme-prod-warehouse-catalogue"
    assert config["workflowConfig"]["openMetadataServerConfig"]["hostPort"] == "https://catalog.acme.io/api"  # type: ignore[index]
    assert (environ[contract.WORKFLOW_TYPE], environ[contract.TIMEOUT_SECONDS]) == ("metadata", "300")
    assert environ["REGION"] == "at prod.acme.internal"
    assert [environ[name] for name in ("HOST", "PASSWORD", "EXTRA", "KEY")] == ["prod.acme.internal", "p", "e", "k"]
    assert json.loads(environ[contract.SECRET_NAMES]) == ["EXTRA", "KEY", "OM_JWT", "PASSWORD"]
    files.write(environ)
    root = Path(environ[contract.ROOT])
    assert (root / "tmp/ca.pem").read_text() == "CA"
    assert stat.S_IMODE((root / "tmp/key").stat().st_mode) == 0o600


def test_no_secret_is_in_the_config(tmp_path: Path) -> None:
    """The file on disk has the names; values are in the environment of one process only."""
    environ = _ordered(tmp_path, {**SHELL, "OM_JWT": "secret-token", "PASSWORD": "secret-word"})
    text = json.dumps(_config(environ))

    assert "${OM_JWT}" in text
    assert "secret-" not in text


def test_value_of_the_shell_wins_then_that_of_the_embedded_system(tmp_path: Path) -> None:
    """And where a server's address is given so, the project's is not used."""
    embedded = {"HOST": "127.0.0.1", "PASSWORD": "of-embedded", "OPENMETADATA_SERVER": "http://127.0.0.1:1/api"}
    environ = _ordered(tmp_path, {"OM_JWT": "t", "EXTRA": "e", "KEY": "k", "HOST": "elsewhere"}, embedded)

    assert [environ[name] for name in ("HOST", "PASSWORD")] == ["elsewhere", "of-embedded"]
    assert environ["OPENMETADATA_SERVER"] == "http://127.0.0.1:1/api"
    assert _config(environ)["workflowConfig"]["openMetadataServerConfig"]["hostPort"] == "${OPENMETADATA_SERVER}"  # type: ignore[index]


def test_every_missing_value_is_named_at_its_place(tmp_path: Path) -> None:
    """With what to set."""
    with pytest.raises(InputError) as caught:
        _ordered(tmp_path, {"EXTRA": "e"})
    said = str(caught.value)

    assert "warehouse.yaml:5:77: ${PASSWORD} has no value here" in said
    assert "set KEY=… in the environment of penstock run" in said
    assert "EXTRA" not in said


def test_file_outside_a_project_needs_a_server_and_a_token(tmp_path: Path) -> None:
    """They are in the file, or in the shell."""
    file = tmp_path / "w.yaml"
    security = "workflowConfig: {openMetadataServerConfig: {securityConfig: {jwtToken: '${T}'}}}\n"
    file.write_text(WORKFLOW + security)
    aim = target.outside(None)
    checked = order.check(file, aim, None, _unknown)
    with pytest.raises(InputError, match="there is no server"):
        order.place(checked, aim, {"HOST": "h", "PASSWORD": "p", "T": "t"}, {})
    made = order.place(
        checked, aim, {"HOST": "h", "PASSWORD": "p", "T": "t", contract.SERVER_VARIABLE: "http://s/api"}, {}
    )
    assert json.loads(made.environ[contract.SECRET_NAMES]) == ["HOST", "PASSWORD", "T"]

    file.write_text(WORKFLOW)
    with pytest.raises(InputError, match="has no token"):
        order.check(file, aim, None, _unknown)


def test_mistake_in_the_file_stops_it_before_anything_runs(tmp_path: Path) -> None:
    """The same checks as `validate`, shapes that are not known included."""
    file = tmp_path / "w.yaml"
    file.write_text(WORKFLOW.replace("type: postgres", "type: mysql") + "workflowConfig: {openMetadataServerConfig: "
                    "{hostPort: 'https://h', securityConfig: {jwtToken: '${T}'}}}\n")  # fmt: skip
    with pytest.raises(InputError, match=r"w.yaml:2:9: source.type 'mysql' does not take a connection"):
        order.check(file, target.outside(None), None, _unknown)

    file.write_text(file.read_text().replace("mysql", "postgres"))
    warned = order.check(file, target.outside(None), None, _unknown).warnings
    assert [("does not end in /api" in one, "it is not here" in one) for one in warned] == [
        (True, False),
        (False, True),
    ]


def test_type_is_asked_for_where_the_file_does_not_say_it(tmp_path: Path) -> None:
    """A guess might run something else."""
    file = tmp_path / "w.yaml"
    file.write_text(WORKFLOW.replace("{type: DatabaseMetadata}", "{}"))
    with pytest.raises(InputError) as caught:
        order.check(file, target.outside(None), None, _unknown)
    assert "--type metadata" in caught.value.fix
    with pytest.raises(InputError, match="unknown workflow type 'x'"):
        order.check(file, target.outside(None), "x", _unknown)


def test_version_without_a_lock_is_refused() -> None:
    """Nothing here could run it."""
    with pytest.raises(InputError) as caught:
        target.outside("0.13.1")
    assert "1.12" in caught.value.fix


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("a.yaml", True), ("a.yml", True), ("a.json", True), ("dir/a", True), ("./a", True), ("warehouse-daily", False)],
)
def test_argument_of_run_is_a_file_by_its_looks(argument: str, expected: bool) -> None:
    """Jobs and schedules have neither an ending nor a slash."""
    assert is_file(argument) is expected


def test_process_gets_little_of_the_shell(tmp_path: Path) -> None:
    """Ways to AWS and proxies; no other variable, and none of Python's."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").touch()
    given = from_shell({"AWS_PROFILE": "x", "HTTPS_PROXY": "p", "PYTHONPATH": "/a", "OTHER": "b"}, tmp_path)

    assert given == {"AWS_PROFILE": "x", "HTTPS_PROXY": "p", "AWS_CONFIG_FILE": str(tmp_path / ".aws" / "config")}
