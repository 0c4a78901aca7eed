"""What pip installs to run a project's workflows."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock.cli.main import app
from penstock.project.rules.workflow_requirements import requirements
from penstock_runtime.errors import InputError
from tests.unit.project_files import MELTANO, loaded, write

TASK = "        openmetadata: {type: metadata, config: warehouse.yaml}\n"
MORE = """\
      - {name: dbt, openmetadata: {type: dbt, config: dbt.yaml}}
      - {name: tests, openmetadata: {type: TestSuite, config: tests.yaml}}
      - {name: usage, openmetadata: {type: usage, config: usage.yaml}}
      - {name: domo, openmetadata: {type: metadata, config: domo.yaml}}
"""
SINK = "sink: {type: metadata-rest, config: {}}\n"
FILES = {
    "dbt.yaml": f"source: {{type: dbt, serviceName: w, sourceConfig: {{config: {{type: DBT}}}}}}\n{SINK}",
    "tests.yaml": "source: {type: TestSuite, serviceName: w, sourceConfig: {config: {type: TestSuite, "
    "serviceConnections: [{serviceName: s, serviceConnection: {config: {type: Snowflake}}}]}}}\n"
    f"processor: {{type: orm-test-runner, config: {{}}}}\n{SINK}",
    "usage.yaml": "source: {type: redshift-usage, serviceName: r, sourceConfig: {config: {type: DatabaseUsage}}}\n"
    "processor: {type: query-parser, config: {}}\n"
    "stage: {type: table-usage, config: {filename: /tmp/queries}}\n"
    "bulkSink: {type: metadata-usage, config: {filename: /tmp/queries}}\n",
    "domo.yaml": "source: {type: domodatabase, serviceName: d, sourceConfig: {config: {type: DatabaseMetadata}}}\n"
    f"{SINK}",
}


def test_extras_follow_the_sources_in_use(tmp_path: Path) -> None:
    """Of all workflows that tasks run, each once; a connection of a data test counts, too."""
    project = loaded(tmp_path, (TASK, TASK + MORE), files=FILES)

    package = requirements(project.environment(), project.workflows)[1]
    assert package == "openmetadata-ingestion[dbt,domo,postgres,redshift,snowflake]==1.12.14.*"


def test_command_prints_a_file_that_uv_takes(tmp_path: Path) -> None:
    """With what the package needs besides, and why."""
    done = CliRunner().invoke(app, ["--project", str(write(tmp_path)), "requirements"])

    assert done.exit_code == 0
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert lines == ["openmetadata-ingestion[postgres]==1.12.14.*", "cachetools", "dbt-core<1.12"]
    assert "does not declare it" in done.stdout


def test_project_without_a_server_is_told(tmp_path: Path) -> None:
    """Its version says what to install."""
    server = """\
openmetadata:
  server: https://catalog.acme.io/api
  version: 1.12.14
  auth: {jwt_token: "${OM_JWT}"}
"""
    task = "      - name: catalogue\n" + TASK
    project = loaded(tmp_path, (server, ""), (task, ""), files={"meltano/meltano.yml": MELTANO})

    with pytest.raises(InputError, match="names no OpenMetadata server"):
        requirements(project.environment(), project.workflows)
