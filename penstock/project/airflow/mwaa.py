"""The MWAA environment that Penstock creates: every setting that the service has."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.project.airflow.existing import ENVIRONMENT
from penstock.project.iam.permissions import Permission
from penstock.project.schema.model import Strict

MAX_RANGES = 50
"""A security group has 60 inbound rules (Amazon VPC User Guide, "Amazon VPC quotas"), and one is MWAA's own."""


class Workers(Strict):
    """How many workers MWAA runs."""

    min: int | None = Field(None, ge=1)
    """At least. Default 1."""
    max: int | None = Field(None, ge=1)
    """At most; 25, unless your account has a higher quota. Default 2, or `min` where that is more."""


class WebServers(Strict):
    """How many web servers MWAA runs: 2 to 5, or exactly one on mw1.micro."""

    min: int | None = Field(None, ge=1)
    """At least. Default 2; 1 on mw1.micro."""
    max: int | None = Field(None, ge=1)
    """At most. Default: as many as at least."""


class Log(Strict):
    """One of the five logs of an environment."""

    enabled: bool = True
    """Whether MWAA writes it to CloudWatch."""
    level: Literal["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"] = "INFO"
    """The least level that is written."""


class EnvironmentLogs(Strict):
    """The five logs of an environment, in the log groups `airflow-<environment>-…`."""

    retention_days: int = 90
    """How long CloudWatch keeps them, in days: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, …, 3653."""
    dag_processing: Log = Log()
    """How DAG files were parsed."""
    scheduler: Log = Log()
    """What the schedulers did."""
    task: Log = Log()
    """What Airflow tasks wrote."""
    web_server: Log = Log()
    """Requests, and the start of the web servers."""
    worker: Log = Log()
    """What the workers did."""


class Requirements(Strict):
    """Python packages to install beside Airflow."""

    file: str
    """A requirements file, relative to the project file. Penstock adds Airflow's constraints to it."""
    install_from: Literal["index", "plugins"] = "index"
    """`index`: the package index, or those that the file names. `plugins`: the wheels in `plugins` and nothing else,
    for an environment that reaches no index."""


class CreateAirflow(Strict):
    """An Amazon MWAA environment."""

    name: str | None = Field(None, pattern=ENVIRONMENT, max_length=80)
    """Its name, one in an account and region: letters, digits, `_` and `-`, a letter first, at most 80. Default: the
    project's and the environment's, with a dash between. Cannot change later."""
    bucket: str | None = None
    """Name of a bucket that exists, in the environment's region: versioned, with all public access blocked, and where
    it is encrypted with a key of your own, with `kms_key`. Penstock writes below `<dags>/<project>-<environment>/` and
    `penstock/<project>-<environment>/` only. Default: one that Penstock makes."""
    dags: str = Field("dags", min_length=1, max_length=900)
    """MWAA's DAG folder in the bucket. The bundle goes to a folder of its own below it."""
    execution_role: str | None = None
    """ARN of an execution role that exists and trusts `airflow.amazonaws.com` and `airflow-env.amazonaws.com`. Managed
    policies with what MWAA and the DAGs need are attached to it; whatever else it has stays. Default: one that
    Penstock makes."""
    version: str
    """Airflow version, in quotes where it has only one dot."""
    environment_class: str = Field("mw1.small", alias="class")
    """Size: mw1.micro, mw1.small, mw1.medium, mw1.large, mw1.xlarge or mw1.2xlarge."""
    workers: Workers | None = None
    """How many workers. Default: 1 to 2; mw1.micro has exactly one."""
    schedulers: int | None = None
    """How many schedulers, 2 to 5. Default: 2; mw1.micro has exactly one."""
    web_servers: WebServers | None = None
    """How many web servers. Default: 2; mw1.micro has exactly one."""
    access: Literal["private", "public", "public_and_private"] = "private"
    """Where Airflow's web server is reached: from the VPC only, over the internet (with IAM), or both (Airflow 3.2 and
    later)."""
    web_access_cidrs: list[str] = Field(default_factory=list, max_length=MAX_RANGES)
    """IPv4 ranges that reach the page of a private web server, such as `[10.8.0.0/16]`: those of a VPN or of peered
    networks. A rule of the security group that Penstock makes for MWAA lets them in on TCP 443. At most 50."""
    permissions: list[Permission] = Field(default_factory=list, max_length=50)
    """What the environment's execution role may do besides what MWAA and Penstock's DAGs need: for a secrets backend
    (`options: {secrets.backend: …}`), and for what DAG files of your own call. Whoever may write DAGs has these."""
    options: dict[str, str] = Field(default_factory=dict)
    """Airflow configuration: `section.key` to value."""
    logs: EnvironmentLogs = EnvironmentLogs()
    """What goes to CloudWatch, and how long it stays there."""
    kms_key: str | None = None
    """ARN of a KMS key of your own, in the environment's region: it encrypts the database, the queue, the logs and the
    DAG bucket. Default: a key of AWS's. Cannot change later."""
    maintenance_window: str | None = None
    """When MWAA's weekly maintenance starts, in UTC: `SUN:03:30`. Default: MWAA chooses."""
    worker_replacement: Literal["graceful", "forced"] | None = None
    """What an update does with running Airflow tasks: waits for them, up to 12 hours, or not. Default: MWAA's."""
    endpoint_management: Literal["service", "customer"] = "service"
    """Who makes the VPC endpoints of the database and the web server: MWAA, or `customer`, this stack; in a shared VPC
    its owner (`network.use.shared_by`). Cannot change later."""
    requirements: Requirements | None = None
    """Python packages to install beside Airflow."""
    plugins: str | None = None
    """A folder that becomes plugins.zip, or a zip file that is taken unchanged; relative to the project file."""
    startup_script: str | None = None
    """A bash script that each container runs before Airflow starts, relative to the project file. It has 5 minutes."""
