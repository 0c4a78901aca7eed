"""`meltano.yml` read here, against what Meltano 4.4.1 itself lists: real projects and edge cases.

The corpora lie beside the repository; without them these tests are skipped. `expected.json` is the output of
`meltano schedule list --format=json`, `expected_error.txt` what Meltano says where it fails.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.document.problems import Problems
from penstock.project.meltano import listing
from penstock.project.meltano import project as meltano
from penstock.project.meltano.files import read_all
from penstock_runtime.errors import InputError
from tests.unit.project_files import loaded

CORPORA = Path(__file__).resolve().parents[4] / ".." / "shared" / "corpora"
CASES = sorted(
    path.parent for name in ("meltano", "meltano-synthetic") for path in (CORPORA / name).glob("*/meltano.yml")
)
LISTED = [case for case in CASES if (case / "expected.json").exists()]
FAILING = [case for case in CASES if not (case / "expected.json").exists()]

pytestmark = pytest.mark.skipif(not CASES, reason="the corpora of Meltano projects are not beside the repository")

STRICTER = {
    "interval-bad-alias": "unknown preset '@fortnightly'",
    "interval-bad-text": "has 2 fields",
    "interval-six-fields": "has 6 fields",
    "interval-int": "is not text",
    "tasks-null": "has no tasks",
}
"""Meltano lists these without looking, and they cannot become a DAG: refused here."""
MORE_LENIENT = {"env-date"}
"""Meltano's listing breaks on a date in `env`, as JSON has none; as an environment variable it is its text."""

DECLARED = {
    "gainy-app__gainy": (
        *("BIGQUERY_PROJECT_ID", "TARGET_POSTGRES_ANALYTICS_SCHEMA", "ALGOLIA_APP_ID", "ALGOLIA_INDEXING_API_KEY"),
    ),
    "DouweM__purrfect-dev-demo": ("TARGET_SNOWFLAKE_PASSWORD",),
}
"""What the plugins that schedules run refer to. Others refer to more: `AIRFLOW_DATABASE_URI` of an orchestrator."""


def _read(case: Path) -> tuple[meltano.MeltanoProject | None, str]:
    problems = Problems()
    project = meltano.read(case, case.name, problems, where="penstock.yaml:1:1")
    try:
        problems.raise_all()
    except InputError as error:
        return project, str(error)
    return project, ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _listing(project: meltano.MeltanoProject) -> list[tuple[object, ...]]:
    return sorted(
        (schedule.name, schedule.cron, schedule.job, schedule.tasks, schedule.elt, schedule.env)
        for schedule in project.schedules
    )


def _expected(case: Path) -> list[tuple[object, ...]]:
    listed = json.loads((case / "expected.json").read_text())["schedules"]

    def tasks(given: Any) -> tuple[tuple[str, ...], ...]:
        given = [given] if isinstance(given, str) else given
        return tuple(tuple(one) if isinstance(one, list) else (one,) for one in given)

    def env(one: Any) -> dict[str, str]:
        return {name: _text(value) for name, value in one["env"].items() if value is not None}

    head = [(str(one["name"]), one["cron_interval"], one) for one in listed["job"] + listed["elt"]]
    return sorted(
        (*first, one["job"]["name"], tasks(one["job"]["tasks"]), (), env(one))
        if "job" in one
        else (*first, None, (), tuple(one["elt_args"]), env(one))
        for *first, one in head
    )


@pytest.mark.parametrize("case", [case for case in LISTED if case.name not in STRICTER], ids=lambda case: case.name)
def test_listing_is_meltanos(case: Path) -> None:
    """Names, cron, jobs, tasks, arguments and environment: as Meltano lists them."""
    project, error = _read(case)

    assert error == ""
    assert project is not None
    assert _listing(project) == _expected(case)


@pytest.mark.parametrize("case", LISTED, ids=lambda case: case.name)
def test_the_json_is_meltanos(case: Path) -> None:
    """`penstock schedule list --format=json` of Meltano's schedules: the same keys and values, in the same order."""
    documents = [document for _, document in read_all(case, case.name, where="penstock.yaml:1:1")]
    listed = listing.schedules(documents)
    expected = json.loads((case / "expected.json").read_text())["schedules"]

    if case.name == "include-order":  # Meltano's follows the file system there
        listed, expected = (
            {kind: sorted(schedules[kind], key=lambda schedule: str(schedule["name"])) for kind in schedules}
            for schedules in (listed, expected)
        )
    assert json.dumps(listed) == json.dumps(expected)


@pytest.mark.parametrize("case", [case for case in LISTED if case.name in STRICTER], ids=lambda case: case.name)
def test_what_cannot_become_a_dag_is_left_out(case: Path) -> None:
    """With the file and the line, instead of a DAG that disappears without a word."""
    project, error = _read(case)

    assert project is not None
    assert error == ""
    assert [problem.where.startswith(f"{case.name}/meltano.yml:") for problem in project.left_out] == [True]
    assert STRICTER[case.name] in project.left_out[0].what


@pytest.mark.parametrize(
    "case", [case for case in FAILING if case.name not in MORE_LENIENT], ids=lambda case: case.name
)
def test_what_meltano_lists_nothing_for_stops_that_schedule_alone(case: Path) -> None:
    """With the file and the line, instead of a TypeError and no DAG at all."""
    project, error = _read(case)

    assert project is not None
    assert error == ""
    (problem,) = project.left_out
    assert problem.where.startswith(f"{case.name}/meltano.yml:")
    assert problem.fix
    assert problem.what.startswith("schedule 's' is left out: it ")


@pytest.mark.parametrize("case", [case for case in CASES if case.parent.name == "meltano"], ids=lambda case: case.name)
def test_real_project_compiles_as_it_is(case: Path, tmp_path: Path) -> None:
    """Each schedule becomes one DAG under Meltano's own id, once the project declares what its runs refer to."""
    files = {f"meltano/{path.relative_to(case).as_posix()}": path.read_bytes() for path in case.rglob("*.yml")}
    environments = _read(case)[0]
    assert environments is not None
    name = environments.default_environment or min(environments.environments, default="prod")
    if not environments.environments:
        files["meltano/meltano.yml"] += f"\nenvironments: [{{name: {name}}}]\n".encode()
    declared = "".join(f"  {one}: secretsmanager:x\n" for one in DECLARED.get(case.name, ()))
    edits = [("environment: prod}", f"environment: {name}}}"), ("  OM_JWT:", f"{declared}  OM_JWT:")]
    project = loaded(tmp_path, *edits, files=files)
    plan = compile_plan(project)

    ids = {schedule.dag_id for schedule in environments.schedules}
    assert {schedule.dag_id for schedule in plan.schedules} == ids | {"daily"}
