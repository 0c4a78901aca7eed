"""Airflow servers for tests; none is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penstock.local.airflow import AirflowServer


def server(version: str, **changes: Any) -> AirflowServer:
    """A server that is never started."""
    facts: dict[str, Any] = {
        "version": version,
        "environment": Path("/envs/airflow"),
        "home": Path("/instance/airflow"),
        "dags": Path("/instance/airflow/dags"),
        "database": "postgresql://airflow:p%40ss@127.0.0.1:5999/airflow",
        "port": 8123,
        "password": "the-password",
        "secret": "the-secret",
    }
    return AirflowServer(**{**facts, **changes})
