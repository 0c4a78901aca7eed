"""A fault proxy before an embedded AWS, for tests. Not a conftest: tests import it."""

from __future__ import annotations

import contextlib
import http.client
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from penstock.local.aws.endpoint import Endpoint, Keys
from penstock.local.faults.client import Faults
from penstock.local.faults.place import Place
from tests.functional.embedded import REGION, ROOT, Aws, aws, free_port, until

__all__ = ["aws"]

FILE = "# from the file\nfaults: [{call: sts:*, fault: error, code: FromFile}]\n"


@dataclass
class Proxied:
    """A proxy before an embedded AWS."""

    aws: Aws
    place: Place
    faults: Faults
    file: Path
    log: Path
    process: subprocess.Popen[bytes]

    def client(self, service: str, *, origin: str = "airflow", attempts: int = 1, **config: Any) -> Any:
        """A client that goes through the proxy, with the root key unless `keys` are given."""
        keys: Keys = config.pop("keys", None) or self.aws.endpoint.root()
        endpoint: Endpoint = self.aws.endpoint.through(getattr(self.place, origin))
        return boto3.client(
            service,  # type: ignore[call-overload]  any service
            endpoint_url=endpoint.url,
            region_name=REGION,
            verify=str(endpoint.ca),
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token,
            config=Config(retries={"total_max_attempts": attempts}, inject_host_prefix=False, **config),
        )

    def tasks(self) -> set[str]:
        """The tasks that the embedded ECS knows, asked for directly."""
        ecs = self.aws.client("ecs")
        return {
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster="main", desiredStatus=status)["taskArns"]
        }

    def connection(self) -> http.client.HTTPSConnection:
        """A connection to Airflow's port, without boto3."""
        trusted = ssl.create_default_context(cafile=str(self.aws.endpoint.ca))
        return http.client.HTTPSConnection("127.0.0.1", self.place.airflow, context=trusted, timeout=20)


@contextlib.contextmanager
def proxying(aws: Aws, folder: Path) -> Iterator[Proxied]:
    """Start a proxy with a file of one rule."""
    state, file, log = folder / "faults", folder / "faults.yaml", folder / "faults.log"
    file.write_text(FILE)
    command = [sys.executable, "-m", "penstock.local.faults", "--state", str(state), "--aws", str(aws.server.state)]
    command += ["--file", str(file)]
    for name in ("airflow", "tasks", "desk", "control"):
        command += [f"--{name}", str(free_port())]
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        place = until(lambda: Place.load(state) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield Proxied(aws, place, Faults(place.url), file, log, process)
    finally:
        if process.poll() is None:
            process.terminate()
            assert process.wait(10) == 0


@pytest.fixture(scope="module")
def shared(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    with proxying(aws, tmp_path_factory.mktemp("proxy")) as found:
        yield found


@pytest.fixture
def proxied(shared: Proxied) -> Proxied:
    """A proxy that lets everything pass."""
    shared.faults.clear()
    return shared
