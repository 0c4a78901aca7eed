"""Where the supported versions of Airflow (2.10.3 to 3.x) and of its Amazon provider (9.0.0 to 9.x) differ.

Sources: the released packages `apache-airflow` and `apache-airflow-providers-amazon`, read at the versions
named here.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

try:  # from Airflow 2.11 on
    from airflow.timetables.trigger import DeltaTriggerTimetable as IntervalTimetable

    FIRST_AT_START = True
except ImportError:
    from airflow.timetables.interval import DeltaDataIntervalTimetable as IntervalTimetable

    FIRST_AT_START = False

try:  # Airflow 3; the names below moved, and the old ones warn
    from airflow.sdk import BaseOperator, get_parsing_context
except ImportError:  # Airflow 2
    from airflow.models.baseoperator import BaseOperator
    from airflow.utils.dag_parsing_context import get_parsing_context

try:  # from Airflow 3.1 on; the old name warns
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:
    from airflow.exceptions import AirflowFailException

__all__ = [
    "FIRST_AT_START",
    "AirflowFailException",
    "BaseOperator",
    "IntervalTimetable",
    "email_is_allowed",
    "get_parsing_context",
    "kills_deferred",
]

"""`IntervalTimetable` is for a DAG that runs every so many minutes. Its times are the same in all versions except the
first one after `start_date`: that moment itself from 2.11 on (`FIRST_AT_START`), an interval later before."""


def kills_deferred() -> bool:
    """Whether Airflow tells a trigger that its task was marked or cleared, and not only that it ends: from 3.3 on."""
    from airflow.triggers.base import BaseTrigger

    return hasattr(BaseTrigger, "on_kill")


@contextlib.contextmanager
def email_is_allowed() -> Iterator[None]:
    """Silence Airflow 3's deprecation of `email` on tasks.

    It works in 3.x with the `smtp` options that MWAA offers; its successor, SmtpNotifier, needs a
    connection of its own.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting email")
        yield
