"""Which Airflow version an MWAA environment can change to in place.

Source: Amazon MWAA User Guide, "Changing the Apache Airflow version": up and down within a major version; between
majors only from and to 2.11, in both directions; anything else needs a new environment.
"""

from __future__ import annotations

STEPPING_STONE = (2, 11)
"""The release line of Airflow 2 from which 3 can be reached, and the other way round."""


def problem(old: str, new: str) -> str | None:
    """Why an environment of version `old` cannot become one of version `new`, or None."""
    before, after = _line(old), _line(new)
    if before[0] == after[0] or STEPPING_STONE in (before, after):
        return None
    return f"an environment of Airflow {old} cannot change to {new} in place: between 2 and 3 the way leads over 2.11"


def _line(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
