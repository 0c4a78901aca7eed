"""The ECS cluster, and what all its containers have in common."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.project.strict import Strict


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
