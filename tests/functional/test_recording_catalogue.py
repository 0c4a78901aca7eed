"""The recording catalogue: the real server, and the real openmetadata-ingestion against it."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from penstock.local import environments, postgres
from penstock.local.catalogue import client
from tests.functional.servers import ROOT, free_port, running, secret_file

TOKEN = "catalogue-token"
PASSWORD = "warehouse-password"


class Catalogue:
    """One state folder and how to run a server on it."""

    def __init__(self, folder: Path) -> None:
        self.state, self.log, self.port = folder / "state", folder / "catalogue.log", free_port()
        token = secret_file(folder / "token", TOKEN + "\n")
        self.command = [sys.executable, "-m", "penstock.local.catalogue", "--state", str(self.state)]
        self.command += ["--port", str(self.port), "--token-file", str(token), "--version", "1.12.14"]
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)

    def call(self, method: str, path: str, body: Any = None, token: str = TOKEN) -> tuple[int, Any]:
        """One request over the one connection, which stays open."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if answer.getheader("Content-Type") == "application/json" else content


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path)


def test_says_what_it_is_and_answers_only_with_the_token(catalogue: Catalogue) -> None:
    """It never passes for a real server; the token is in no log."""
    with running(catalogue.command, catalogue.log):
        assert catalogue.call("GET", "/api/v1/system/version", token="wrong")[0] == 401
        status, version = catalogue.call("GET", "/api/v1/system/version")
        assert (status, version["version"]) == (200, "1.12.14")
        assert "not an OpenMetadata server" in version["revision"]
        status, page = catalogue.call("GET", "/", token="")
        assert status == 200
        assert b"not an OpenMetadata server" in page

    log = catalogue.log.read_text()
    assert "not an OpenMetadata server" in log
    assert "GET /api/v1/system/version 401" in log
    assert TOKEN not in log


def test_notes_what_it_cannot_answer(catalogue: Catalogue) -> None:
    """404 with a message, and a list of what was missing; a broken body is 400 and leaves the connection usable."""
    with running(catalogue.command, catalogue.log):
        for _ in range(2):
            status, answer = catalogue.call("PUT", "/api/v1/dashboards", {"name": "x"})
            assert (status, answer["code"]) == (404, 404)
            assert "PUT /api/v1/dashboards" in answer["message"]
        catalogue.connection.request("PUT", "/api/v1/tables", "{", {"Authorization": f"Bearer {TOKEN}"})
        assert catalogue.connection.getresponse().read().startswith(b'{"code": 400')
        assert catalogue.call("GET", "/api/v1/tables")[0] == 200

    assert client.unanswered(catalogue.state) == [client.Unanswered("PUT", "/api/v1/dashboards", 2)]


def test_ends_at_once_and_keeps_what_it_knows(catalogue: Catalogue) -> None:
    """SIGTERM does not wait for open connections; a new start, and the client, find everything, for its owner only."""
    with running(catalogue.command, catalogue.log) as server:
        status, service = catalogue.call("PUT", "/api/v1/services/databaseServices", {"name": "shop"})
        assert status == 201
        assert client.summary(catalogue.state) == {"databaseService": 1}
        server.send_signal(signal.SIGTERM)
        # Open connections would hold it for 30 seconds.
        assert server.wait(timeout=20) == 0
    assert client.summary(catalogue.state) == {"databaseService": 1}
    assert (catalogue.state / "catalogue.db").stat().st_mode & 0o077 == 0
    catalogue.connection.close()
    with running(catalogue.command, catalogue.log):
        assert catalogue.call("GET", "/api/v1/services/databaseServices/name/shop") == (200, service)


TABLES = """
    CREATE SCHEMA raw; CREATE SCHEMA mart; CREATE SCHEMA private;
    CREATE TABLE raw.flights (id int PRIMARY KEY, carrier text NOT NULL, distance numeric(8, 2));
    CREATE TABLE raw.airlines (carrier text PRIMARY KEY, name text);
    COMMENT ON TABLE raw.airlines IS 'Who flies.';
    CREATE TABLE private.salaries (name text);
    CREATE VIEW mart.daily AS SELECT carrier, count(*) AS flights FROM raw.flights GROUP BY carrier;
    INSERT INTO raw.flights SELECT i, 'C' || i % 5, i FROM generate_series(1, 1000) AS i;
    ANALYZE
"""
CHANGES = "ALTER TABLE raw.airlines ADD COLUMN country text; CREATE TABLE raw.planes (tailnum text)"

RUN_WORKFLOWS = """
import sys, psycopg2, yaml
from metadata.workflow.metadata import MetadataWorkflow
from metadata.workflow.profiler import ProfilerWorkflow

config, warehouse, changes = yaml.safe_load(open(sys.argv[1])), *sys.argv[2:]
for run in ("first", "second", "profiler", "lineage"):
    kind = MetadataWorkflow
    if run == "second":
        with psycopg2.connect(warehouse) as connection:
            connection.cursor().execute(changes)
    if run == "profiler":
        kind = ProfilerWorkflow
        config["processor"] = {"type": "orm-profiler", "config": {}}
        # One table, no columns: what is tested here is that the profile arrives.
        config["source"]["sourceConfig"]["config"] = {
            "type": "Profiler", "computeColumnMetrics": False, "tableFilterPattern": {"includes": ["^flights$"]}
        }
    if run == "lineage":
        del config["processor"]
        config["source"]["type"] = "postgres-lineage"
        config["source"]["sourceConfig"]["config"] = {"type": "DatabaseLineage", "processQueryLineage": False}
    config["ingestionPipelineFQN"] = f"warehouse.{run}"
    workflow = kind.create(config)
    workflow.execute()
    workflow.raise_from_status()
    workflow.stop()
"""


def _workflow(catalogue: Catalogue, database_port: int) -> dict[str, Any]:
    connection = {"type": "Postgres", "username": "loader", "authType": {"password": PASSWORD}}
    connection |= {"hostPort": f"127.0.0.1:{database_port}", "database": "warehouse"}
    metadata = {"type": "DatabaseMetadata", "schemaFilterPattern": {"includes": ["^raw$", "^mart$"]}}
    server = {"hostPort": f"http://127.0.0.1:{catalogue.port}/api", "authProvider": "openmetadata"}
    return {
        "source": {
            "type": "postgres",
            "serviceName": "warehouse",
            "serviceConnection": {"config": connection},
            "sourceConfig": {"config": metadata},
        },
        "sink": {"type": "metadata-rest", "config": {}},
        "workflowConfig": {
            "loggerLevel": "WARN",
            "openMetadataServerConfig": {**server, "securityConfig": {"jwtToken": TOKEN}},
        },
    }


def test_records_what_the_real_package_finds_in_a_real_database(catalogue: Catalogue, tmp_path: Path) -> None:
    """Metadata twice, profiler and lineage: entities once each, up to date, with a row count, and nothing missing."""
    database = environments.ensure("postgres", ROOT / "requirements" / "postgres.txt", report=print)
    lock = ROOT / "requirements" / "images" / "openmetadata-1.12.txt"
    package = environments.ensure("openmetadata-1.12", lock, report=print)
    port, data = free_port(), tmp_path / "postgres"
    password = secret_file(tmp_path / "password", PASSWORD)
    command = postgres.command(postgres.binaries(database), data, port, password)
    try:
        with running(command, tmp_path / "postgres.log"), running(catalogue.command, catalogue.log):
            server = postgres.conninfo(port, PASSWORD)
            postgres.create_database(server, name="warehouse", owner="loader", password=PASSWORD)
            warehouse = postgres.conninfo(port, PASSWORD, user="loader", database="warehouse")
            with psycopg.connect(warehouse) as connection:
                connection.execute(TABLES.encode())
            config = tmp_path / "workflow.yaml"
            config.write_text(yaml.safe_dump(_workflow(catalogue, port)))
            done = subprocess.run(
                [package / "bin" / "python", "-W", "ignore", "-c", RUN_WORKFLOWS, config, warehouse, CHANGES],
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            _, flights = catalogue.call("GET", "/api/v1/tables/name/warehouse.warehouse.raw.flights")
            _, lineage = catalogue.call("GET", f"/api/v1/lineage/table/{flights['id']}")
    finally:
        postgres.remove(data)

    counts = client.summary(catalogue.state)
    assert counts.pop("ingestionPipeline") == 4
    assert counts == {"databaseService": 1, "database": 1, "databaseSchema": 2, "table": 4}
    tables = {
        table.fqn.removeprefix("warehouse.warehouse."): table for table in client.entities(catalogue.state, "table")
    }
    assert {name: (table.type, table.columns, table.rows) for name, table in tables.items()} == {
        "mart.daily": ("View", 2, None),
        "raw.airlines": ("Regular", 3, None),
        "raw.flights": ("Regular", 3, 1000),
        "raw.planes": ("Regular", 1, None),
    }
    assert [node["name"] for node in lineage["nodes"]] == ["daily"]
    assert client.unanswered(catalogue.state) == []
