"""`resources.json`: the names and ids that exist only after a deploy. The deploy writes it, the DAG loader reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from penstock_runtime.plan.plain_data import from_data


@dataclass(frozen=True)
class Resources:
    """What a DAG needs to start a Fargate task, beyond the plan."""

    region: str
    cluster: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    assign_public_ip: bool
    log_group: str
    artifacts_bucket: str
    airflow_subnets: tuple[str, ...] = ()
    """MWAA's own, where a task of the plan runs there."""
    airflow_security_groups: tuple[str, ...] = ()
    """As `airflow_subnets`."""
    airflow_url: str = ""
    """Address of Airflow's page, where a task of the plan needs it."""

    @classmethod
    def from_json(cls, text: str) -> Resources:
        """Read a `resources.json`.

        Raises:
            ValueError: the text is not one; a deploy with another version may have written it.
        """
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError("resources.json does not hold an object")
        return from_data(cls, data)
