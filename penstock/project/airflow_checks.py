"""What types cannot say about the Airflow environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from penstock.project import versions
from penstock.project.problems import nearest

if TYPE_CHECKING:
    from penstock.project.checks import Checks


def check_airflow(checks: Checks) -> None:
    """What the service takes together."""
    create = checks.settings.airflow.create
    here = ("airflow", "create")
    if not re.fullmatch(r"\d+\.\d+\.\d+", create.version):
        fix = f"use one of: {', '.join(versions.AIRFLOW)}"
        checks.add(f"Airflow version {create.version[:20]!r} has not three parts", fix, *here, "version")
    if create.environment_class not in versions.AIRFLOW_CLASSES:
        fix = nearest(create.environment_class, versions.AIRFLOW_CLASSES, kind="class")
        checks.add(f"unknown MWAA class {create.environment_class[:20]!r}", fix, *here, "class")
    workers = create.workers
    if workers.min > workers.max:
        checks.add(f"at least {workers.min} workers and at most {workers.max}", "swap them", *here, "workers")
    if create.environment_class == "mw1.micro" and (workers.min, workers.max) != (1, 1):
        checks.add(
            "mw1.micro has exactly one worker",
            "write workers: {min: 1, max: 1}, or use mw1.small",
            *here,
            "workers",
        )
    for option, value in create.options.items():
        path = (*here, "options", option)
        if not re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", option) or len(option) > 64:
            checks.add(f"{option[:60]!r} is no option", "write section.key", *path, key=True)
        elif option in versions.AIRFLOW_FIXED_OPTIONS:
            checks.add(f"MWAA does not let anyone set {option}", "remove it", *path, key=True)
        elif not (value.isascii() and value.isprintable()):
            checks.add(f"the value of {option} is not printable ASCII", "use ASCII only", *path)
