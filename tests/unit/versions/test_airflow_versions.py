"""Which Airflow the embedded mode brings up: its lock, its Python, and what an environment may change to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from penstock.aws import mwaa
from penstock.compile.compiler import compile_plan
from penstock.home import REQUIREMENTS
from penstock.local import environments, setup
from penstock.versions import airflow
from penstock_runtime.errors import InputError, PenstockError
from tests.unit.project_files import loaded


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("2.10.3", "2.11.0", True),
        ("3.3.1", "3.0.6", True),
        ("2.11.0", "3.0.6", True),
        ("3.0.6", "2.11.0", True),
        ("2.10.3", "3.0.6", False),
        ("3.0.6", "2.10.3", False),
    ],
)
def test_the_way_between_majors_leads_over_2_11(old: str, new: str, allowed: bool) -> None:
    """AWS, "Changing the Apache Airflow version"."""
    wrong = mwaa.version_problem(old, new)

    assert (wrong is None) is allowed
    assert allowed or (wrong is not None and old in wrong and new in wrong)


def test_version_without_a_lock_is_refused_by_name() -> None:
    """The error names those that have one, in the order of their age."""
    with pytest.raises(InputError) as caught:
        setup.airflow_lock("../airflow/3.0.6")

    assert "2.10.3, 2.11.0, 3.0.6, 3.3.1" in caught.value.fix


def test_every_lock_is_of_a_version_that_the_table_knows() -> None:
    """So its Python is known; and each lock names that version."""
    locks = sorted((REQUIREMENTS / "airflow").glob("*.txt"))

    assert [lock.stem for lock in locks] == ["2.10.3", "2.11.0", "3.0.6", "3.3.1"]
    for lock in locks:
        assert lock.stem in airflow.AIRFLOW
        assert f"\napache-airflow=={lock.stem} " in lock.read_text()
        assert f"amazon=={airflow.AIRFLOW[lock.stem].amazon_provider} " in lock.read_text()


def test_plan_takes_the_version_that_it_is_given(tmp_path: Path) -> None:
    """It wins over the project's; a version that is none is an error, a new one a warning."""
    project = loaded(tmp_path)

    assert compile_plan(project, airflow_version="2.11.0").airflow.version == "2.11.0"
    assert compile_plan(project).airflow.version == "3.0.6"
    assert any("4.0.0" in warning for warning in compile_plan(project, airflow_version="4.0.0").warnings)
    with pytest.raises(InputError, match="older than"):
        compile_plan(project, airflow_version="2.2.2")
    assert any(
        "one that MWAA does not offer fails" in warning
        for warning in compile_plan(project, airflow_version="9.9.9").warnings
    )
    with pytest.raises(InputError, match="three parts"):
        compile_plan(project, airflow_version="2.11")


def test_missing_python_is_said_and_made_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """MWAA's Python where it is here; else the one of all locks, and one line that says so."""
    told: list[str] = []
    asked: list[tuple[str, str]] = []

    def ensure(name: str, lock: Path, *, python: str, report: object) -> Path:
        asked.append((name, python))
        return lock

    def find(version: str) -> Path:
        if version != environments.PYTHON:
            raise PenstockError("none", fix="none")
        return Path(sys.executable)

    monkeypatch.setattr(environments, "ensure", ensure)
    monkeypatch.setattr(environments, "find_python", lambda version: Path(sys.executable))
    setup.airflow("3.0.6", told.append)
    monkeypatch.setattr(environments, "find_python", find)
    setup.airflow("3.0.6", told.append)
    setup.airflow("2.10.3", told.append)

    assert asked == [("airflow-3.0.6", "3.12"), ("airflow-3.0.6", "3.11"), ("airflow-2.10.3", "3.11")]
    assert told == ["MWAA runs Airflow 3.0.6 on Python 3.12; this machine has 3.11 only: using that"]


def test_pyenv_shims_give_way_to_what_they_stand_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shim of a version that pyenv's setting does not select runs nothing; the interpreter behind it does."""
    (tmp_path / "shims").mkdir()
    shim = tmp_path / "shims" / "python3.11"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    bin_folder = tmp_path / "versions" / "3.11.99" / "bin"
    bin_folder.mkdir(parents=True)
    real = os.path.realpath(environments.find_python("3.11"))
    (bin_folder / "python3.11").symlink_to(real)
    (tmp_path / "versions" / "3.1.1" / "bin").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path / "shims"))

    python = environments.find_python("3.11")

    assert os.path.realpath(python) == real
    assert environments.describe(python).startswith("3.11.")
