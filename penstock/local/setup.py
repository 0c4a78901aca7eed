"""The virtual environments that a project needs on this machine: PostgreSQL, its Airflow, what its images hold.

    python -m penstock.local.setup [--project FILE] [--airflow VERSION]

installs them ahead of `penstock up`, for `make setup`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from penstock.compile.compiler import compile_plan
from penstock.home import REQUIREMENTS
from penstock.local import environments, images, openmetadata_shapes
from penstock.project.load import load
from penstock.versions import airflow as versions
from penstock_runtime.errors import InputError, PenstockError


def postgres(report: Callable[[str], None]) -> Path:
    """The environment that holds PostgreSQL's programs."""
    return environments.ensure("postgres", REQUIREMENTS / "postgres.txt", report=report)


def airflow_lock(version: str) -> Path:
    """The lock of one Airflow version.

    Raises:
        InputError: there is none.
    """
    lock = REQUIREMENTS / "airflow" / f"{version}.txt"
    known = {file.stem for file in lock.parent.glob("*.txt")}
    if version not in known:
        names = ", ".join(sorted(known, key=lambda name: [int(part) for part in name.split(".")]))
        raise InputError(
            f"the embedded mode has no lock for Airflow {version[:20]!r}",
            fix=f"set the version in airflow to one of {names}, or bring one of them up with --airflow",
        )
    return lock


def airflow(version: str, report: Callable[[str], None]) -> Path:
    """The environment of one Airflow version, with the Python that MWAA runs it on where this machine has it.

    Raises:
        InputError: there is no lock for that version.
    """
    lock = airflow_lock(version)
    return environments.ensure(f"airflow-{version}", lock, python=_airflow_python(version, report), report=report)


def _airflow_python(version: str, report: Callable[[str], None]) -> str:
    """MWAA's Python for that version; else the one that all locks are for, and says so."""
    known = versions.AIRFLOW.get(version)
    if known is None or known.python == environments.PYTHON:
        return environments.PYTHON
    try:
        environments.describe(environments.find_python(known.python))
    except PenstockError:
        report(
            f"MWAA runs Airflow {version} on Python {known.python}; "
            f"this machine has {environments.PYTHON} only: using that"
        )
        return environments.PYTHON
    return known.python


def main() -> int:
    """Install what the project's environments need."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path("penstock.yaml"))
    parser.add_argument("--airflow", metavar="VERSION", help="instead of the project's")
    args = parser.parse_args()
    try:
        project = load(args.project)
        plan = compile_plan(project, airflow_version=args.airflow)
        report = lambda text: print(text, file=sys.stderr)  # noqa: E731
        postgres(report)
        airflow(plan.airflow.version, report)
        images.stand_ins(plan, report)
        if openmetadata := project.settings().openmetadata:
            openmetadata_shapes.known(openmetadata.version, report, install=True)
    except PenstockError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
