"""One line per run in CloudWatch's embedded metric format, from which CloudWatch makes metrics without an API call.

Three sets: of the whole project (for alarms and totals; an alarm cannot search), by processor (for the cost
estimate: prices differ) and by task. The stacks and this module share the names below.
Source: AWS, "Specification: CloudWatch embedded metric format".
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping

from penstock_runtime import contract
from penstock_runtime.container.engines import Counts
from penstock_runtime.container.environment import Run, Size
from penstock_runtime.container.process import Outcome
from penstock_runtime.contract import Exit

NAMESPACE = "Penstock"
BY_PROJECT = ("Project", "Environment")
BY_ARCHITECTURE = (*BY_PROJECT, "Architecture")
BY_TASK = (*BY_PROJECT, "Schedule", "Task")

UNITS: Mapping[str, str] = {
    "Runs": "Count",
    "FailedRuns": "Count",
    "Succeeded": "Count",
    "Duration": "Seconds",
    "Records": "Count",
    "Failures": "Count",
    # MiB, in the nearest unit that CloudWatch has.
    "PeakMemory": "Megabytes",
    "MemoryUtilization": "Percent",
    "VcpuSeconds": "None",
    "GibSeconds": "None",
}
METRICS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    BY_PROJECT: ("Runs", "FailedRuns", "Duration", "Records"),
    BY_ARCHITECTURE: ("VcpuSeconds", "GibSeconds"),
    BY_TASK: ("Succeeded", "Duration", "Records", "Failures", "PeakMemory", "MemoryUtilization"),
}
"""Dimensions → metrics. CloudWatch charges for each that gets data in an hour, so values that nothing reads are left
out."""

_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def line(run: Run, outcome: Outcome, counts: Counts, seconds: float, size: Size | None = None) -> str:
    """The metric line. A count that the engine does not report is left out, as is what depends on an unknown size.

    Args:
        seconds: from the start of the container's program; AWS charges from the pull of the image on.
        size: what RunTask asked for; None: unknown.
    """
    succeeded = outcome.exit_code == Exit.DONE
    values: dict[str, float | int | None] = {
        "Runs": 1,
        "FailedRuns": int(not succeeded),
        "Succeeded": int(succeeded),
        "Duration": round(seconds, 3),
        "Records": counts.records,
        "Failures": counts.failures,
        "Warnings": counts.warnings,
        "PeakMemory": round(outcome.peak_memory_mib, 1),
    }
    if size is not None:
        values["MemoryUtilization"] = round(100 * outcome.peak_memory_mib / size.memory_mib, 1)
        values["VcpuSeconds"] = round(seconds * size.cpu_units / 1024, 3)
        values["GibSeconds"] = round(seconds * size.memory_mib / 1024, 3)
    known = {name: value for name, value in values.items() if value is not None}
    directives = [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in names if name in known],
        }
        for dimensions, names in METRICS.items()
        if any(name in known for name in names)
    ]
    machine = platform.machine()
    return json.dumps(
        {
            contract.METRIC_KEY: {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": directives},
            "Project": run.project,
            "Environment": run.environment,
            "Architecture": _ARCHITECTURES.get(machine.lower(), machine),
            "Schedule": run.schedule,
            "Task": run.task,
            # Properties, not metrics: for Logs Insights.
            "Job": run.job,
            "DagRun": run.dag_run,
            "Try": run.attempt,
            "ExitCode": outcome.exit_code,
            contract.ENDED_BY: outcome.ended_by,
            **({"LostLines": outcome.lost_lines} if outcome.lost_lines else {}),
            **({"MemoryLimitMib": size.memory_mib} if size is not None else {}),
            **known,
        }
    )
