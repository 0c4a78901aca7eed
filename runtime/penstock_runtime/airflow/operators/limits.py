"""How long a try of a Fargate task may take, and how often it starts one. Light: Airflow imports it at every parse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from penstock_runtime.plan.schedule import FargateTask

START_MINUTES = 15
"""On top of `timeout_minutes`, which counts from the container's start: for capacity, pulling the image,
stopping. Without the runtime in the container, this is the only time limit."""
SPOT_INTERRUPTIONS = 2
"""So often a task begins anew within a try because Spot was interrupted; after the last one it runs on demand."""
STOPPING_SECONDS = 300.0
"""How long a task may take from StopTask to its end: ECS kills it after its stop timeout (120 s at most)."""
KILL_SECONDS = 4.0
"""How long a kill by Airflow may go on asking ECS: Airflow 3 sends SIGKILL five seconds after SIGTERM
(`airflow.sdk.execution_time.supervisor`). A process of its own goes on after that (`stop_later`)."""
STOP_LATER_SECONDS = 300.0
"""How long that process asks."""
LAST_LINES = 20
"""Of the container's log, in the message about a failure."""


@dataclass(frozen=True)
class Pace:
    """How long a try waits between its calls, in seconds; tests shorten it."""

    poll: float = 6.0
    """Between two DescribeTasks of one task; ECS allows 20 such calls a second."""
    least: float = 1.0
    """Before a failed call is repeated for the first time."""
    restart: float = 10.0
    """The same, for a task that did not come to run."""
    start_again: float = 1800.0
    """From the begin of a try: how long it starts tasks again that did not come to run."""
    drain: float = 1.0
    """Between two reads of the rest of the log."""


def longest(task: FargateTask) -> timedelta:
    """Airflow's own limit, for the case that the operator's fails: longer than every way in which a try can go on."""
    runs = 1 + (SPOT_INTERRUPTIONS if task.spot else 0)
    one_run = task.timeout_minutes * 60 + START_MINUTES * 60 + Pace.start_again
    # Two looks at what stops, and the stop at the deadline; the log.
    return timedelta(seconds=Pace.start_again + 3 * STOPPING_SECONDS + runs * one_run + 600)
