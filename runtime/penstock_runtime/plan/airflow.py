"""A plan's Airflow: an MWAA environment to create, one that exists, or an Airflow that is not MWAA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from penstock_runtime.plan.task_definition import Permission

LogKind = Literal["dag_processing", "scheduler", "task", "web_server", "worker"]
AIRFLOW_LOGS: tuple[LogKind, ...] = ("dag_processing", "scheduler", "task", "web_server", "worker")
"""The logs of an MWAA environment."""


@dataclass(frozen=True)
class AirflowLog:
    """One of the five logs of an MWAA environment."""

    kind: LogKind
    enabled: bool
    level: str
    """CRITICAL, ERROR, WARNING, INFO or DEBUG."""


@dataclass(frozen=True)
class AirflowFile:
    """A text file of an MWAA environment."""

    key: str
    """In the DAG bucket; it contains the hash of the text."""
    text: str


@dataclass(frozen=True)
class Airflow:
    """The MWAA environment to create. `penstock.aws.mwaa` says what may change later."""

    name: str
    version: str
    environment_class: str
    min_workers: int
    max_workers: int
    access: Literal["private", "public", "public_and_private"]
    options: dict[str, str]
    """Airflow configuration options, `section.key` to value."""
    schedulers: int = 2
    min_web_servers: int = 2
    max_web_servers: int = 2
    logs: tuple[AirflowLog, ...] = tuple(AirflowLog(kind, True, "INFO") for kind in AIRFLOW_LOGS)
    """Each kind once."""
    log_retention_days: int = 90
    kms_key: str | None = None
    """ARN; None: AWS's own. It is the DAG bucket's key, too."""
    maintenance_window: str | None = None
    """`SUN:03:30`, UTC; None: MWAA chooses."""
    worker_replacement: Literal["graceful", "forced"] | None = None
    """None: as MWAA does it."""
    endpoint_management: Literal["service", "customer"] = "service"
    requirements: AirflowFile | None = None
    plugins: str | None = None
    """Key in the DAG bucket, with the hash of the archive."""
    startup_script: AirflowFile | None = None
    web_access_cidrs: tuple[str, ...] = ()
    """IPv4 ranges that the security group which we make lets in to the page of a private web server."""
    permissions: tuple[Permission, ...] = ()
    """What the execution role may do besides what MWAA and our DAGs need."""
    bucket: str | None = None
    """One that exists; None: Penstock makes one."""
    dags: str = "dags"
    """MWAA's DAG folder in the bucket; the bundle goes to `<dags>/<prefix of the plan>/`."""
    execution_role: str | None = None
    """Path and name of a role that exists, in the environment's account; None: Penstock makes one."""


@dataclass(frozen=True)
class UsedAirflow:
    """An MWAA environment that exists, with a bucket and a role that are not ours."""

    name: str
    version: str
    bucket: str
    dags: str
    """Its DAG folder in the bucket; the bundle goes to `<dags>/<prefix of the plan>/`."""
    execution_role: str
    """Name of the role, without its path."""
    kms_key: str | None
    """ARN of the bucket's key; None: a key of AWS's."""


@dataclass(frozen=True)
class AirflowCatalogue:
    """How the MWAA environment's own DAGs come into OpenMetadata."""

    way: Literal["rest", "database", "backend"]
    """The REST API; Airflow 2's metadata database from a Fargate task; the same from a worker of Airflow's."""
    reason: str
    """Why it is this way."""
    environment: str
    """The MWAA environment."""
    service: str
    """The pipeline service in OpenMetadata."""
    dag_id: str
    """Of the schedule that does it."""
    secret: str | None = None
    """`database` only: name of the secret in Secrets Manager that the discovery DAG writes."""
    discovery_dag_id: str | None = None
    """`database` only: the DAG that finds the database."""
    discovery_cron: str | None = None
    """When that runs, in UTC; None: by hand."""


@dataclass(frozen=True)
class SelfManagedAirflow:
    """An Airflow that is not MWAA."""

    version: str
    bucket: str | None
    """One that exists, for the bundle; None: Penstock makes one."""
    dags: str
    """Folder in the bucket; the bundle goes to `<dags>/<prefix of the plan>/`."""
    kms_key: str | None
    """ARN of the bucket's key; None: a key of AWS's."""
