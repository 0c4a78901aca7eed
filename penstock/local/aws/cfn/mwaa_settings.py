"""AWS::MWAA::Environment: the settings that MWAA refuses by themselves, with nothing else looked at.

Rules: botocore's mwaa model and the user guide; see `penstock.aws.mwaa`.
"""

from __future__ import annotations

import re
from typing import Any

from penstock.aws import arns
from penstock.aws.mwaa import (
    CLASSES,
    MAINTENANCE_WINDOW,
    MAX_OPTION_KEY,
    MICRO,
    PUBLIC_AND_PRIVATE_SINCE,
    WORKERS_QUOTA,
)
from penstock.versions.number import parse

Properties = dict[str, Any]

ACCESS = ("PRIVATE_ONLY", "PUBLIC_ONLY", "PUBLIC_AND_PRIVATE")


def defaults(properties: Properties) -> Properties:
    """What MWAA takes for counts that are left out."""
    size = CLASSES[properties.get("EnvironmentClass", "mw1.small")]
    servers = size.web_servers.least
    return {"Schedulers": size.schedulers.least, "MinWebservers": servers, "MaxWebservers": servers}


def problem(properties: Properties) -> str | None:
    """What MWAA refuses in the settings, or None."""
    kind = properties.get("EnvironmentClass", "mw1.small")
    if kind not in CLASSES:
        return f"Environment class {kind} is not one of {', '.join(CLASSES)}"
    return _counts(kind, properties) or _access(properties) or _rest(properties)


def _counts(kind: str, properties: Properties) -> str | None:
    size, counts = CLASSES[kind], {**defaults(properties), **properties}
    low, high = int(properties.get("MinWorkers", 1)), int(properties.get("MaxWorkers", 10))
    if kind != MICRO and not 1 <= low <= high <= WORKERS_QUOTA:
        return (
            f"Workers: minimum {low} and maximum {high} must be between 1 and {WORKERS_QUOTA}, "
            "the minimum not above the maximum"
        )
    if int(counts["Schedulers"]) not in size.schedulers:
        return f"The scheduler count for environment class {kind} must be {size.schedulers}"
    servers = int(counts["MinWebservers"]), int(counts["MaxWebservers"])
    if any(one not in size.web_servers for one in servers) or servers[0] > servers[1]:
        return f"The web server count for environment class {kind} must be {size.web_servers}"
    return None


def _access(properties: Properties) -> str | None:
    access = properties.get("WebserverAccessMode", "PRIVATE_ONLY")
    if access not in ACCESS:
        return f"WebserverAccessMode must be one of {', '.join(ACCESS)}"
    version = properties.get("AirflowVersion")
    parts = parse(str(version))
    if access == "PUBLIC_AND_PRIVATE" and parts is not None and parts < PUBLIC_AND_PRIVATE_SINCE:
        return f"WebserverAccessMode {access} is not available for Apache Airflow {version}"
    return None


def _rest(properties: Properties) -> str | None:
    for option in properties.get("AirflowConfigurationOptions") or {}:
        if len(option) > MAX_OPTION_KEY:
            return f"Airflow configuration option {option} is not allowed"
    window = properties.get("WeeklyMaintenanceWindowStart")
    if window and not MAINTENANCE_WINDOW.fullmatch(window):
        return f"WeeklyMaintenanceWindowStart {window} must be DAY:HH:MM"
    key = properties.get("KmsKey")
    if key and not re.fullmatch(arns.SINGLE_REGION_KEY, key):
        return f"KmsKey {key} is not a supported key"
    return None
