"""What is known of the versions of Airflow that a project may name. Dated: look again when the date is old."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.problem import Problem
from penstock.versions.number import parse

CHECKED = "2026-11-01"
"""When the tables were last compared with their sources."""


@dataclass(frozen=True)
class MwaaAirflow:
    """An Airflow version on MWAA. Source: AWS's image repository (amazon-mwaa-docker-images), its constraints files."""

    python: str
    amazon_provider: str
    boto3: str


AIRFLOW: dict[str, MwaaAirflow] = {
    "2.9.2": MwaaAirflow("3.11", "8.24.0", "1.34.106"),
    "2.10.3": MwaaAirflow("3.11", "9.0.0", "1.35.36"),
    "2.11.0": MwaaAirflow("3.12", "9.8.0", "1.37.3"),
    "3.0.6": MwaaAirflow("3.12", "9.12.0", "1.39.11"),
    "3.2.1": MwaaAirflow("3.12", "9.25.0", "1.42.84"),
    "3.3.1": MwaaAirflow("3.12", "9.34.0", "1.43.56"),
}

OLDEST = (2, 9)
"""The operator is written for the amazon provider from 8.24 on, which came with Airflow 2.9."""
UPGRADE = "upgrade it first; MWAA changes the version in place"
"""What to do with an environment of an older one. Source: MWAA user guide, "Changing the Apache Airflow version"."""

CONSTRAINTS = "https://raw.githubusercontent.com/apache/airflow/constraints-{airflow}/constraints-{python}.txt"
"""Where Airflow's project keeps the packages that each version was tested with. Source: Airflow, "Installation from
PyPI"; MWAA asks for this address in a requirements.txt (MWAA user guide, "Installing Python dependencies")."""


def problem(version: str, *, upgrade: str = "") -> Problem | None:
    """What keeps Penstock from an Airflow of that version, and what to do; None: nothing that is known.

    Args:
        upgrade: what to do where it is too old; by default, to use another one.
    """
    use = f"use one of: {', '.join(AIRFLOW)}"
    parts = parse(version)
    if parts is None:
        return Problem(f"Airflow version {version[:20]!r} must have three parts", use)
    if parts < OLDEST:
        oldest = ".".join(str(part) for part in OLDEST)
        return Problem(
            f"Airflow {version} is older than {oldest}, the oldest that Penstock's operator runs on", upgrade or use
        )
    return None


def airflow_python(version: str) -> str:
    """The Python that MWAA runs an Airflow on; for a version that the table does not know, that of its neighbours."""
    known = AIRFLOW.get(version)
    if known is not None:
        return known.python
    return "3.12" if (parse(version) or ()) >= (2, 11) else "3.11"
