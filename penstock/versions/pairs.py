"""Which OpenMetadata can be installed beside which Airflow, in one Python. Dated.

Found by resolving `openmetadata-ingestion[postgres]` of 1.6.13.2, 1.12.14.2, 1.13.6.3 and 2.0.6.0 with `apache-airflow`
of 2.10.3, 2.11.0, 3.0.6 and 3.3.1 and the amazon provider of MWAA's images: SQLAlchemy's major version alone decides.
With all that MWAA's images hold as constraints, which MWAA adds where a requirements.txt names none, none resolves.
"""

from __future__ import annotations

from penstock.problem import Problem
from penstock.versions.number import parse

CHECKED = "2026-11-30"

_SQLALCHEMY_2 = {"OpenMetadata": (1, 13), "Airflow": (3, 2)}
"""The first release line that needs SQLAlchemy 2; those before need SQLAlchemy 1.4. Airflow 3.1 was not tried."""
_UNTRIED = (3, 1)

BLOCKERS = {
    "1.6": ("setuptools", "<71"),
    "1.12": ("cryptography", ">=46.0.5"),
    "1.13": ("mako", ">=1.3.12"),
}
"""Release line of OpenMetadata → a package that it asks for in versions which the constraints of Airflow 2.10.3, 2.11.0
and 3.0.6 exclude."""


def pair_problem(openmetadata: str, airflow: str) -> Problem | None:
    """Why the two cannot share a Python; None: they can, or nobody has tried."""
    server, own = parse(openmetadata), parse(airflow)
    if server is None or own is None or own[:2] == _UNTRIED:
        return None
    needs = {"OpenMetadata": server >= _SQLALCHEMY_2["OpenMetadata"], "Airflow": own >= _SQLALCHEMY_2["Airflow"]}
    if needs["OpenMetadata"] == needs["Airflow"]:
        return None
    asked = {name: "SQLAlchemy 2" if new else "SQLAlchemy 1.4" for name, new in needs.items()}
    return Problem(
        f"openmetadata-ingestion {openmetadata} cannot be installed beside Airflow {airflow}: it needs "
        f"{asked['OpenMetadata']}, and Airflow {asked['Airflow']}",
        "use operator: virtualenv, or ecs",
    )
