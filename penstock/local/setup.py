"""The virtual environments that a project needs on this machine: PostgreSQL, its Airflow, what its images hold.

    python -m penstock.local.setup [--project FILE]

installs them ahead of `penstock up`, for `make setup`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from penstock import project as projects
from penstock.compile import compile_plan
from penstock.home import REQUIREMENTS
from penstock.local import environments, images
from penstock_runtime.errors import InputError, PenstockError


def postgres(report: Callable[[str], None]) -> Path:
    """The environment that holds PostgreSQL's programs."""
    return environments.ensure("postgres", REQUIREMENTS / "postgres.txt", report=report)


def airflow(version: str, report: Callable[[str], None]) -> Path:
    """The environment of one Airflow version.

    Raises:
        InputError: there is no lock for that version.
    """
    lock = REQUIREMENTS / "airflow" / f"{version}.txt"
    if not lock.exists():
        known = ", ".join(sorted(file.stem for file in lock.parent.glob("*.txt")))
        raise InputError(
            f"the embedded mode has no lock for Airflow {version}",
            fix=f"set airflow.create.version to one of {known} in the environment that you bring up",
        )
    return environments.ensure(f"airflow-{version}", lock, report=report)


def main() -> int:
    """Install what the project's environments need."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=Path("penstock.yaml"))
    args = parser.parse_args()
    try:
        plan = compile_plan(projects.load(args.project))
        report = lambda text: print(text, file=sys.stderr)  # noqa: E731
        postgres(report)
        airflow(plan.airflow.version, report)
        for reference in images.stock_references(plan):
            images.stock_environment(reference, report)
    except PenstockError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
