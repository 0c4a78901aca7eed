"""What types cannot say about the Airflow environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.project.mwaa_checks import check_create

if TYPE_CHECKING:
    from penstock.project.checks import Checks


def check_airflow(checks: Checks) -> None:
    """What the service takes together."""
    check_create(checks, checks.settings.airflow.create)
