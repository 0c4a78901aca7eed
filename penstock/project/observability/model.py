"""What watches over the runs: dashboard, alarms, messages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from penstock.project.schema.model import Strict

CREATE, NONE = "create", "none"
WEEK_MINUTES = 7 * 24 * 60
Grace = Annotated[int, Field(ge=0, le=WEEK_MINUTES)]


class Alarms(Strict):
    """CloudWatch alarms; each tells the topic. 0 turns one off. A function that Penstock makes to watch always has one
    on its errors; that of `ecs.reaper` where there is a topic, for messages or other alarms."""

    failed_tasks: int = Field(5, ge=0, le=100_000)
    """Fargate tasks that failed or never started, within an hour. Default 5; 0: no alarm. A single one gives a
    message, not an alarm: see `stopped_tasks`."""
    out_of_memory: int = Field(2, ge=0, le=100_000)
    """Fargate tasks that ran out of memory, within a day. Default 2: a try and its retry; 0: no alarm."""
    queued_tasks: int = Field(10, ge=0, le=100_000)
    """Airflow tasks that wait for a worker for half an hour. Default 10; 0: no alarm."""
    scheduler_silent_minutes: int = Field(15, ge=0, le=1440)
    """Minutes without a heartbeat of Airflow's scheduler, a multiple of 5. Default 15; 0: no alarm."""
    broken_dag_files: int = Field(1, ge=0, le=100_000)
    """DAG files that Airflow cannot read, for half an hour; only in an MWAA environment that Penstock makes, where all
    of them are the project's. Default 1; 0: no alarm."""
    overdue_minutes: Grace = 120
    """Minutes of grace: a schedule is overdue where its longest rest and these have passed without a success. Watched
    is every schedule with an interval that is not made paused, and that does not end in an image of your own without
    `python: true`, which writes no metrics. Default 120; 0: none is, but for those in `overdue`."""
    overdue: dict[str, Grace] = Field(default_factory=dict)
    """Schedule → its own minutes of grace; 0: it is not watched. Default none."""


class Price(Strict):
    """What Fargate costs, in US dollars."""

    vcpu_hour: float = Field(gt=0, le=100)
    """One vCPU for an hour."""
    gb_hour: float = Field(gt=0, le=100)
    """One GB of memory for an hour."""


class Prices(Strict):
    """Fargate's prices by processor."""

    x86_64: Price | None = None
    """Linux on x86."""
    arm64: Price | None = None
    """Linux on ARM."""


class Observability(Strict):
    """Dashboard, alarms, and a message for each Fargate task that failed. All off, and `ecs.reaper` too: no
    stack for them."""

    dashboard: bool = True
    """Whether to make a CloudWatch dashboard. Default true."""
    stopped_tasks: bool = True
    """Whether each Fargate task that failed or never started gives a message with cause and fix. Default true. A
    message that the topic does not take in three tries is lost; an alarm says so."""
    alarms: Alarms = Alarms()
    """CloudWatch alarms."""
    email: list[str] = Field(default_factory=list, max_length=20)
    """Addresses that get messages and alarms. Each must confirm the mail that AWS sends it. Default none."""
    topic: str | None = Field(None, max_length=300)
    """ARN of an SNS topic that exists, instead of one that Penstock makes. Its policy, and the one of its KMS key, must
    let cloudwatch.amazonaws.com publish, and this account's roles by their own policies."""
    encryption: str = Field(CREATE, max_length=300)
    """KMS key of the topic that Penstock makes: `create` (default: a key of its own), `none`, or the ARN of one that
    exists, whose policy must let cloudwatch.amazonaws.com use it, and this account's roles by their own policies."""
    fargate_prices: Prices = Prices()
    """For the dashboard's estimate, over the prices that Penstock knows: those of another region, or yours."""
