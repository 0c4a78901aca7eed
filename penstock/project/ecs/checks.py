"""What types cannot say about the log of the tasks."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.ecs.model import Logs
from penstock.project.iam.checks import check_region


def check_logs(logs: Logs, region: str) -> Iterator[Problem]:
    """Settings that must fit each other."""
    yield from check_region(logs.kms_key, region, "logs", "kms_key")
    if logs.max_buffer_mib is not None and logs.mode == "blocking":
        fix = "remove it, or write mode: non-blocking"
        yield Problem("max_buffer_mib counts only where mode is non-blocking", fix, ("logs", "max_buffer_mib"))
