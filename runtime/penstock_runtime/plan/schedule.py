"""A plan's schedules: the part of the plan that Airflow's side reads.

Separate from the rest, so that a DAG folder holds no more of the plan, and parsing a DAG imports no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Engine = Literal["openmetadata", "meltano", "command"]
"""What a task runs; the container has a module for each (`container.engines`)."""
ENGINES: tuple[Engine, ...] = get_args(Engine)

MINUTES_OF = {"week": 7 * 24 * 60, "day": 24 * 60, "hour": 60, "minute": 1}
"""The units of an interval of so many minutes, the largest first."""


@dataclass(frozen=True)
class TaskFile:
    """A file that the runtime writes before the task's engine starts. Exactly one of `sha256` and `secret` is set."""

    path: str
    """In the container: absolute, or below its working directory."""
    mode: str
    """Octal: `0600`."""
    sha256: str | None = None
    """Of a `ProjectFile` of the plan."""
    secret: str | None = None
    """Name of the secret that holds the content, one of the task definition's."""
    base64: bool = False
    """Whether the secret is base64 of the content."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One Airflow task: what any operator needs."""

    name: str
    after: tuple[str, ...]
    """The tasks of the schedule that must succeed first."""
    operator: str
    """Which operator runs it (`airflow.operators.pick`)."""
    engine: Engine
    timeout_minutes: int
    environment: dict[str, str]
    """Plain environment variables: the task's own and the variables that its files name."""
    names: tuple[str, ...]
    """The `${NAME}`s of its files: variables and secrets. The engine finds each in its environment."""
    command: tuple[str, ...] = ()
    """meltano: its arguments. command: the command line. openmetadata: empty."""
    workflow_type: str | None = None
    config: str | None = None
    """SHA-256 of its `Config`; openmetadata only."""
    files: tuple[TaskFile, ...] = ()
    """By path."""
    fail_on_warnings: bool = False
    """openmetadata: whether warnings and data tests that failed make it fail, too."""
    min_success_percent: int | None = None
    """openmetadata: what each step's success must reach, besides the workflow's own threshold. None: that one only."""


@dataclass(frozen=True, kw_only=True)
class FargateTask(Task):
    """A task that runs as a Fargate task: what only Fargate needs, in the same JSON object."""

    operator: Literal["ecs"]
    family: str
    """Of its task definition."""
    cpu_units: int
    memory_mib: int
    ephemeral_storage_gib: int
    spot: bool
    subnets: tuple[str, ...] = ()
    """Where it runs; empty: in the subnets of the deploy."""
    assign_public_ip: bool = False
    """Whether it gets a public address in `subnets`."""
    runtime: bool = True
    """Whether Penstock's runtime starts the command in the container, ends it in time, masks its secrets and writes its
    metrics. False: the image's own entry point gets the command, and the container has nothing of Penstock's."""
    reattach: bool = True
    """Whether a try waits for the Fargate task that an earlier try has left running. False: it is stopped, and another
    one started."""
    larger_memory_mib: tuple[int, ...] = ()
    """The memory of the tries after one, two, … that ran out of it; the last one for all after that."""
    runs_beside: Literal["airflow"] | None = None
    """`airflow`: it runs in MWAA's own subnets and security groups, where the metadata database lets it in. None: in
    those of tasks."""
    deferrable: bool | None = None
    """Whether Airflow waits in its triggerer. None: where a task that waits there can be killed, which is so from
    Airflow 3.3 on. Where Penstock's plugin is not installed, it waits in the worker in any case."""


@dataclass(frozen=True, kw_only=True)
class WorkerTask(Task):
    """A task that runs in Airflow's worker, as a process of its own: Penstock's runtime, which starts the engine."""

    operator: Literal["python", "virtualenv"]
    """`python`: with the packages of Airflow's own Python. `virtualenv`: with those of `requirements`."""
    secrets: dict[str, str]
    """Variable → reference, as in `penstock.yaml`. The worker reads them when the task starts."""
    requirements: str | None = None
    """virtualenv only: SHA-256 of the lock that is installed."""


@dataclass(frozen=True)
class Schedule:
    """One DAG."""

    name: str
    dag_id: str
    job: str
    cron: str | None
    """Five fields; None: runs every `every_minutes`, or by hand only."""
    timezone: str
    start_date: str
    """ISO date, in `timezone`."""
    catchup: bool
    paused: bool
    """Whether Airflow creates the DAG paused."""
    owner: str
    email: tuple[str, ...]
    retries: int
    retry_delay_seconds: int
    tags: tuple[str, ...]
    description: str
    source: str
    """The schedule as the user wrote it: the DAG's `doc_md`."""
    overdue_after_minutes: int | None
    """How long it may be without a success; None: no limit."""
    tasks: tuple[FargateTask | WorkerTask, ...]
    every_minutes: int | None = None
    """Minutes from one run to the next; None: runs by `cron`, or by hand only."""

    @property
    def interval(self) -> str | None:
        """When it runs, as a person writes it; None: by hand only."""
        return self.cron if self.every_minutes is None else every(self.every_minutes)


def every(minutes: int) -> str:
    """So many minutes as a project file's interval, in its largest whole unit: `every 90 minutes`, `every 6 hours`."""
    unit, size = next((name, size) for name, size in MINUTES_OF.items() if minutes % size == 0)
    count = minutes // size
    return f"every {count} {unit}s" if count > 1 else f"every {unit}"
