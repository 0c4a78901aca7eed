"""Projects of any size, to measure with."""

from __future__ import annotations

from pathlib import Path

import yaml

VERSION = "1.12.14"
"""Of OpenMetadata."""
_HEAD = {
    "name": "bench",
    "environments": {"dev": {"region": "eu-west-1"}},
    "network": {"create": {}},
    "airflow": {"create": {"version": "3.0.6"}},
    "openmetadata": {
        "server": "https://catalog.example.com/api",
        "version": VERSION,
        "auth": {"jwt_token": "${OM_JWT}"},
    },
    "secrets": {"OM_JWT": "secretsmanager:openmetadata/bot-jwt", "PASSWORD": "secretsmanager:warehouse#password"},
}


def write(folder: Path, *, schedules: int) -> Path:
    """A project with a job, a workflow file of 40 lines and a daily schedule for each of `schedules`; its file."""
    (folder / "ingestion").mkdir(parents=True)
    jobs, listed = {}, []
    for number in range(schedules):
        name = f"database-{number:04}"
        (folder / "ingestion" / f"{name}.yaml").write_text(_workflow(name))
        task = {"name": "catalogue", "openmetadata": {"type": "metadata", "config": f"ingestion/{name}.yaml"}}
        jobs[name] = {"tasks": [task]}
        listed.append({"name": f"{name}-daily", "job": name, "interval": f"{number % 60} {number % 24} * * *"})
    file = folder / "penstock.yaml"
    file.write_text(yaml.safe_dump({**_HEAD, "jobs": jobs, "schedules": listed}, sort_keys=False))
    return file


def _workflow(name: str) -> str:
    patterns = {"includes": [f"^team_{number}_.*$" for number in range(10)], "excludes": ["^tmp_.*$", "^pg_.*$"]}
    connection = {
        "type": "Postgres",
        "hostPort": f"{name}.example.com:5432",
        "username": "catalogue",
        "authType": {"password": "${PASSWORD}"},
        "database": name,
    }
    return yaml.safe_dump(
        {
            "source": {
                "type": "postgres",
                "serviceName": name,
                "serviceConnection": {"config": connection},
                "sourceConfig": {"config": {"type": "DatabaseMetadata", "schemaFilterPattern": patterns}},
            },
            "sink": {"type": "metadata-rest", "config": {}},
        },
        sort_keys=False,
    )
