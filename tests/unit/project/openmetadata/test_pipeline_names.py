"""The name by which OpenMetadata shows a task's runs: of one task only, whatever the names of jobs and tasks hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from penstock.compile.compiler import compile_plan
from penstock_runtime.errors import InputErrors
from tests.unit.project_files import PROJECT, WORKFLOW, loaded

JOBS, SCHEDULES = PROJECT[PROJECT.index("jobs:") : PROJECT.index("schedules:")], PROJECT[PROJECT.index("schedules:") :]


def pipelines(folder: Path, jobs: dict[str, str], workflow: str = WORKFLOW) -> list[str]:
    """`ingestionPipelineFQN` of each job's one task: job → task's name."""
    task = "openmetadata: {type: metadata, config: warehouse.yaml}"
    jobs_text = "jobs:\n" + "".join(f"  {job}: {{tasks: [{{name: {name}, {task}}}]}}\n" for job, name in jobs.items())
    ran = "schedules:\n" + "".join(
        f'  - {{name: s{index}, job: {job}, interval: "0 3 * * *"}}\n' for index, job in enumerate(jobs)
    )
    project = loaded(folder, (JOBS, jobs_text), (SCHEDULES, ran), files={"warehouse.yaml": workflow})
    return sorted(
        yaml.safe_load(config.text)["ingestionPipelineFQN"] for config in compile_plan(project, "dev").configs
    )


def test_a_dot_in_a_name_is_quoted(tmp_path: Path) -> None:
    """Otherwise what stands behind the last dot is the pipeline, and two jobs share it."""
    assert pipelines(tmp_path, {"flights.nightly": "tables", "sales.nightly": "tables", "plain": "tables.v2"}) == [
        'warehouse."acme-dev-flights.nightly-tables"',
        'warehouse."acme-dev-plain-tables.v2"',
        'warehouse."acme-dev-sales.nightly-tables"',
    ]


@pytest.mark.parametrize(
    ("service", "part"),
    [("acme.wh", '"acme.wh"'), ("'\"acme.wh\"'", '"acme.wh"'), ("'\"acme wh\"'", "acme wh"), ("acme wh", "acme wh")],
)
def test_a_service_is_quoted_once_and_only_where_it_must_be(tmp_path: Path, service: str, part: str) -> None:
    """Marks of the user's own stay; what splits the name cannot read marks around one without a dot."""
    workflow = WORKFLOW.replace("serviceName: warehouse", f"serviceName: {service}")

    assert pipelines(tmp_path, {"j": "t"}, workflow) == [f"{part}.acme-dev-j-t"]


def test_two_tasks_of_one_pipeline_are_an_error(tmp_path: Path) -> None:
    """`a-b` and `c` make the same name as `a` and `b-c`."""
    with pytest.raises(InputErrors) as caught:
        pipelines(tmp_path, {"a-b": "c", "a": "b-c"})
    (error,) = caught.value.errors

    assert "of 'c' of job 'a-b' as one pipeline: acme-dev-a-b-c" in error.what
    assert error.fix == "rename one of the two tasks"


OFF = "enableStreamableLogs: false\n"


@pytest.mark.parametrize(
    ("version", "own", "found"),
    [
        ("2.0.6", "", True),
        ("2.1.0", "", True),
        ("1.12.14", "", None),
        ("2.0.6", "enableStreamableLogs: false\n", False),
    ],
)
def test_log_goes_to_the_server_where_the_version_can(
    tmp_path: Path, version: str, own: str, found: bool | None
) -> None:
    """Unless the file says otherwise."""
    project = loaded(tmp_path, ("version: 1.12.14", f"version: {version}"), files={"warehouse.yaml": WORKFLOW + own})
    (config,) = compile_plan(project, "dev").configs

    assert yaml.safe_load(config.text).get("enableStreamableLogs") is found
