"""`penstock invoke airflow`: what `penstock up` does already is not done again; the rest is Airflow's."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock.cli import invoke
from penstock.cli.main import app
from penstock.local import airflow_command
from penstock_runtime.errors import InputError
from tests.unit.project_files import write


class _Server:
    version, user = "3.0.6", "admin"

    def __init__(self, major: int) -> None:
        self.major = major


class _System:
    def __init__(self, major: int) -> None:
        self.server = _Server(major)


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments that reached Airflow."""
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    commands: list[list[str]] = []

    def run(_: object, arguments: list[str]) -> int:
        commands.append(arguments)
        return 3

    monkeypatch.setattr(airflow_command, "run", run)
    monkeypatch.setattr(invoke.contexts.Context, "instance", lambda _: None)
    monkeypatch.setattr(invoke, "attach", lambda _: _System(2))
    return commands


@pytest.mark.parametrize(
    "line",
    [
        ["dags", "list", "--output", "json"],
        ["tasks", "test", "flights-daily", "load", "2026-01-01"],
        ["users", "create", "--role", "Admin"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_arguments_and_exit_code_are_airflows(ran: list[list[str]], line: list[str]) -> None:
    """Options among them: none is taken for one of penstock's."""
    assert CliRunner().invoke(app, ["invoke", "airflow", *line]).exit_code == 3
    assert ran == [line]


@pytest.mark.parametrize(
    ("line", "what", "fix"),
    [
        (["airflow:initialize"], "creates Airflow's database itself", "run penstock up"),
        (["airflow", "db", "migrate"], "creates Airflow's database itself", "run penstock up"),
        (["airflow", "scheduler"], "starts Airflow, its scheduler included", "penstock status"),
        (["airflow", "webserver", "--port", "1"], "its webserver included", "penstock logs"),
        (["dbt-postgres:run"], "runs airflow only, not 'dbt-postgres:run'", "meltano invoke dbt-postgres:run"),
        (["airflow:other"], "runs airflow only", "meltano invoke"),
    ],
)
def test_what_up_does_is_named(ran: list[list[str]], line: list[str], what: str, fix: str) -> None:
    error = CliRunner().invoke(app, ["invoke", *line]).exception

    assert isinstance(error, InputError)
    assert what in error.what
    assert fix in error.fix
    assert ran == []


def test_airflow_3_has_no_users(ran: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its simple auth manager has one user, whose password is in a file."""
    monkeypatch.setattr(invoke, "attach", lambda _: _System(3))
    monkeypatch.setattr(invoke, "password_file", lambda _: tmp_path / "password")
    error = CliRunner().invoke(app, ["invoke", "airflow", "users", "create"]).exception

    assert isinstance(error, InputError)
    assert str(tmp_path / "password") in error.fix
    assert ran == []
