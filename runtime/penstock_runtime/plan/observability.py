"""What a plan says of dashboard, alarms and messages."""

from __future__ import annotations

from dataclasses import dataclass

from penstock_runtime.plan.task_definition import Architecture


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
    broken_dag_files: int = 1
    """DAG files that Airflow cannot read, for half an hour; in an MWAA environment of our own only."""
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
