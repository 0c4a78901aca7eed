"""What starts the engines as a container does, in what stands for their images. Tests import it, fixtures too."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from penstock.local import cache, images, postgres, recipes
from penstock_runtime import contract
from penstock_runtime.plan.task_definition import Image
from stacks.ingestion.image import assemble
from tests.functional.servers import ROOT, database_server, recording_catalogue

STOCK_IMAGE = "docker.getcollate.io/openmetadata/ingestion-base:1.12.14"
PASSWORD = "pa:ss/w@rd%1"
"""With what a URL must quote. No space: OpenMetadata 1.12 writes it as `+`, which SQLAlchemy does not take for one."""
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
            counts = {}
            for (name,) in names.fetchall():
                row = connection.execute(f'SELECT count(*) FROM raw."{name}"').fetchone()
                counts[str(name)] = int(row[0]) if row else 0
        return counts


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


def openmetadata(
    archive: Path,
    folder: Path,
    config: dict[str, Any],
    names: dict[str, str],
    kind: str,
    *,
    image: str = STOCK_IMAGE,
    seconds: int = 120,
    **more: str,
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
    return run(images.stock_environment(image, print) / "bin", folder, archive, given, "catalogue", seconds)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A recording catalogue: its state folder, and its address."""
    with recording_catalogue(tmp_path, "test-token") as found:
        yield found


def server_block(address: str) -> dict[str, Any]:
    security = {"jwtToken": "${OM_JWT}"}
    return {"hostPort": address, "authProvider": "openmetadata", "securityConfig": security}


def run_file(file: Path, folder: Path, environ: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """`penstock run FILE` in a folder, with these variables of the shell only."""
    command = [sys.executable, "-c", "from penstock.cli.main import run; run()", *options, "run", str(file)]
    given = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PENSTOCK_CACHE": str(cache.root()), **environ}
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=200)


def asked(address: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """One call of the recording catalogue."""
    headers = {"Authorization": "Bearer test-token", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{address}/v1/{path}", data, headers, method=method)) as answer:
        return json.loads(answer.read() or b"null")
