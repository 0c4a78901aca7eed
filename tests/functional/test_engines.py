"""The engines with the real Meltano and the real OpenMetadata package, in what stands for their images."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from penstock.local import images, postgres
from penstock.local.catalogue import client
from penstock.project.files.named import SERVER_CERTIFICATE
from penstock_runtime import contract
from penstock_runtime.diagnosis.diagnose import diagnose
from tests.functional.engines import (
    PASSWORD,
    STOCK_IMAGE,
    Done,
    Warehouse,
    archive,
    asked,
    catalogue,
    meltano_image,
    openmetadata,
    run,
    run_file,
    server_block,
    warehouse,
    workdir,
)
from tests.functional.servers import ROOT, tls_in_front_of
from tests.unit.runtime.diagnosis.stopped_task import stopped

__all__ = ["archive", "catalogue", "meltano_image", "warehouse", "workdir"]

JANUARY = {"airlines": 16, "airports": 1458, "flights": 27004, "planes": 3322, "weather": 2226}


def meltano(image: Path, workdir: Path, archive: Path, warehouse: Warehouse, *arguments: str, **environ: str) -> Done:
    given = {
        contract.ENGINE: "meltano",
        contract.COMMAND: json.dumps(arguments),
        contract.NAMES: json.dumps(list(warehouse.environ)),
        "MELTANO_ENVIRONMENT": "prod",
        **warehouse.environ,
        **environ,
    }
    return run(image / "venv" / "bin", workdir, archive, given, "load")


def test_the_image_is_small_to_copy(meltano_image: Path) -> None:
    """Each container gets a copy of the working directory: the plugins' environments are behind links."""
    files = [path for path in (meltano_image / "project").rglob("*") if path.is_file() and not path.is_symlink()]
    links = [path for path in (meltano_image / "project" / ".meltano").glob("*/*/venv") if path.is_symlink()]

    assert sum(path.stat().st_size for path in files) < 2_000_000
    assert len(links) == 2


def test_meltano_loads_january(meltano_image: Path, workdir: Path, archive: Path, warehouse: Warehouse) -> None:
    """All five tables; the metric has the tap's count; the password is nowhere in the log."""
    done = meltano(meltano_image, workdir, archive, warehouse, "run", "tap-nycflights", "target-postgres")

    assert done.code == 0
    assert warehouse.counts() == JANUARY
    assert done.metric["Records"] == sum(JANUARY.values())
    assert PASSWORD not in done.text


def test_a_second_load_adds_nothing(meltano_image: Path, workdir: Path, archive: Path, warehouse: Warehouse) -> None:
    """With the state of the first run flights are not read again; a load without state makes no second copies."""
    second = meltano(meltano_image, workdir, archive, warehouse, "run", "tap-nycflights", "target-postgres")
    again = meltano(
        meltano_image, workdir, archive, warehouse, "run", "--full-refresh", "tap-nycflights", "target-postgres"
    )

    assert (second.code, again.code) == (0, 0)
    assert second.metric["Records"] == JANUARY["airlines"] + JANUARY["airports"] + JANUARY["planes"]
    assert again.metric["Records"] == sum(JANUARY.values())
    assert warehouse.counts() == JANUARY


def test_meltano_reads_a_secret_file(meltano_image: Path, archive: Path, warehouse: Warehouse, tmp_path: Path) -> None:
    """The password stands in a `.env` beside the project, which is a secret that the runtime wrote there."""
    workdir = Path(shutil.copytree(meltano_image / "project", tmp_path / "work", symlinks=True))
    given = {name: value for name, value in warehouse.environ.items() if name != "WAREHOUSE_PASSWORD"}
    given |= {
        contract.ENGINE: "meltano",
        contract.COMMAND: json.dumps(["run", "tap-nycflights", "target-postgres"]),
        contract.NAMES: json.dumps(list(given)),
        contract.SECRET_NAMES: '["DOTENV"]',
        contract.FILES: json.dumps({".env": {"secret": "DOTENV", "mode": "0600", "base64": True}}),
        "DOTENV": base64.b64encode(f"WAREHOUSE_PASSWORD='{PASSWORD}'\n".encode()).decode(),
        "MELTANO_ENVIRONMENT": "prod",
    }

    done = run(meltano_image / "venv" / "bin", workdir, archive, given, "load")

    assert done.code == 0
    assert stat.S_IMODE((workdir / ".env").stat().st_mode) == 0o600
    assert PASSWORD not in done.text


def test_meltano_says_why_it_failed(meltano_image: Path, workdir: Path, archive: Path, warehouse: Warehouse) -> None:
    """A wrong password: Meltano's own exit code, the target's own words, and no password."""
    done = meltano(
        meltano_image, workdir, archive, warehouse, "run", "tap-nycflights", "target-postgres",
        WAREHOUSE_PASSWORD="wrong-horse",
    )  # fmt: skip

    assert done.code == contract.Exit.FAILED
    assert "password authentication failed" in done.text
    assert "wrong-horse" not in done.text


def test_openmetadata_catalogues_the_warehouse(
    archive: Path,
    warehouse: Warehouse,
    catalogue: tuple[Path, str],
    tmp_path: Path,
) -> None:
    """The sample's workflow file against a real database: its tables are recorded, counts and run id reported.

    The catalogue is behind TLS with an authority of its own, whose certificate is a secret that the runtime writes to
    where `openmetadata.ca_certificate` has it.
    """
    state, address = catalogue
    with psycopg.connect(postgres.conninfo(warehouse.port, PASSWORD)) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS raw")
        connection.execute("CREATE TABLE IF NOT EXISTS raw.extra (id int PRIMARY KEY)")
    config = yaml.safe_load((ROOT / "ingestion" / "warehouse.yaml").read_text())
    names = warehouse.environ | {"OM_JWT": "test-token"}
    with tls_in_front_of(int(address.rpartition(":")[2].removesuffix("/api")), tmp_path) as (ca, port):
        with pytest.raises(ssl.SSLCertVerificationError), socket.create_connection(("127.0.0.1", port)) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")
        block = server_block(f"https://127.0.0.1:{port}/api")
        block |= {"verifySSL": "validate", "sslConfig": {"caCertificate": SERVER_CERTIFICATE}}
        config["workflowConfig"]["openMetadataServerConfig"] = block
        given = {
            contract.FILES: json.dumps({SERVER_CERTIFICATE: {"secret": "OM_CA", "mode": "0644"}}),
            contract.ROOT: str(tmp_path / "root"),
            "OM_CA": ca.read_text(),
        }
        done = openmetadata(archive, tmp_path, config, names, "metadata", **given)

    assert done.code == 0
    tables = {entity.fqn.rsplit(".", 1)[-1] for entity in client.entities(state, "table")}
    assert tables == set(warehouse.counts())
    assert done.metric["Records"] >= len(tables)
    assert (done.metric["Failures"], done.metric["PeakMemory"] > 50) == (0, True)
    assert done.text.count("Workflow Success %") == 1
    assert "\x1b" not in done.text
    assert PASSWORD not in done.text


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"source": {"type": "postgres", "serviceName": "x"}, "sink": {"type": "metadata-rest"}}, "is refused by"),
        ({"source": {"type": "postgres", "serviceName": "${NOBODY}"}}, "${NOBODY}"),
    ],
)
def test_openmetadata_refuses_a_wrong_config(archive: Path, tmp_path: Path, config: dict[str, Any], says: str) -> None:
    """The package's own words, the documented exit code, and no traceback."""
    done = openmetadata(archive, tmp_path, config, {"OM_JWT": "test-token"}, "metadata")

    assert done.code == contract.Exit.WRONG_INPUT
    assert says in done.text
    assert "Traceback" not in done.text


def test_openmetadata_says_that_the_source_refuses_it(
    archive: Path, warehouse: Warehouse, catalogue: tuple[Path, str], tmp_path: Path
) -> None:
    """A wrong password of the source: a clear error at the end, and the code of a run that failed."""
    config = yaml.safe_load((ROOT / "ingestion" / "warehouse.yaml").read_text())
    config["workflowConfig"]["openMetadataServerConfig"] = server_block(catalogue[1])
    wrong = {"OM_JWT": "test-token", "WAREHOUSE_PASSWORD": "wrong-horse"}

    done = openmetadata(archive, tmp_path, config, warehouse.environ | wrong, "metadata")

    assert done.code == contract.Exit.FAILED
    found = diagnose(stopped(code=done.code), done.text.splitlines())
    assert "cannot work with the source" in found.cause
    assert "password authentication failed" in found.cause
    assert "password" in found.fix
    assert "Traceback" not in done.text
    assert "wrong-horse" not in done.text


def test_openmetadata_keeps_the_stock_contract(archive: Path, tmp_path: Path) -> None:
    """With upstream's variables and none of ours, the upstream image's users get what they are used to."""
    program = images.stock_environment(STOCK_IMAGE, print) / "bin"
    environ = {
        "PATH": f"{program}:{os.environ['PATH']}",
        "PYTHONPATH": str(archive),
        "config": yaml.safe_dump({"source": {"type": "postgres"}, "workflowConfig": {}}),
        "pipelineType": "metadata",
    }
    done = subprocess.run(
        [str(program / "python"), "-m", "penstock_runtime"],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode != 0
    assert "a run by the stock contract: openmetadata-ingestion 1.12.14.2, workflow type metadata" in done.stdout


def test_run_file_of_a_project_is_its_task(warehouse: Warehouse, catalogue: tuple[Path, str], tmp_path: Path) -> None:
    """`penstock run FILE`: the tables in the catalogue, the pipeline of the task that names the file, no secret."""
    state, address = catalogue
    with psycopg.connect(postgres.conninfo(warehouse.port, PASSWORD)) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS raw")
        connection.execute("CREATE TABLE IF NOT EXISTS raw.extra (id int PRIMARY KEY)")
    names = warehouse.environ | {"OM_JWT": "test-token", "OPENMETADATA_SERVER": address}
    done = run_file(ROOT / "ingestion" / "warehouse.yaml", tmp_path, names, "--project", str(ROOT))
    print(done.stdout, done.stderr)

    assert done.returncode == 0
    assert "metadata with OpenMetadata 1.12.14, as task catalogue of job" in done.stderr
    tables = {entity.fqn.rsplit(".", 1)[-1] for entity in client.entities(state, "table")}
    assert tables == set(warehouse.counts())
    (pipeline,) = client.entities(state, "ingestionPipeline")
    assert pipeline.fqn == "warehouse.metadata", "as the file itself says"
    assert "exit code 0" in done.stdout
    assert not [secret for secret in (PASSWORD, "test-token") if secret in done.stdout + done.stderr]


def test_run_file_outside_a_project_has_the_containers_exit_codes(tmp_path: Path) -> None:
    """No value: 2, and nothing is started. A server that is down: 1, with the container's words."""
    file = tmp_path / "w.yaml"
    file.write_text(
        "source:\n  type: sqlite\n  serviceName: s\n  serviceConnection: {config: {type: SQLite}}\n"
        "  sourceConfig: {config: {type: DatabaseMetadata}}\nsink: {type: metadata-rest, config: {}}\n"
        "workflowConfig: {openMetadataServerConfig: {securityConfig: {jwtToken: '${TOKEN}'}}}\n"
    )
    missing = run_file(file, tmp_path, {})
    down = run_file(file, tmp_path, {"TOKEN": "long-enough-token", "OPENMETADATA_SERVER": "http://127.0.0.1:9/api"})

    assert missing.returncode == contract.Exit.WRONG_INPUT
    assert f"{file}:7:72: ${{TOKEN}} has no value here" in missing.stderr
    assert down.returncode == contract.Exit.FAILED
    assert "cannot reach the OpenMetadata server http://127.0.0.1:9/api: it refuses the connection" in down.stdout
    assert "long-enough-token" not in down.stdout + down.stderr


def test_run_that_is_killed_is_not_left_as_running(archive: Path, catalogue: tuple[Path, str], tmp_path: Path) -> None:
    """The time limit ends the package before it can say so; the container sets the run to failed on the server."""
    _, address = catalogue
    service = asked(address, "PUT", "services/databaseServices", {"name": "s", "serviceType": "Postgres"})
    of = {"id": service["id"], "type": "databaseService"}
    asked(address, "PUT", "services/ingestionPipelines", {"name": "p", "service": of, "pipelineType": "metadata"})
    source = {"type": "postgres", "serviceName": "s"}
    config = {"source": source, "workflowConfig": {"openMetadataServerConfig": server_block(address)}}
    config |= {"ingestionPipelineFQN": "s.p"}
    given = {contract.TIMEOUT_SECONDS: "1"}
    done = openmetadata(archive, tmp_path, config, {"OM_JWT": "test-token"}, "metadata", **given)
    (run_of,) = asked(address, "GET", "services/ingestionPipelines/s.p/pipelineStatus")["data"]

    assert done.code == contract.Exit.TIMED_OUT
    assert "penstock: OpenMetadata shows this run of s.p as failed" in done.text
    assert (run_of["pipelineState"], run_of["startDate"] < run_of["endDate"]) == ("failed", True)
