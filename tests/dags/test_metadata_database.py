"""The helper DAG that says how OpenMetadata reaches Airflow's metadata database."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from samples import ROOT

FILE = ROOT / "dags" / "metadata_database.py"


@pytest.fixture(scope="session")
def described(under_airflow: Any) -> Any:
    """Four addresses, as MWAA has them."""
    addresses = [
        ("postgresql+psycopg2://adminuser:s3cret%2Fword@db.example.com:5433/AirflowMetadata?sslmode=require", False),
        ("postgresql://u:a/b#c@db.example.com/meta", False),
        ("airflow-db-not-allowed:///", False),
        ("postgresql://u:s3cret@db.example.com/meta", True),
    ]
    return under_airflow("describe_database.py", FILE, json.dumps(addresses))


def test_parts_of_the_connection_without_its_password(described: Any) -> None:
    """Driver, host, port (PostgreSQL's own where none is named), database and user; never the password."""
    assert described[0] == {
        "driver": "postgresql+psycopg2",
        "host": "db.example.com",
        "port": 5433,
        "database": "AirflowMetadata",
        "user": "adminuser",
    }
    assert (described[1]["port"], described[1]["database"], described[1]["user"]) == (5432, "meta", "u")
    assert "s3cret" not in json.dumps(described)


def test_hidden_or_short_lived_connections_are_refused(described: Any) -> None:
    """Airflow 3, and databases opened with IAM tokens: the way out is OpenMetadata's REST connection."""
    assert "Airflow 3 hides" in described[2]
    assert "USE_IAM_CREDENTIALS" in described[3]
    assert all("type: RestAPI" in described[n] for n in (2, 3))


def test_dag_runs_by_hand_in_any_airflow(under_airflow: Any, tmp_path: Path) -> None:
    """The file alone, with nothing of Penstock beside it."""
    shutil.copy(FILE, tmp_path)

    dag_bag = under_airflow("read_dags.py", tmp_path)

    assert (dag_bag["import_errors"], dag_bag["imported_by_ours"]) == ({}, [])
    (dag,) = dag_bag["dags"].values()
    assert (dag["summary"], list(dag["tasks"])) == ("None", ["report"])
