"""Which way leads to MWAA's own metadata, by versions and operator."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.problem import Problem
from penstock.project.airflow.catalogue import Choice, Way, choose
from tests.unit.project_files import errors, loaded, write

AIRFLOW = "airflow: {create: {version: 3.0.6, class: mw1.small}}"
CATALOGUED = "airflow: {catalogue: true, create: {version: 3.0.6, class: mw1.small}}"
VERSION = "  version: 1.12.14\n"
TWO = "airflow: {catalogue: %s, create: {version: 2.11.0, class: mw1.small}}"


@pytest.mark.parametrize(
    ("openmetadata", "airflow", "operator", "way"),
    [
        ("1.12.0", "3.0.6", "ecs", "rest"),
        ("1.12.14", "2.11.0", "ecs", "rest"),
        ("1.13.3", "3.3.1", "virtualenv", "rest"),
        ("2.0.6", "2.10.3", "ecs", "rest"),
        ("1.11.9", "2.11.0", "ecs", "database"),
        ("1.6.13", "2.9.2", "ecs", "database"),
        ("1.6.13", "2.11.0", "docker", "database"),
    ],
)
def test_best_way_of_these_versions(openmetadata: str, airflow: str, operator: str, way: Way) -> None:
    """The REST API from OpenMetadata 1.12 on; before that the database, which only Airflow 2 shows."""
    found = choose(openmetadata, airflow, operator=operator)

    assert isinstance(found, Choice)
    assert found.way == way
    assert openmetadata in found.reason


@pytest.mark.parametrize(
    ("openmetadata", "airflow", "operator", "wanted", "what", "fix"),
    [
        ("1.11.9", "3.0.6", "ecs", None, "Airflow 3.0.6 hides its metadata database", "upgrade OpenMetadata to 1.12"),
        ("1.12.14", "3.0.6", "ecs", "database", "Airflow 3.0.6 hides its metadata database", "way: rest"),
        ("1.12.14", "3.0.6", "python", "backend", "Airflow 3.0.6 hides its metadata database", "way: rest"),
        ("1.6.13", "2.11.0", "ecs", "rest", "knows no REST API of Airflow", "upgrade OpenMetadata to 1.12"),
        ("1.6.13", "2.11.0", "ecs", "backend", "a Fargate task runs in none", "way: database"),
        ("1.12.14", "2.11.0", "python", "backend", "not in this version", "way: database"),
    ],
)
def test_way_that_is_none_says_why_and_names_another(
    openmetadata: str, airflow: str, operator: str, wanted: Way | None, what: str, fix: str
) -> None:
    """Nothing is tried that cannot work; where there is another way, the error names it."""
    found = choose(openmetadata, airflow, operator=operator, wanted=wanted)

    assert isinstance(found, Problem)
    assert what in found.what
    assert fix in found.fix


@pytest.mark.parametrize("operator", ["python", "virtualenv"])
def test_worker_of_airflow_2_falls_back_on_the_database(operator: str) -> None:
    """The Backend connection would come first there; as long as no operator runs in the worker, the database does."""
    found = choose("1.6.13", "2.11.0", operator=operator)

    assert isinstance(found, Choice)
    assert found.way == "database"


MISTAKES = [
    (CATALOGUED.replace("true", "{way: database}"), VERSION, "hides its metadata database"),
    (CATALOGUED, "  version: 1.11.0\n", "hides its metadata database"),
    (CATALOGUED.replace("true", "{interval: sometimes}"), VERSION, "'sometimes'"),
    (TWO % "{way: database, discovery_interval: every 5 days}", VERSION, "cannot run every 5 days"),
    ("airflow: {catalogue: true, self_managed: {version: 3.0.6}}", VERSION, "this Airflow is not one"),
    (
        "airflow: {catalogue: true, use: {environment: e, version: 3.0.6, bucket: b-b, execution_role: r}}",
        VERSION,
        "needs the address of Airflow's page",
    ),
    (CATALOGUED.replace("true", "{url: http://x}"), VERSION, "must be the address of a web server"),
    (CATALOGUED.replace("true", "{ways: rest}"), VERSION, "unknown key 'ways'"),
    (CATALOGUED.replace("true", "often"), VERSION, "true or false or a mapping"),
]


@pytest.mark.parametrize(("airflow", "version", "what"), MISTAKES)
def test_project_that_cannot_be_catalogued(tmp_path: Path, airflow: str, version: str, what: str) -> None:
    """Each is an error on the line of `airflow`, with what to do."""
    found = errors(write(tmp_path, (AIRFLOW, airflow), (VERSION, version)))

    assert [(place.split(":")[1], what in said, bool(fix)) for place, said, fix in found] == [("6", True, True)]


def test_names_that_the_option_needs_itself(tmp_path: Path) -> None:
    """A job or a secret of the same name would be mixed up with its own."""
    job = "jobs:\n  airflow-catalogue: {tasks: [{name: a, command: ls}]}\n"
    secret = ("variables: {HOST: dev", "variables: {AIRFLOW_DATABASE_HOST: h, HOST: dev")
    found = errors(write(tmp_path, (AIRFLOW, CATALOGUED), ("jobs:\n", job), secret))

    assert {what.partition(" gives")[0].partition(" adds")[0] for _, what, _ in found} == {"airflow.catalogue"}
    assert len(found) == 2


def test_option_that_is_off_changes_nothing(tmp_path: Path) -> None:
    """`catalogue: false` is as if it were not there, whatever the versions."""
    off = CATALOGUED.replace("true", "false")
    loaded(tmp_path, (AIRFLOW, off), (VERSION, "  version: 1.11.0\n"))
