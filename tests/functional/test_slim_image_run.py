"""A slim OpenMetadata image: built by its recipe from a lock of the project's own, deployed, run by the embedded ECS.

The lock is the one that stands for the stock image elsewhere: it has one connector, PostgreSQL's.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from penstock.local import cache, images, postgres
from penstock.local.catalogue import client
from penstock.local.images import Manifest
from penstock_runtime import contract
from tests.functional.embedded_system import EmbeddedSystem, copy_sample
from tests.functional.permission_system import Deployed, deployed_project
from tests.functional.servers import ROOT, database_server, recording_catalogue

LOCK = ROOT / "requirements" / "images" / "openmetadata-1.12.txt"
TABLES = {"airlines", "airports"}
PASSWORD, TOKEN = "value-of-WAREHOUSE_PASSWORD", "value-of-OM_JWT"
"""What `deployed_project` puts into the secrets."""
LEFT_OUT: dict[str, tuple[dict[str, Any], str]] = {
    # source.type: (its connection, what is missing first); of these `penstock validate` knows nothing
    "doris": ({"type": "Doris", "hostPort": "127.0.0.1:9", "username": "u"}, "'pydoris'"),
    "cassandra": ({"type": "Cassandra", "hostPort": "127.0.0.1:9"}, "'cassandra'"),
    "druid": ({"type": "Druid", "hostPort": "127.0.0.1:9"}, "dialects:druid"),
}
PACKAGES = """
import importlib.metadata, importlib.util, json, sys
held = {one.metadata["Name"]: one.version for one in importlib.metadata.distributions()}
print(json.dumps([held, [name for name in sys.argv[1:] if importlib.util.find_spec(name)]]))
"""


def slim(folder: Path, sources: dict[str, dict[str, Any]]) -> None:
    """The sample, with a slim image declared, and a task for a source of each of these types."""
    copy_sample(folder)
    (folder / "slim").mkdir()
    shutil.copy(LOCK, folder / "slim" / "requirements.txt")
    file, tasks = folder / "penstock.yaml", []
    for source, connection in sources.items():
        workflow = yaml.safe_load((folder / "ingestion" / "warehouse.yaml").read_text())
        workflow["source"] |= {"type": source, "serviceName": source, "serviceConnection": {"config": connection}}
        (folder / "ingestion" / f"{source}.yaml").write_text(yaml.safe_dump(workflow))
        tasks.append({"name": source, "openmetadata": {"type": "metadata", "config": f"ingestion/{source}.yaml"}})
    project = yaml.safe_load(file.read_text())
    project["images"] = {"openmetadata": {"build": "slim"}}
    project["jobs"]["left-out"] = {"tasks": tasks}
    project["schedules"].append({"name": "left-out", "job": "left-out", "interval": "@manual"})
    file.write_text(yaml.safe_dump(project, sort_keys=False))


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A recording catalogue: its state folder, and its address."""
    with recording_catalogue(tmp_path_factory.mktemp("catalogue"), TOKEN) as found:
        yield found


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, catalogue: tuple[Path, str]) -> Iterator[Deployed]:
    """The sample with a slim image, deployed, and a warehouse with two tables."""
    folder = tmp_path_factory.mktemp("slim")
    slim(folder, {source: connection for source, (connection, _) in LEFT_OUT.items()})
    with database_server(tmp_path_factory.mktemp("warehouse"), PASSWORD) as port:
        with psycopg.connect(postgres.conninfo(port, PASSWORD)) as connection:
            connection.execute("CREATE SCHEMA raw")
            connection.execute("CREATE TABLE raw.airlines (carrier text PRIMARY KEY)")
            connection.execute("CREATE TABLE raw.airports (faa text PRIMARY KEY)")
        variables = {
            contract.SERVER_VARIABLE: catalogue[1],
            "WAREHOUSE_HOST": "127.0.0.1",
            "WAREHOUSE_PORT": str(port),
            "WAREHOUSE_DATABASE": "postgres",
            "WAREHOUSE_USER": "postgres",
        }
        with deployed_project(folder, variables, partial(images.register_stock, report=print)) as found:
            yield found


@pytest.fixture(scope="module")
def image(system: Deployed) -> Manifest:
    """What the embedded ECS pulls for the sample's metadata workflow."""
    family = system.task("catalogue").family
    definition = system.root("ecs").describe_task_definition(taskDefinition=family)["taskDefinition"]
    stand_in = images.load(system.instance.folder / "images", definition["containerDefinitions"][0]["image"])
    assert stand_in is not None
    return stand_in


def test_the_image_holds_the_lock_and_nothing_else(image: Manifest) -> None:
    """Made by the recipe, once for the same lock; connectors that nobody asked for are not there."""
    (programs,) = map(Path, image.path)
    asked = ["psycopg2", "snowflake", "sqlalchemy_redshift", "pyhive"]
    done = subprocess.run([programs / "python", "-c", PACKAGES, *asked], capture_output=True, text=True, check=True)
    held, importable = json.loads(done.stdout)
    pinned = dict(re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s\\]+)", LOCK.read_text(), re.MULTILINE))

    assert programs.is_relative_to(cache.root() / "images")
    assert {_normal(name): version for name, version in held.items()} == pinned
    assert importable == ["psycopg2"]


def test_the_workflow_runs_in_it(system: Deployed, catalogue: tuple[Path, str]) -> None:
    """The sample's own file: every table of the warehouse arrives in the catalogue."""
    ended = system.ended(system.start(system.task("catalogue")), seconds=90)

    assert ended.code == 0, ended.text
    assert {one.fqn.rsplit(".", 1)[-1] for one in client.entities(catalogue[0], "table")} == TABLES
    assert PASSWORD not in ended.text


@pytest.mark.parametrize("source", LEFT_OUT)
def test_the_log_says_which_connector_is_left_out(system: Deployed, source: str) -> None:
    """What is missing, what to do, and the documented exit code; no traceback."""
    ended = system.ended(system.start(system.task(source)), seconds=60)

    said = f"penstock: the image lacks what a source of type {source} needs: "
    (line,) = [one for one in ended.lines if one.startswith(said)]
    assert LEFT_OUT[source][1] in line
    assert "fix: add the connector's extra to openmetadata-ingestion[…]" in ended.text
    assert "Traceback" not in ended.text
    assert ended.code == contract.Exit.WRONG_INPUT


def test_validate_says_which_connector_is_left_out(tmp_path: Path) -> None:
    """Where it is known what a source needs, before anything is built."""
    slim(tmp_path, {"redshift": {"type": "Redshift", "hostPort": "127.0.0.1:5439", "database": "d"}})
    done = EmbeddedSystem(tmp_path).cli("validate", check=False)

    assert done.returncode == 2
    assert "slim/requirements.txt has no sqlalchemy-redshift, which a source of type redshift needs" in done.stderr
    assert "openmetadata-ingestion[redshift]" in done.stderr


def _normal(name: str) -> str:
    """A package's name as a lock has it."""
    return re.sub(r"[-_.]+", "-", name).lower()
