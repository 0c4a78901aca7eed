"""The helper DAG that finds Airflow's metadata database for OpenMetadata."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from samples import ROOT

FILE = ROOT / "dags" / "metadata_database.py"
MWAA = "postgresql+psycopg2://adminuser:s3cret%2Fword@db.example.com:5433/AirflowMetadata?sslmode=require"
ENVIRONMENT = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
VALUES = [None, "", "  ", "< hidden >", "***", "postgresql://u:***@h/d", "airflow-db-not-allowed:///", MWAA]
PLACES: list[tuple[dict[str, str | None], bool]] = [
    ({"database": MWAA, "core": None}, False),
    ({"database": None, "core": MWAA}, False),
    ({"database": "< hidden >", "core": "", ENVIRONMENT: MWAA}, False),
    ({"database": "< hidden >", "core": "", ENVIRONMENT: None}, False),
    ({"database": "airflow-db-not-allowed:///", ENVIRONMENT: MWAA}, False),
    ({"database": MWAA}, True),
]
ADDRESSES = [
    MWAA,
    "postgresql://u:a%23b@db.example.com/meta",
    "sqlite:////tmp/s3cret.db",
    "postgresql://u@db.example.com/meta",
    "s3cret, not an address",
    "postgresql://u:s3cret@db.example.com:port/meta",
]


@pytest.fixture(scope="session")
def described(under_airflow: Any) -> Any:
    """What it makes of them all."""
    cases = {"values": VALUES, "places": PLACES, "addresses": ADDRESSES}
    return under_airflow("describe_database.py", FILE, json.dumps(cases))


def test_masked_and_empty_values_are_told_apart(described: Any) -> None:
    """A value that Airflow hides is another thing than one that nobody has set."""
    assert described["states"] == ["missing", "empty", "empty", "masked", "masked", "masked", "hidden", "usable"]


def test_connection_is_found_wherever_it_is(described: Any) -> None:
    """In the section of today, in that of old, in the environment; the first that can be used."""
    assert described["found"][:3] == [MWAA, MWAA, MWAA]
    assert described["seen"][0].startswith("section database")
    assert described["seen"][1].startswith("section core")
    assert ENVIRONMENT in described["seen"]


def test_connection_that_is_nowhere_says_what_each_place_holds(described: Any) -> None:
    """No value is shown."""
    said = described["found"][3]["error"]

    assert f"database: masked; core: empty; {ENVIRONMENT}: missing" in said


def test_hidden_or_short_lived_connections_are_refused(described: Any) -> None:
    """Airflow 3, and databases opened with IAM tokens: the way out is OpenMetadata's REST connection."""
    hidden, short_lived = (described["found"][n]["error"] for n in (4, 5))

    assert "Airflow 3 hides" in hidden
    assert "USE_IAM_CREDENTIALS" in short_lived
    assert all("type: RestAPI" in text for text in (hidden, short_lived))
    assert "s3cret" not in hidden + short_lived


def test_parts_of_the_connection(described: Any) -> None:
    """Host, port (PostgreSQL's own where none is named), database, user and password, as they are behind the URL."""
    first, second = described["described"][:2]

    assert first == {
        "host": "db.example.com",
        "port": "5433",
        "database": "AirflowMetadata",
        "user": "adminuser",
        "password": "s3cret/word",
    }
    assert (second["port"], second["password"]) == ("5432", "a#b")


def test_address_that_is_of_no_use_is_refused_and_not_shown(described: Any) -> None:
    """Another database, one without a password, and what is not an address; SQLAlchemy's own words would show it."""
    refused = [one["error"] for one in described["described"][2:]]

    assert ["is sqlite" in refused[0], "no password" in refused[1]] == [True, True]
    assert "is not a SQLAlchemy address" in refused[2] + refused[3]
    assert "s3cret" not in "".join(refused)


def test_secret_is_written_only_if_it_has_changed(described: Any) -> None:
    """Without a value, with another text or password it is written; with the same it is left alone."""
    assert [(changed, len(written)) for _, changed, written in described["written"]] == [(True, 1)] * 4 + [(False, 0)]
    assert {arn for arn, _, _ in described["written"]} == {"arn:name"}
    assert described["written"][0][2][0]["password"] == "s3cret/word"


def test_dag_runs_by_hand_in_any_airflow(under_airflow: Any, tmp_path: Path) -> None:
    """The file alone, with nothing of Penstock beside it."""
    shutil.copy(FILE, tmp_path)

    dag_bag = under_airflow("read_dags.py", tmp_path)

    assert (dag_bag["import_errors"], dag_bag["imported_by_ours"]) == ({}, [])
    (dag,) = dag_bag["dags"].values()
    assert (dag["summary"], list(dag["tasks"])) == ("None", ["find_database"])


def test_dag_of_a_project_has_its_own_id_and_time(under_airflow: Any, tmp_path: Path) -> None:
    """As the bundle fills it in."""
    text = FILE.read_text().replace('DAG_ID = ""', 'DAG_ID = "team-address"').replace('CRON = ""', 'CRON = "0 2 * * 0"')
    (tmp_path / "metadata_database.py").write_text(text)

    dag_bag = under_airflow("read_dags.py", tmp_path)

    assert list(dag_bag["dags"]) == ["team-address"]
    assert "0 2 * * 0" in dag_bag["dags"]["team-address"]["summary"]
