"""Which of a project's own files `penstock up` waits for: those that Airflow takes for DAG files."""

from __future__ import annotations

import pytest

from penstock.local.dag_problems import dag_file_candidates
from penstock_runtime.plan.plan import DagFile


@pytest.mark.parametrize(
    ("text", "candidate"),
    [
        ("from airflow import DAG\n", True),
        ("from airflow.decorators import dag\n", True),
        ("DAG_FOLDER = 'dags'\n", False),
        ("import airflow\n", False),
        ("x = 1\n", False),
    ],
)
def test_a_dag_file_names_both_words(text: str, candidate: bool) -> None:
    """Airflow's own rule (`might_contain_dag_via_default_heuristic`): it never reads another file."""
    candidates = dag_file_candidates([DagFile("report.py", text)], "3.0.6")

    assert candidates == (frozenset({"report.py"}) if candidate else frozenset())
