"""The Plan: a project for one environment, fully worked out. Plain frozen data, JSON both ways.

`penstock.compile.compiler` makes it; the stacks, the bundle, the embedded mode and `penstock plan` read nothing else.
The same input gives the same bytes: no time, no path of a machine, no order that depends on one. Its parts are in
`schedule` (what Airflow's side reads), `task_definition`, `network`, `airflow` and `observability`.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Literal

from penstock_runtime.plan.airflow import Airflow, AirflowCatalogue, SelfManagedAirflow, UsedAirflow
from penstock_runtime.plan.network import Network
from penstock_runtime.plan.observability import Observability
from penstock_runtime.plan.plain_data import from_data, to_json
from penstock_runtime.plan.schedule import Schedule
from penstock_runtime.plan.task_definition import PullThrough, Secret, TaskDefinition


@dataclass(frozen=True)
class Config:
    """A workflow config, as it goes to the artifacts bucket. `${NAME}` is not filled yet."""

    sha256: str
    text: str


@dataclass(frozen=True)
class DagFile:
    """A file of the project's own `dags/` folder: a DAG file, or one beside it."""

    path: str
    """Relative to the project's `dags/` folder."""
    text: str
    encoding: Literal["utf-8", "base64"] = "utf-8"
    """What `text` is: the file's own text, or base64 of a file that is not text."""

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        return base64.b64decode(self.text) if self.encoding == "base64" else self.text.encode()


@dataclass(frozen=True)
class ProjectFile:
    """A file of the project that goes to the artifacts bucket, for tasks. Its content is not in the plan."""

    path: str
    """Relative to the project's folder."""
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Ecs:
    """Settings of the cluster and of all its containers."""

    container_insights: Literal["enhanced", "enabled", "disabled"] = "enabled"
    stop_timeout_seconds: int = 120
    """From SIGTERM to SIGKILL."""
    tmp_mib: int = 256
    """Size of /tmp where the root is read-only; it is memory of the task."""
    reaper: bool = True
    """Whether a function stops tasks that have outlived their deadline."""


@dataclass(frozen=True)
class Logs:
    """How containers hand their lines to CloudWatch, besides `log_group` and `log_retention_days`."""

    mode: Literal["blocking", "non-blocking"] = "blocking"
    max_buffer_mib: int | None = None
    """`non-blocking` only; None: the driver's own size."""
    kms_key: str | None = None
    """ARN of the key that encrypts the log group; None: CloudWatch's own."""


@dataclass(frozen=True)
class Iam:
    """What an organization asks of every role."""

    permissions_boundary: str | None = None
    """ARN of a policy."""
    role_path: str = "/"
    role_name_prefix: str = ""
    """Already part of every `TaskDefinition.role_prefix`."""
    bootstrap_qualifier: str | None = None
    """Of the CDK bootstrap to deploy with; None: CDK's own."""


@dataclass(frozen=True)
class Plan:
    """A project for one environment. Families, dag ids and file hashes are unique in it."""

    format: int
    """Version of this format: 1."""
    project: str
    environment: str
    account: str | None
    """Twelve digits; None: the account of the credentials at hand."""
    region: str
    prefix: str
    """`<project>-<environment>`, with two dashes where the environment's name has one itself: prefix of every name, and
    the bundle's folder under the DAG prefix."""
    cluster: str
    log_group: str
    log_retention_days: int
    network: Network
    airflow: Airflow | UsedAirflow | SelfManagedAirflow
    """To create, or that exists."""
    task_definitions: tuple[TaskDefinition, ...]
    configs: tuple[Config, ...]
    schedules: tuple[Schedule, ...]
    dag_files: tuple[DagFile, ...]
    protected: bool = False
    """Whether CloudFormation refuses to delete the stacks."""
    observability: Observability = field(default=Observability())
    warnings: tuple[str, ...] = field(default=())
    """What to know before a deploy to AWS, each with file:line and what to do."""
    left_out: tuple[str, ...] = field(default=())
    """Schedules of Meltano's files that cannot run, so that there is no DAG of them, each with file:line and why."""
    ecs: Ecs = field(default=Ecs())
    logs: Logs = field(default=Logs())
    iam: Iam = field(default=Iam())
    tags: dict[str, str] = field(default_factory=dict)
    """The user's, on everything that can have tags, tasks included."""
    pull_through: tuple[PullThrough, ...] = ()
    worker_secrets: tuple[Secret, ...] = ()
    """What Airflow's role may read, for tasks that run in its workers; by name."""
    worker_secret_kms_keys: tuple[str, ...] = ()
    """ARNs of the KMS keys that encrypt these."""
    requirements: tuple[Config, ...] = ()
    """Locks that such tasks install, by their hash."""
    files: tuple[ProjectFile, ...] = ()
    """By path; two may have the same content."""
    catalogue: AirflowCatalogue | None = None
    """How the MWAA environment's own metadata is catalogued; None: it is not."""

    def to_json(self, indent: int | None = 2) -> str:
        """The plan as JSON: sorted keys, `\\n` at the end, the same bytes for the same plan."""
        return to_json(self, indent)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read what `to_json` wrote.

        Raises:
            ValueError: the text is not a plan of format 1.
        """
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != 1:
            raise ValueError("not a plan of format 1")
        return from_data(cls, data)
