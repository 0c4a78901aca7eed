"""What is a version, and how two compare."""

from __future__ import annotations

import pytest

from penstock.aws.mwaa import PUBLIC_AND_PRIVATE_SINCE, version_problem
from penstock.problem import Problem
from penstock.versions import airflow
from penstock.versions.number import parse


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "3.0",
        "3.0.6.1",
        "3.0.x",
        "3.0.6rc1",
        " 3.0.6",
        "3.0.6\n",
        "v3.0.6",
        "-3.0.6",
        "3..6",
        "३.२.३",
        "3.0.12345",
    ],
)
def test_what_has_not_three_numbers_is_no_version(text: str) -> None:
    assert parse(text) is None
    problem = airflow.problem(text)
    assert problem is not None
    assert problem.what == f"Airflow version {text!r} must have three parts"
    assert version_problem(text, "3.0.6") is None


def test_a_number_that_python_does_not_read_is_none() -> None:
    """Python refuses to turn more than 4,300 digits into a number."""
    assert parse(f"3.0.{'1' * 4301}") is None
    assert parse("9999.9999.9999") == (9999, 9999, 9999)


def test_versions_compare_by_number_and_with_release_lines() -> None:
    known = [parse(text) for text in ("2.8.9", "2.9.0", "2.10.3", "2.11.0", "3.0.6", "3.2.1")]

    assert known == sorted(known, key=lambda one: one or ())
    assert [(one or ()) < PUBLIC_AND_PRIVATE_SINCE for one in known] == [True] * 5 + [False]


@pytest.mark.parametrize("version", [*airflow.AIRFLOW, "2.9.0", "4.0.0"])
def test_an_airflow_that_is_not_too_old_is_no_problem(version: str) -> None:
    """A new one is a warning elsewhere, and no error."""
    assert airflow.problem(version) is None


@pytest.mark.parametrize("version", ["2.8.99", "1.10.15", "0.0.0"])
def test_an_airflow_that_is_too_old_is_a_problem(version: str) -> None:
    """With what the caller says to do, or else with the versions that are known."""
    what = f"Airflow {version} is older than 2.9, the oldest that Penstock's operator runs on"

    assert airflow.problem(version) == Problem(what, f"use one of: {', '.join(airflow.AIRFLOW)}")
    assert airflow.problem(version, upgrade="upgrade it") == Problem(what, "upgrade it")
