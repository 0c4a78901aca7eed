"""A plan with every setting of an MWAA environment."""

from __future__ import annotations

import dataclasses
from typing import Any

from penstock_runtime.plan.airflow import AIRFLOW_LOGS, Airflow, AirflowFile, AirflowLog
from tests.stacks import plans
from tests.stacks.conftest import Templates

KEY = f"arn:aws:kms:{plans.REGION}:{plans.ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


FULL = Airflow(
    name="acme-dev",
    version="3.3.1",
    environment_class="mw1.large",
    min_workers=2,
    max_workers=9,
    access="public_and_private",
    options={},
    schedulers=4,
    min_web_servers=3,
    max_web_servers=5,
    logs=tuple(AirflowLog(kind, kind != "worker", "DEBUG" if kind == "task" else "ERROR") for kind in AIRFLOW_LOGS),
    log_retention_days=7,
    kms_key=KEY,
    maintenance_window="SUN:03:30",
    worker_replacement="forced",
    endpoint_management="customer",
    requirements=AirflowFile("requirements/aaaaaaaa.txt", "tabulate\n"),
    plugins="plugins/bbbbbbbb.zip",
    startup_script=AirflowFile("startup/cccccccc.sh", "true\n"),
)


PLAN = dataclasses.replace(plans.PLAN, airflow=FULL)


def resources(templates: Templates, kind: str) -> dict[str, dict[str, Any]]:
    """Of the Airflow stack, by logical id."""
    found: dict[str, dict[str, Any]] = templates["acme-dev-airflow"]["Resources"]
    return {name: one for name, one in found.items() if one["Type"] == kind}
