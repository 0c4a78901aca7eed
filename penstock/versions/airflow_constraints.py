"""The versions that pip is held to on MWAA. `airflow_constraints.json` is written by `make tables`.

Two sets, both from aws/amazon-mwaa-docker-images: Airflow's constraints, which a requirements file may replace by its
own, and the packages that MWAA holds whatever the file says (`safe-pip-install`, `mwaa_essential_constraints.txt`).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


@functools.cache
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text())
    return tables


@functools.cache
def pins(airflow_version: str) -> Mapping[str, str]:
    """Package → version in the constraints of an Airflow; empty where the table does not have it."""
    tables = _tables()
    if airflow_version not in tables["versions"]:
        return {}
    place = tables["versions"].index(airflow_version)
    pinned = {name: versions.split()[place] for name, versions in tables["packages"].items()}
    return {name: version for name, version in pinned.items() if version != "-"}


@functools.cache
def essential(airflow_version: str) -> Mapping[str, str]:
    """Package → version of those that nobody may change on MWAA; empty where the table does not have the Airflow."""
    tables = _tables()
    if airflow_version not in tables["versions"]:
        return {}
    place = tables["versions"].index(airflow_version)
    pinned = {name: versions.split()[place] for name, versions in tables["essential"].items()}
    return {name: version for name, version in pinned.items() if version != "-"}
