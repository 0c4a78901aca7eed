"""The ECS cluster, and what all its containers have in common."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.aws import arns
from penstock.aws.cloudwatch import RetentionDays
from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import worded_pattern


class Ecs(Strict):
    """The ECS cluster, and what all its containers have in common."""

    container_insights: Literal["enhanced", "enabled", "disabled"] = "enabled"
    """CloudWatch Container Insights: `enabled` (default), `enhanced` (per task and container, dearer), `disabled`."""
    # 2 to 120: Amazon ECS API Reference, ContainerDefinition, stopTimeout.
    stop_timeout_seconds: int = Field(120, ge=2, le=120)
    """From SIGTERM to SIGKILL, in seconds: 2 to 120 (default; as long as Spot warns ahead). The engine has all of it
    but 5 to end what it does (half of it below 10), and as long again after its `timeout_minutes`."""
    # Out of the task's memory, of which Fargate's smallest size has 512 MiB.
    tmp_mib: int = Field(256, ge=16, le=4096)
    """Size of /tmp, in MiB, where `read_only_root` is set. It counts as memory of the task. Default 256."""
    reaper: bool = True
    """Whether a function looks every five minutes for tasks of this project that still run 10 minutes after Airflow
    should have stopped them (`timeout_minutes` and 15 minutes), and stops them: where Airflow has lost the run, nothing
    else would. It costs 8,640 calls a month, within Lambda's free tier. Default true."""


_KEY = worded_pattern(
    f"^{arns.KEY}$",
    "the ARN of a KMS key",
    "write arn:aws:kms:<region>:<account>:key/<id>; CloudWatch takes no alias",
)


class Logs(Strict):
    """The log of the tasks, in CloudWatch."""

    retention_days: RetentionDays = 90
    """How long lines are kept, in days; the numbers are those that CloudWatch knows. Default 90."""
    mode: Literal["blocking", "non-blocking"] = "blocking"
    """What happens when CloudWatch is slow: the task waits (`blocking`, default), or lines are lost."""
    # Held in the task's memory; the smallest task of Fargate has 512 MiB.
    max_buffer_mib: int | None = Field(None, ge=1, le=256)
    """With `non-blocking`: how much waits before lines are lost, in MiB of the task's memory. ECS's default: 10."""
    kms_key: str | None = Field(None, pattern=_KEY)
    """ARN of the KMS key that encrypts the log; its policy must let `logs.<region>.amazonaws.com` use it.
    Default: CloudWatch's own key."""
