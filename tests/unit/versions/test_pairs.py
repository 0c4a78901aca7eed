"""Which OpenMetadata shares a Python with which Airflow, and what to install for it."""

from __future__ import annotations

import pytest

from penstock.versions.ingestion_package import requirements
from penstock.versions.pairs import pair_problem


@pytest.mark.parametrize(
    ("openmetadata", "airflow", "fits"),
    [
        ("1.6.13", "2.10.3", True),
        ("1.12.14", "3.0.6", True),
        ("1.12.14", "3.3.1", False),
        ("1.13.0", "3.0.6", False),
        ("1.13.0", "3.3.1", True),
        ("2.0.6", "2.11.0", False),
        ("2.0.6", "3.3.1", True),
        ("2.0.6", "3.1.0", True),  # not tried
        ("latest", "3.3.1", True),
    ],
)
def test_pairs(openmetadata: str, airflow: str, fits: bool) -> None:
    """As they were resolved; what is not known is not refused."""
    problem = pair_problem(openmetadata, airflow)

    assert (problem is None) == fits
    assert problem is None or ("SQLAlchemy" in problem.what and "virtualenv" in problem.fix)


def test_what_to_install() -> None:
    """The extras of the sources, each once; what a version lacks besides; nothing for a source that is not known."""
    assert requirements("1.12.14", ["postgres", "Redshift", "domodatabase", "postgres"]) == (
        "openmetadata-ingestion[domo,postgres,redshift]==1.12.14.*",
        "cachetools",
        "dbt-core<1.12",
    )
    assert requirements("1.6.13", ["sqlite"]) == (
        "openmetadata-ingestion==1.6.13.*",
        "cachetools",
        "dbt-core<1.12",
        "jaraco.context<6",
    )
    assert requirements("2.0.6", ["mysql"], ["autoClassification"])[0] == (
        "openmetadata-ingestion[mysql,pii-processor]==2.0.6.*"
    )
