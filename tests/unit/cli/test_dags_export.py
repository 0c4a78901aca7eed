"""`penstock dags export`: what it asks for, where it writes, what it says."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock.cli.main import app
from tests.unit.bundle.export.exported_files import RESOURCES
from tests.unit.project_files import write


def _export(folder: Path, *arguments: str) -> tuple[int, str, str, BaseException | None]:
    done = CliRunner().invoke(app, ["--project", str(folder / "penstock.yaml"), "dags", "export", *arguments])
    return done.exit_code, done.stdout, done.stderr, done.exception


@pytest.fixture
def resources(tmp_path: Path) -> str:
    """The file that a deploy writes."""
    write(tmp_path)
    file = tmp_path / "resources.json"
    file.write_text(json.dumps(asdict(RESOURCES)))
    return str(file)


def test_it_prints_the_file_alone(tmp_path: Path, resources: str) -> None:
    """Data on stdout; what is lost on stderr. ECS and the project's own Airflow are the default."""
    code, stdout, stderr, _ = _export(tmp_path, "daily", "--resources", resources)

    assert code == 0
    compile(stdout, "exported.py", "exec")
    assert "for the\noperator ecs and Airflow 3.0" in stdout
    assert "RunTask is not tried again" in stderr


def test_it_writes_the_file(tmp_path: Path, resources: str) -> None:
    """Then stdout is its path; a file that is there is not written over."""
    target = tmp_path / "out.py"
    options = ("daily", "--operator", "bash", "--airflow", "2.9", "--output", str(target))

    code, stdout, _, _ = _export(tmp_path, *options)
    assert (code, stdout.strip()) == (0, str(target))
    assert "from airflow.operators.bash import BashOperator" in target.read_text()

    assert "is there" in str(_export(tmp_path, *options)[3])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nightly", "--operator", "bash"], "there is no schedule 'nightly'"),
        (["daily", "--operator", "bash", "--airflow", "2.8"], "no file can be exported for Airflow 2.8"),
        (["daily", "--operator", "bash", "--resources", "{resources}"], "needs nothing of a deploy"),
        (["daily", "--resources", "{resources}", "--to", "s3://a/b"], "both say where the deploy is"),
        (["daily", "--resources", "{folder}/nowhere.json"], "No such file or directory"),
        (["daily", "--resources", "{folder}/penstock.yaml"], "penstock.yaml: Expecting value"),
        (["daily", "--operator", "bash", "--output", "{folder}/no/out.py"], "No such file or directory"),
    ],
)
def test_wrong_input(tmp_path: Path, resources: str, arguments: list[str], said: str) -> None:
    """An error that says what is wrong, and nothing is written."""
    filled = [one.format(resources=resources, folder=tmp_path) for one in arguments]

    code, stdout, _, error = _export(tmp_path, *filled)

    assert (code, stdout) == (1, "")
    assert said in str(error)
    assert "fix: " in str(error)


def test_an_unknown_operator_is_named(tmp_path: Path, resources: str) -> None:
    """With those that there are."""
    code, _, stderr, _ = _export(tmp_path, "daily", "--operator", "kubernetes")

    assert code == 2
    assert "virtualenv" in stderr
