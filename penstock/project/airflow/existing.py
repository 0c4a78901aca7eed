"""An Airflow that is there already: an MWAA environment of somebody's, or one that a team runs itself."""

from __future__ import annotations

from pydantic import Field

from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import worded_pattern

ENVIRONMENT = worded_pattern(
    r"^[a-zA-Z][0-9a-zA-Z_-]*$",
    "the name of an MWAA environment",
    "write its name as `aws mwaa list-environments` shows it: letters, digits, `_` and `-`, a letter first",
)
"""Source: botocore's model of MWAA, `VARIABLE_NAME_PATTERN`; at most 80 characters."""


class UseAirflow(Strict):
    """An Amazon MWAA environment that exists. `penstock adopt` writes this from the live one."""

    environment: str = Field(pattern=ENVIRONMENT, max_length=80)
    """Its name."""
    version: str
    """Its Airflow version, three parts."""
    bucket: str
    """Name of its bucket."""
    dags: str = Field("dags", min_length=1, max_length=900)
    """Its DAG folder in the bucket. The bundle goes to a folder of its own below it, and to no other place."""
    execution_role: str
    """ARN or name of its execution role. A managed policy with what the DAGs need is attached to it."""
    security_groups: list[str] = Field(default_factory=list, max_length=5)
    """Ids of its security groups. Tasks join them where `network.use` names none."""
    kms_key: str | None = None
    """ARN of the key that the bucket is encrypted with, if it is one of your own."""


class SelfManagedAirflow(Strict):
    """An Airflow that you run yourself: it fetches the bundle that Penstock makes, and its role gets a policy."""

    version: str
    """Its Airflow version, three parts."""
    bucket: str | None = None
    """Name of a bucket that exists, for the bundle. Default: one that Penstock makes."""
    dags: str = Field("dags", min_length=1, max_length=900)
    """Folder in the bucket. The bundle goes to a folder of its own below it, and to no other place."""
    kms_key: str | None = None
    """ARN of the key that the bucket is encrypted with, if it is one of your own."""
