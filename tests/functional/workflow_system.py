"""A warehouse and a catalogue of one version of OpenMetadata, and what runs a workflow of each type between them."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from penstock.local import postgres
from penstock.project.document.document import parse
from penstock.project.openmetadata import workflow
from penstock.project.openmetadata.model import Auth, OpenMetadata
from penstock.versions.openmetadata import OPENMETADATA_IMAGE, RELEASES
from penstock_runtime import contract
from penstock_runtime.container.engines.results import Demands
from penstock_runtime.fill import fill
from tests.functional.engines import PASSWORD, Done, Warehouse, openmetadata

FILES = Path(__file__).with_name("workflows")
TOKEN = "test-token"
FLIGHTS = "warehouse.postgres.raw.flights"

TABLES = (
    "CREATE SCHEMA raw",
    "CREATE SCHEMA mart",
    "CREATE TABLE raw.airlines (carrier text PRIMARY KEY, name text)",
    "CREATE TABLE raw.flights (id int PRIMARY KEY, carrier text, tailnum text, delay numeric)",
    "INSERT INTO raw.airlines VALUES ('AA', 'American'), ('UA', 'United')",
    # Every tenth has no aircraft.
    "INSERT INTO raw.flights SELECT n, CASE n % 2 WHEN 0 THEN 'AA' ELSE 'UA' END, "
    "CASE n % 10 WHEN 0 THEN NULL ELSE 'N' || n END, n % 60 FROM generate_series(1, 200) AS n",
    "CREATE TABLE mart.worst (carrier text, delay numeric)",
    "CREATE VIEW mart.delays AS SELECT carrier, avg(delay) AS delay FROM raw.flights GROUP BY carrier",
)
QUERY_LOG = (
    # The embedded PostgreSQL lacks the extension; the package reads no more of it than this.
    "CREATE TABLE IF NOT EXISTS pg_stat_statements "
    "(userid oid, dbid oid, query text, total_exec_time float8, calls bigint)",
    "TRUNCATE pg_stat_statements",
    *(
        "INSERT INTO pg_stat_statements SELECT (SELECT usesysid FROM pg_user WHERE usename = 'postgres'), "
        f"(SELECT oid FROM pg_database WHERE datname = 'postgres'), '{query}', 1.5, 3"
        for query in (
            "INSERT INTO postgres.mart.worst (carrier, delay) SELECT carrier, delay FROM postgres.raw.flights",
            "SELECT f.id, a.name FROM postgres.raw.flights f JOIN postgres.raw.airlines a ON f.carrier = a.carrier",
        )
    ),
)


@dataclass
class System:
    """A warehouse with a few tables, and the catalogue of one version."""

    line: str
    archive: Path
    warehouse: Warehouse
    state: Path
    address: str
    folder: Path

    @property
    def version(self) -> str:
        """The server's."""
        return RELEASES[self.line].package.rpartition(".")[0]

    def run(self, kind: str, demands: Demands | None = None, **environ: str) -> Done:
        """Run the type's workflow file, completed as `penstock` does it."""
        settings = OpenMetadata(server=self.address, version=self.version, auth=Auth(jwt_token="${OM_JWT}"))
        document = parse((FILES / f"{kind}.yaml").read_text(), f"{kind}.yaml")
        read = workflow.Workflow(document, {}, {})
        data = workflow.completed(read.document.root.plain(), settings, server=settings.server, pipeline=kind)
        names = self.warehouse.environ | {"OM_JWT": TOKEN, "DBT_TARGET": str(self.folder / "target")}
        more = environ | ({contract.DEMANDS: demands.to_json()} if demands else {})
        image = f"{OPENMETADATA_IMAGE}:{self.version}"
        return openmetadata(self.archive, self.folder, data, names, kind, image=image, seconds=300, **more)

    def server(self, written: dict[str, Any]) -> dict[str, Any]:
        """What becomes of the server's settings in a workflow file, its secrets filled."""
        settings = OpenMetadata(server=self.address, version=self.version, auth=Auth(jwt_token="${OM_JWT}"))
        data = {"workflowConfig": {"openMetadataServerConfig": written}}
        return fill(workflow.completed_server(data, settings, server=settings.server), ("OM_JWT",), {"OM_JWT": TOKEN})

    def get(self, path: str) -> dict[str, Any]:
        """What the catalogue answers."""
        request = urllib.request.Request(f"{self.address}/v1/{path}", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def table(self, name: str = FLIGHTS) -> dict[str, Any]:
        return self.get(f"tables/name/{name}")

    def states(self, kind: str, of: str = "warehouse") -> list[str]:
        """The states of the runs of a pipeline, as OpenMetadata would show them."""
        fqn = quote(f"{of}.{kind}")
        runs = self.get(f"services/ingestionPipelines/{fqn}/pipelineStatus?startTs=0&endTs={2**53}")["data"]
        return [run["pipelineState"] for run in runs]

    def sql(self, *statements: str) -> None:
        with psycopg.connect(postgres.conninfo(self.warehouse.port, PASSWORD)) as connection:
            for statement in statements:
                connection.execute(statement.encode())
