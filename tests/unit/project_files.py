"""A small project on disk, and edits of it, for the tests of loading, compiling and bundling."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.project.load import load
from penstock.project.loaded import Project
from penstock_runtime.errors import InputError, InputErrors

PROJECT = """\
name: acme
environments:
  dev: {region: eu-west-1}
  prod: {region: eu-central-1, variables: {HOST: prod.acme.internal}}
network: {create: {cidr: 10.20.0.0/16}}
airflow: {create: {version: 3.0.6, class: mw1.small}}
openmetadata:
  server: https://catalog.acme.io/api
  version: 1.12.14
  auth: {jwt_token: "${OM_JWT}"}
meltano: {project: meltano, environment: prod}
secrets:
  OM_JWT: secretsmanager:openmetadata
  PASSWORD: secretsmanager:warehouse#password
variables: {HOST: dev.acme.internal}
defaults:
  task: {cpu_units: 512, memory_mib: 1024}
jobs:
  warehouse:
    tasks:
      - {name: load, meltano: tap-a target-b}
      - name: catalogue
        openmetadata: {type: metadata, config: warehouse.yaml}
schedules:
  - name: daily
    job: warehouse
    interval: "0 3 * * *"
    timezone: Europe/Berlin
"""

WORKFLOW = """\
source:
  type: postgres
  serviceName: warehouse
  serviceConnection:
    config: {type: Postgres, hostPort: "${HOST}:5432", authType: {password: "${PASSWORD}"}, username: u, database: d}
  sourceConfig: {config: {type: DatabaseMetadata}}
sink: {type: metadata-rest, config: {}}
"""

MELTANO = """\
default_environment: prod
environments: [{name: prod}]
plugins:
  loaders: [{name: target-b, config: {password: $PASSWORD}}]
"""


def write(folder: Path, *edits: tuple[str, str], files: Mapping[str, str | bytes] | None = None) -> Path:
    """Write the project with each edit made once in `penstock.yaml`, and `files` over the others; its path."""
    text = PROJECT
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    own = {"penstock.yaml": text, "warehouse.yaml": WORKFLOW, "meltano/meltano.yml": MELTANO}
    for name, content in {**own, **(files or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "penstock.yaml"


def loaded(folder: Path, *edits: tuple[str, str], files: Mapping[str, str | bytes] | None = None) -> Project:
    """The project, written as by `write` and read."""
    return load(write(folder, *edits, files=files))


def errors(path: Path) -> list[tuple[str, str, str]]:
    """What loading reports: (place, what, fix), places without the folder."""
    with pytest.raises(InputError) as caught:
        load(path)
    problems = caught.value.errors if isinstance(caught.value, InputErrors) else (caught.value,)
    return [(one.where.removeprefix(f"{path.parent}/"), one.what, one.fix) for one in problems]
