"""One line per run in CloudWatch's embedded metric format, from which CloudWatch makes metrics without an API call.

Source: AWS, "Specification: CloudWatch embedded metric format".
"""

from __future__ import annotations

import json
import time

from penstock_runtime.engines import Counts
from penstock_runtime.process import Outcome
from penstock_runtime.run import Run

NAMESPACE = "Penstock"
DIMENSIONS = ("Project", "Environment", "Schedule", "Task")


def line(run: Run, outcome: Outcome, counts: Counts, seconds: float) -> str:
    """The metric line. A count that the engine does not tell is left out."""
    values: dict[str, tuple[str, float | int | None]] = {
        "Duration": ("Seconds", round(seconds, 3)),
        "Records": ("Count", counts.records),
        "Failures": ("Count", counts.failures),
        "Warnings": ("Count", counts.warnings),
        # MiB, in the nearest unit that CloudWatch knows.
        "PeakMemory": ("Megabytes", round(outcome.peak_memory_mib, 1)),
        "ExitCode": ("None", outcome.exit_code),
    }
    known = {name: (unit, value) for name, (unit, value) in values.items() if value is not None}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(DIMENSIONS)],
        "Metrics": [{"Name": name, "Unit": unit} for name, (unit, _) in known.items()],
    }
    return json.dumps(
        {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
            **dict(zip(DIMENSIONS, (run.project, run.environment, run.schedule, run.task), strict=True)),
            # Properties: for Logs Insights, no metrics.
            "Job": run.job,
            "DagRun": run.dag_run,
            "Try": run.attempt,
            **{name: value for name, (_, value) in known.items()},
        }
    )
