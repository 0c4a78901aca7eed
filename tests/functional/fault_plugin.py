"""A plugin for the Airflow of the fault table: it changes the process that runs the operator of some rows.

Airflow calls the listener in the process of each try, right before the operator. Nothing else has another clock: the
scheduler, what supervises the process, the triggerer, the embedded AWS and the containers keep the machine's.
"""

from __future__ import annotations

import importlib
import sys
import time
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

CLOCKS = {"clock-behind": (-3600.0, 0.0), "clock-ahead": (0.0, 3600.0)}
"""Seconds by which the clock of the process is off that begins a row's run, and of those that go on with it: of a
second try, and of a try whose trigger has fired."""
IMPATIENT = ("hangs-in-any-image",)
"""Rows whose operator adds no 15 minutes to `timeout_minutes` for the start of the Fargate task."""
_TIME = time.time


@hookimpl
def on_task_instance_running(task_instance: Any) -> None:
    """Before the operator begins or goes on."""
    name = task_instance.dag_id
    goes_on = task_instance.try_number > 1 or _next_method(task_instance) is not None
    if name in CLOCKS:
        time.time = lambda: _TIME() + CLOCKS[name][goes_on]
    if name in IMPATIENT:
        starts = importlib.import_module("penstock_runtime.airflow.operators.starts")
        starts.START_MINUTES = 0  # type: ignore[attr-defined]


def _next_method(task_instance: Any) -> str | None:
    """Of a task that was deferred; Airflow 3 has it in what the server has told."""
    told = getattr(task_instance, "_ti_context_from_server", None)
    found: str | None = getattr(told or task_instance, "next_method", None)
    return found


class FaultPlugin(AirflowPlugin):  # type: ignore[misc]
    """Hands this module to Airflow."""

    name = "faults"
    listeners = (sys.modules[__name__],)
