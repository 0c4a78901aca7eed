"""The Plan: a project for one environment, fully worked out. Plain frozen data, JSON both ways.

`penstock.compile` makes it; the stacks, the bundle, the embedded mode and `penstock plan` read it and nothing else.
The same input gives the same bytes: no time, no path of a machine, no order that depends on one.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Engine = Literal["openmetadata", "meltano", "command"]
Architecture = Literal["x86_64", "arm64"]

T = TypeVar("T")


@dataclass(frozen=True)
class Secret:
    """A reference to a secret. The value is nowhere in a plan."""

    name: str
    """The environment variable that a container gets: `OM_JWT`."""
    store: Literal["secretsmanager", "ssm"]
    id: str
    """Name or full ARN in Secrets Manager; parameter name (with its leading `/` where it has one) in SSM."""
    key: str | None = None
    """Field of a JSON secret; None for the whole value. Secrets Manager only."""


@dataclass(frozen=True)
class Image:
    """What a container is made of."""

    kind: Literal["registry", "cached", "built"]
    reference: str
    """`registry`: an image reference that ECS can pull. `cached`: `<prefix>/<repository>:<tag>` in the ECR of the
    plan's own account and region, which pulls it through. `built`: the recipe, a folder under `runtime/images/`."""
    context: str | None = None
    """`built` only: the folder that goes into the image, relative to the project file."""
    credentials: Secret | None = None
    """`registry` only: the secret with `username` and `password` of a private registry."""


@dataclass(frozen=True)
class PullThrough:
    """A rule of ECR's pull-through cache that the deploy makes."""

    prefix: str
    """What the cached repositories' names start with; one rule for each in an account and region."""
    upstream: str
    """The registry's address as ECR wants it: `registry-1.docker.io`."""
    credentials: str | None = None
    """Full ARN of the secret with the registry's log-in; its name starts with `ecr-pullthroughcache/`."""


@dataclass(frozen=True)
class Permission:
    """What a task's own role may do besides what Penstock itself needs."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: dict[str, dict[str, list[str]]]
    """Operator to key to values, as IAM has them."""
    reason: str
    """Why its wildcards are needed; empty where it has none."""


@dataclass(frozen=True)
class TaskDefinition:
    """One ECS task definition. Size is not part of it: RunTask overrides CPU, memory and storage."""

    family: str
    """`<project>-<environment>-<engine>-<digest>`, at most 64 characters here (ECS allows 255)."""
    role_prefix: str
    """Role names are `<role_prefix>-task` and `<role_prefix>-exec`; unique in an account over all regions."""
    engine: Engine
    image: Image
    architecture: Architecture
    secrets: tuple[Secret, ...]
    cpu_units: int
    """The largest CPU among its tasks; RunTask overrides it per task."""
    memory_mib: int
    permissions: tuple[Permission, ...] = ()
    read_only_root: bool = False
    """Whether the container may write nowhere but in /tmp."""
    stack: str | None = None
    """The stack of its own kind that it is in: a hex digit; None: it is with the cluster."""


@dataclass(frozen=True)
class Config:
    """A workflow config, as it goes to the artifacts bucket. `${NAME}` is still in it."""

    sha256: str
    text: str


@dataclass(frozen=True)
class Task:
    """One Airflow task: everything that its operator needs."""

    name: str
    after: tuple[str, ...]
    engine: Engine
    operator: Literal["ecs"]
    family: str
    cpu_units: int
    memory_mib: int
    ephemeral_storage_gib: int
    timeout_minutes: int
    spot: bool
    environment: dict[str, str]
    """Plain environment variables of the container: the task's own and the variables that its files name."""
    names: tuple[str, ...]
    """The `${NAME}`s of its files: variables and secrets. Each is an environment variable in the container."""
    command: tuple[str, ...] = ()
    """meltano: its arguments. command: the command line. openmetadata: empty."""
    workflow_type: str | None = None
    config: str | None = None
    """SHA-256 of its `Config`; openmetadata only."""
    subnets: tuple[str, ...] = ()
    """Where it runs; empty: where the deploy's tasks do."""
    assign_public_ip: bool = False
    """Whether it gets a public address in `subnets`."""


@dataclass(frozen=True)
class Schedule:
    """One DAG."""

    name: str
    dag_id: str
    job: str
    cron: str | None
    """Five fields; None: runs by hand only."""
    timezone: str
    start_date: str
    """ISO date, in `timezone`."""
    catchup: bool
    paused: bool
    """Whether Airflow creates the DAG paused."""
    owner: str
    email: tuple[str, ...]
    retries: int
    retry_delay_minutes: int
    tags: tuple[str, ...]
    description: str
    source: str
    """The schedule as the user wrote it: the DAG's `doc_md`."""
    overdue_after_minutes: int | None
    """How long it may be without a success; None: as long as it likes."""
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class DagFile:
    """A DAG file of the user's own, which goes along."""

    path: str
    """Relative to the project's `dags/` folder."""
    text: str


@dataclass(frozen=True)
class Network:
    """Where tasks and MWAA run: a network that Penstock creates, or one that exists."""

    cidr: str | None
    """IPv4 range of the VPC to create; None: use `vpc`."""
    egress: Literal["nat", "endpoints"] | None
    """What the VPC to create reaches: the internet through NAT gateways, or `endpoints` and nothing else."""
    vpc: str | None = None
    private_subnets: tuple[str, ...] = ()
    """MWAA's, exactly two."""
    task_subnets: tuple[str, ...] = ()
    """Of tasks that name none of their own; empty: the private ones."""
    assign_public_ip: bool = False
    """Whether tasks in `task_subnets` get a public address."""
    task_security_groups: tuple[str, ...] = ()
    """Empty: one is made."""
    airflow_security_groups: tuple[str, ...] = ()
    """Empty: one is made."""
    endpoint_security_groups: tuple[str, ...] = ()
    """Of the endpoints of MWAA's database and web server, where MWAA does not make them; empty: MWAA's."""
    endpoint_role: str | None = None
    """ARN of the role that makes these; None: one in the plan's own account."""
    nat_gateways: int = 2
    """1: one for both zones."""
    endpoints: tuple[str, ...] = ()
    """Services that get a VPC endpoint, besides S3: the name of each behind `com.amazonaws.<region>.`."""
    trusted_accounts: tuple[str, ...] = ()
    """Accounts whose principals may use the endpoints, besides the plan's own."""
    flow_log_days: int | None = 30
    """Retention of the flow log of the VPC to create; None: there is none."""


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
    """In the DAG bucket; it holds the hash of the text."""
    text: str


@dataclass(frozen=True)
class Airflow:
    """The MWAA environment to create. `penstock.mwaa_limits` says what may change later."""

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


@dataclass(frozen=True)
class Ecs:
    """Settings of the cluster and of all its containers."""

    container_insights: Literal["enhanced", "enabled", "disabled"] = "enabled"
    stop_timeout_seconds: int = 120
    """From SIGTERM to SIGKILL."""
    tmp_mib: int = 256
    """Size of /tmp where the root is read-only; it is memory of the task."""


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
class Alarms:
    """When CloudWatch raises the alarm. 0: never."""

    failed_tasks: int = 5
    """Fargate tasks that failed or never started, within an hour."""
    out_of_memory: int = 2
    """Fargate tasks that ran out of memory, within a day."""
    queued_tasks: int = 10
    """Airflow tasks that wait for a worker for half an hour."""
    scheduler_silent_minutes: int = 15
    """Without a heartbeat of Airflow's scheduler; a multiple of 5."""
    overdue: bool = True
    """Whether schedules are watched that have `overdue_after_minutes`."""


@dataclass(frozen=True)
class Price:
    """What Fargate costs on one processor, on demand, in US dollars."""

    architecture: Architecture
    vcpu_hour: float
    gb_hour: float


@dataclass(frozen=True)
class Observability:
    """Dashboard, alarms and messages."""

    dashboard: bool = True
    stopped_tasks: bool = True
    """Whether each Fargate task that failed or never started gives a message."""
    email: tuple[str, ...] = ()
    topic: str | None = None
    """ARN of a topic that exists; None: make one."""
    encryption: str | None = "create"
    """Of the topic that is made: `create`, the ARN of a KMS key, or None: unencrypted."""
    alarms: Alarms = Alarms()
    prices: tuple[Price, ...] = ()
    """By processor, where known; for the dashboard."""
    prices_checked: str = ""
    """ISO date: when the prices were last looked at."""


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
class SelfManagedAirflow:
    """An Airflow that is not MWAA."""

    version: str
    bucket: str | None
    """One that exists, for the bundle; None: Penstock makes one."""
    dags: str
    """Folder in the bucket; the bundle goes to `<dags>/<prefix of the plan>/`."""
    kms_key: str | None
    """ARN of the bucket's key; None: a key of AWS's."""


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
    observability: Observability = Observability()
    warnings: tuple[str, ...] = field(default=())
    """What a deploy to AWS should not overlook, each with file:line and what to do."""
    ecs: Ecs = field(default=Ecs())
    logs: Logs = field(default=Logs())
    iam: Iam = field(default=Iam())
    tags: dict[str, str] = field(default_factory=dict)
    """Of the user's, on everything that can have tags, tasks included."""
    pull_through: tuple[PullThrough, ...] = ()

    def to_json(self, indent: int | None = 2) -> str:
        """The plan as JSON: sorted keys, `\\n` at the end, the same bytes for the same plan."""
        return to_json(self, indent)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read what `to_json` wrote.

        Raises:
            ValueError: the text is no plan of format 1.
        """
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != 1:
            raise ValueError("not a plan of format 1")
        return from_data(cls, data)


def to_json(value: Any, indent: int | None = None) -> str:
    """A dataclass of this module as deterministic JSON."""
    data = dataclasses.asdict(value)
    separators = (",", ": ") if indent else (",", ":")
    return json.dumps(data, indent=indent, separators=separators, sort_keys=True, ensure_ascii=False) + "\n"


def from_data(kind: type[T], data: Any) -> T:
    """Build the dataclass `kind` from decoded JSON, nested dataclasses included.

    Raises:
        ValueError: a required field is missing or a field is unknown.
    """
    hints = typing.get_type_hints(kind)
    unknown = set(data) - set(hints)
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {sorted(unknown)[0]!r}")
    try:
        return kind(**{name: _value(hints[name], item) for name, item in data.items()})
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from error


def _value(hint: Any, item: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_data(hint, item)
    origin = typing.get_origin(hint)
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, one) for one in item)
    if origin in (typing.Union, types.UnionType):
        kinds = [arg for arg in typing.get_args(hint) if dataclasses.is_dataclass(arg)]
        if kinds and isinstance(item, dict):
            # Plans are written whole, so their keys tell which it is.
            fits = [kind for kind in kinds if {one.name for one in dataclasses.fields(kind)} == set(item)]
            return _value((fits or kinds)[0], item)
    return item
