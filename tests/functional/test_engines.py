"""The engines with the real Meltano and the real OpenMetadata package, in what stands for their images."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from penstock.local import images, postgres, recipes
from penstock.local.catalogue import client
from penstock.project.files.named import SERVER_CERTIFICATE
from penstock_runtime import contract
from penstock_runtime.plan.task_definition import Image
from stacks.ingestion.image import assemble
from tests import canaries
from tests.functional.servers import ROOT, database_server, recording_catalogue, tls_in_front_of

STOCK_IMAGE = "docker.getcollate.io/openmetadata/ingestion-base:1.12.14"
PASSWORD = "pa:ss/w@rd%1"
"""With what a URL must quote. No space: OpenMetadata 1.12 writes it as `+`, which SQLAlchemy does not take for one."""
JANUARY = {"airlines": 16, "airports": 1458, "flights": 27004, "planes": 3322, "weather": 2226}
RUN = {"project": "flights", "environment": "dev", "schedule": "daily", "job": "flights", "dag_run": "manual", "try": 1}


@dataclass
class Warehouse:
    """An empty PostgreSQL database, and the sample's variables for it."""

    port: int

    @property
    def environ(self) -> dict[str, str]:
        return {
            "WAREHOUSE_HOST": "127.0.0.1",
            "WAREHOUSE_PORT": str(self.port),
            "WAREHOUSE_DATABASE": "postgres",
            "WAREHOUSE_USER": "postgres",
            "WAREHOUSE_PASSWORD": PASSWORD,
        }

    def counts(self) -> dict[str, int]:
        with psycopg.connect(postgres.conninfo(self.port, PASSWORD)) as connection:
            names = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'raw'")
            found = {}
            for (name,) in names.fetchall():
                row = connection.execute(f'SELECT count(*) FROM raw."{name}"').fetchone()
                found[str(name)] = int(row[0]) if row else 0
        return found


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with database_server(tmp_path_factory.mktemp("warehouse"), PASSWORD) as port:
        yield Warehouse(port)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime as the container gets it: a zip."""
    path = tmp_path_factory.mktemp("runtime") / "penstock_runtime.zip"
    with zipfile.ZipFile(path, "w") as file:
        for source in sorted((ROOT / "runtime" / "penstock_runtime").rglob("*.py")):
            file.write(source, source.relative_to(ROOT / "runtime"))
    return path


@dataclass
class Done:
    code: int
    text: str

    @property
    def metric(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.text.splitlines()[-1])
        return record


def run(program: Path, cwd: Path, archive: Path, environ: dict[str, str], task: str, seconds: int = 120) -> Done:
    """What the container's entry point does once it has the archive."""
    full = {
        "PATH": f"{program}:/usr/bin:/bin",
        "HOME": str(cwd),
        "PYTHONPATH": str(archive),
        contract.RUN: json.dumps(RUN | {"task": task}),
        contract.TIMEOUT_SECONDS: str(seconds),
        contract.SECRET_NAMES: '["WAREHOUSE_PASSWORD", "OM_JWT"]',
        **environ,
    }
    done = subprocess.run(
        [str(program / "python"), "-m", "penstock_runtime"],
        env=full,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + 60,
    )
    print(done.stdout)
    return Done(done.returncode, done.stdout)


@pytest.fixture(scope="module")
def meltano_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's Meltano image, made by its recipe."""
    context = tmp_path_factory.mktemp("image") / "context"
    assemble(Image("built", "meltano", "ingestion/meltano"), ROOT, context)
    return recipes.build(context, print)


@pytest.fixture(scope="module")
def workdir(meltano_image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the image's working directory, as each container has one."""
    return Path(shutil.copytree(meltano_image / "project", tmp_path_factory.mktemp("work") / "work", symlinks=True))


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


def test_a_command_reads_a_secret_file(archive: Path, tmp_path: Path) -> None:
    """By its path in the container; its content is masked, although the variable holds it as base64."""
    root, code = tmp_path / "root", "print(open('/run/acme/key.txt').read())"
    given = {
        contract.ENGINE: "command",
        contract.COMMAND: json.dumps(["python", "-c", code]),
        contract.SECRET_NAMES: '["KEY"]',
        contract.FILES: json.dumps({"/run/acme/key.txt": {"secret": "KEY", "mode": "0400", "base64": True}}),
        contract.ROOT: str(root),
        "KEY": base64.b64encode(PASSWORD.encode()).decode(),
    }

    done = run(images.stock_environment(STOCK_IMAGE, print) / "bin", tmp_path, archive, given, "read")

    assert done.code == 0
    assert done.text.splitlines()[1] == "***"
    assert (root / "run" / "acme" / "key.txt").read_text() == PASSWORD


def test_meltano_says_why_it_failed(meltano_image: Path, workdir: Path, archive: Path, warehouse: Warehouse) -> None:
    """A wrong password: Meltano's own exit code, the target's own words, and no password."""
    done = meltano(
        meltano_image, workdir, archive, warehouse, "run", "tap-nycflights", "target-postgres",
        WAREHOUSE_PASSWORD="wrong-horse",
    )  # fmt: skip

    assert done.code == contract.Exit.FAILED
    assert "password authentication failed" in done.text
    assert "wrong-horse" not in done.text


def openmetadata(
    archive: Path, folder: Path, config: dict[str, Any], names: dict[str, str], kind: str, **more: str
) -> Done:
    text = yaml.safe_dump(config)
    path = folder / "config.yaml"
    path.write_text(text)
    given = {
        contract.ENGINE: "openmetadata",
        contract.WORKFLOW_TYPE: kind,
        contract.CONFIG_URI: path.as_uri(),
        contract.CONFIG_SHA256: hashlib.sha256(text.encode()).hexdigest(),
        contract.NAMES: json.dumps(list(names)),
        **names,
        **more,
    }
    return run(images.stock_environment(STOCK_IMAGE, print) / "bin", folder, archive, given, "catalogue")


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A recording catalogue: its state folder, and its address."""
    with recording_catalogue(tmp_path, "test-token") as found:
        yield found


def server_block(address: str) -> dict[str, Any]:
    security = {"jwtToken": "${OM_JWT}"}
    return {"hostPort": address, "authProvider": "openmetadata", "securityConfig": security}


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
    assert "penstock: cannot work with the source" in done.text
    assert "Traceback" not in done.text
    assert "wrong-horse" not in done.text


CANARIES = {**canaries.SECRETS, contract.SECRET_NAMES: json.dumps(list(canaries.SECRETS))}


def check_no_trace(done: Done) -> None:
    """Every form was printed, and nothing of a secret is in the log."""
    printed = [name for name in canaries.SECRETS if name != "CANARY_PIN"]
    for form in canaries.forms(""):
        assert all(f"{name}, {form}: " in done.text for name in printed), form
    shown = [
        line
        for line in done.text.splitlines()
        if any(trace in line.lower() for trace in map(str.lower, canaries.TRACES))
    ]
    assert shown == []
    assert "a field: *** *** '***'" in done.text
    assert "a field, nested: *** ***" in done.text
    assert "the password of the address: ***" in done.text
    assert "penstock: not masked in this log, because they are shorter than 4 characters: CANARY_PIN" in done.text
    assert "penstock: not masked in this log: 2 short or common values inside CANARY_JSON" in done.text


def test_a_command_prints_no_secret(archive: Path, tmp_path: Path) -> None:
    """In whatever form it prints them."""
    given = {
        contract.ENGINE: "command",
        contract.COMMAND: json.dumps([sys.executable, canaries.__file__]),
        contract.NAMES: json.dumps(list(canaries.SECRETS)),
        **CANARIES,
    }

    done = run(Path(sys.executable).parent, tmp_path, archive, given, "canary")

    assert done.code == 0
    check_no_trace(done)


def test_meltano_prints_no_secret(meltano_image: Path, workdir: Path, archive: Path, tmp_path: Path) -> None:
    """A plugin of the project that prints them, through Meltano's own log and beside it."""
    project = tmp_path / "project"
    shutil.copytree(workdir, project, symlinks=True)
    document = yaml.safe_load((project / "meltano.yml").read_text())
    plugin = {
        "name": "canary",
        "namespace": "canary",
        "executable": str(project / "canary"),
        "commands": {"print": "all"},
    }
    document.setdefault("plugins", {})["utilities"] = [plugin]
    (project / "meltano.yml").write_text(yaml.safe_dump(document))
    (project / "canary").write_text(f"#!{sys.executable}\n{Path(canaries.__file__).read_text()}")
    (project / "canary").chmod(0o755)
    given = {
        contract.ENGINE: "meltano",
        contract.COMMAND: json.dumps(["run", "canary:print"]),
        contract.NAMES: json.dumps(list(canaries.SECRETS)),
        "MELTANO_ENVIRONMENT": "prod",
        **Warehouse(1).environ,
        **CANARIES,
    }

    done = run(meltano_image / "venv" / "bin", project, archive, given, "canary")

    assert done.code == 0
    check_no_trace(done)


SOURCE = """
from metadata.ingestion.api.steps import Source
from tests_canaries import forms, print_all

print_all()


class Canary(Source):
    @classmethod
    def create(cls, config_dict, metadata, pipeline_name=None):
        from requests import Request
        from requests.auth import HTTPBasicAuth
        from sqlalchemy.engine.url import URL
        import os

        secret = os.environ["CANARY"]
        auth = HTTPBasicAuth("loader", secret.encode())
        print("requests:", Request("GET", "http://x/?p=1", params={"password": secret}, auth=auth).prepare().headers)
        print("requests:", Request("GET", "http://x/", params={"password": secret}).prepare().url)
        url = URL.create("postgresql", "loader", secret, "db", 5432, "warehouse")
        print("SQLAlchemy:", url.render_as_string(hide_password=False))
        raise RuntimeError(f"cannot log in with {secret!r}, {[secret.encode()]}")
"""


def test_openmetadata_prints_no_secret(archive: Path, catalogue: tuple[Path, str], tmp_path: Path) -> None:
    """A source of the project's own that prints them, also by the package's own clients, and in an exception."""
    (tmp_path / "canary_source.py").write_text(SOURCE)
    shutil.copy(canaries.__file__, tmp_path / "tests_canaries.py")
    connection = {"type": "CustomDatabase", "sourcePythonClass": "canary_source.Canary"}
    config = {
        "source": {
            "type": "CustomDatabase",
            "serviceName": "canary",
            "serviceConnection": {"config": connection},
            "sourceConfig": {"config": {"type": "DatabaseMetadata"}},
        },
        "sink": {"type": "metadata-rest", "config": {}},
        "workflowConfig": {"loggerLevel": "DEBUG", "openMetadataServerConfig": server_block(catalogue[1])},
    }
    names = {**CANARIES, "OM_JWT": "test-token", "PYTHONPATH": f"{archive}{os.pathsep}{tmp_path}"}

    done = openmetadata(archive, tmp_path, config, names, "metadata")

    assert done.code != 0
    check_no_trace(done)
    assert done.text.count("requests: ") == 2
    # The package's SQLAlchemy leaves the end of the line unchanged.
    assert "SQLAlchemy: postgresql://loader:***\n***@db:5432/warehouse" in done.text
    assert "RuntimeError: cannot log in with" in done.text


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
