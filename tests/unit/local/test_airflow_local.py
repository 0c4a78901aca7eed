"""How the embedded mode configures an Airflow."""

from __future__ import annotations

import pytest

from tests.unit.local.servers import server


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("3.0.6", ["airflow-api-server", "airflow-scheduler", "airflow-triggerer", "airflow-dag-processor"]),
        ("2.11.0", ["airflow-webserver", "airflow-scheduler", "airflow-triggerer"]),
    ],
)
def test_components_are_those_of_the_version(version: str, names: list[str]) -> None:
    """Each component runs the environment's own `airflow`, and none opens a log server."""
    components = server(version).components()

    assert [one.name for one in components] == names
    assert {one.command[0] for one in components} == {"/envs/airflow/bin/airflow"}
    by_name = {one.name: one.command for one in components}
    assert "--skip-serve-logs" in by_name["airflow-scheduler"]
    assert "--skip-serve-logs" in by_name["airflow-triggerer"]


@pytest.mark.parametrize("version", ["3.0.6", "2.11.0"])
def test_environment_is_local_and_complete(version: str) -> None:
    """PostgreSQL, LocalExecutor, loopback, the environment's programs first; schedules start runs, as ever."""
    environ = server(version).environ()

    conn = environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert conn == "postgresql+psycopg2://airflow:p%40ss@127.0.0.1:5999/airflow"
    assert environ["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE" not in environ
    assert environ["AIRFLOW_HOME"] == "/instance/airflow"
    assert environ["PATH"].startswith("/envs/airflow/bin:")
    host = "AIRFLOW__API__HOST" if version == "3.0.6" else "AIRFLOW__WEBSERVER__WEB_SERVER_HOST"
    assert environ[host] == "127.0.0.1"


def test_keys_differ_by_purpose_and_installation() -> None:
    """No key is the secret itself, none is another one, and another secret gives others; the same, the same."""
    names = ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__CORE__FERNET_KEY")
    first, again = server("3.0.6").environ(), server("3.0.6").environ()
    other = server("3.0.6", secret="another").environ()

    assert first == again
    assert len({first[name] for name in names}) == len(names)
    assert not {first[name] for name in names} & ({other[name] for name in names} | {"the-secret"})


def test_password_is_not_in_the_environment() -> None:
    """The page's password reaches Airflow through a file or stdin only."""
    for version in ("3.0.6", "2.11.0"):
        assert "the-password" not in " ".join(server(version).environ().values())


def test_project_options_win() -> None:
    """Options of the project are applied last, as on MWAA."""
    environ = server("3.0.6", options={"core.parallelism": "9", "email.from_email": "a@b.c"}).environ()

    assert environ["AIRFLOW__CORE__PARALLELISM"] == "9"
    assert environ["AIRFLOW__EMAIL__FROM_EMAIL"] == "a@b.c"
