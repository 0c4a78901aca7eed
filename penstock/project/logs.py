"""The log of the tasks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.project import arns
from penstock.project.shapes import shape
from penstock.project.strict import Strict

_KEY = shape(
    f"^{arns.KEY}$",
    "the ARN of a KMS key",
    "write arn:aws:kms:<region>:<account>:key/<id>; CloudWatch takes no alias",
)


class Logs(Strict):
    """The log of the tasks, in CloudWatch."""

    # Amazon CloudWatch Logs API Reference, PutRetentionPolicy, retentionInDays.
    retention_days: Literal[
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
    ] = 90
    """How long lines are kept, in days; the numbers are those that CloudWatch knows. Default 90."""
    mode: Literal["blocking", "non-blocking"] = "blocking"
    """What happens when CloudWatch is slow: the task waits (`blocking`, default), or lines are lost."""
    # Held in the task's memory; the smallest task of Fargate has 512 MiB.
    max_buffer_mib: int | None = Field(None, ge=1, le=256)
    """With `non-blocking`: how much waits before lines are lost, in MiB of the task's memory. ECS's default: 10."""
    kms_key: str | None = Field(None, pattern=_KEY)
    """ARN of the KMS key that encrypts the log; its policy must let `logs.<region>.amazonaws.com` use it.
    Default: CloudWatch's own key."""
