"""Stopping a Fargate task, and waiting until it has stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from penstock_runtime.airflow.operators import earlier
from penstock_runtime.airflow.operators.ecs_calls import EcsCalls, Forgotten
from penstock_runtime.airflow.operators.limits import STOPPING_SECONDS
from penstock_runtime.diagnosis import reasons
from penstock_runtime.errors import PenstockError


class Stopping:
    """Stops tasks of one try.

    Args:
        pause: waits so many seconds; may raise.
        poll_seconds: between two looks at a task.
    """

    def __init__(self, calls: EcsCalls, logger: Any, pause: Callable[[float], None], poll_seconds: float) -> None:
        self._calls, self._logger, self._pause, self._poll = calls, logger, pause, poll_seconds

    def at_deadline(self, arn: str, deadline: float, look: Callable[[], earlier.Described | None]) -> earlier.Described:
        """Stop the try's own task; it as it has stopped.

        Args:
            look: gives the task as ECS knows it now; None: ECS could not be asked.

        Raises:
            PenstockError: ECS cannot be asked, or the task does not stop.
        """
        self._logger.warning("%s still runs at its deadline, %s: stopping it", arn, _moment(deadline))
        self._calls.stop(arn, reasons.AT_DEADLINE, time.time() + STOPPING_SECONDS)
        until = time.time() + STOPPING_SECONDS
        while time.time() < until:
            task = look()
            if task and earlier.has_stopped(task):
                return task
            self._pause(self._poll)
        raise PenstockError(
            f"{arn} ran past its deadline, {_moment(deadline)}, was told to stop, and has not",
            fix="stop it in the console of ECS; raise timeout_minutes of the task if it needs longer",
        )

    def of_earlier_try(self, arn: str) -> None:
        """Stop a task that another one is to follow.

        Raises:
            PenstockError: ECS cannot be asked.
        """
        self._logger.warning("%s of an earlier try still runs: stopping it", arn)
        self._calls.stop(arn, reasons.SUPERSEDED, time.time() + STOPPING_SECONDS)

    def wait_for(self, arn: str) -> None:
        """Wait until a task of an earlier try has stopped.

        Raises:
            PenstockError: it does not stop.
        """
        until = time.time() + STOPPING_SECONDS
        while time.time() < until:
            try:
                task = self._calls.watch(arn, 0.0)
            except Forgotten:
                return
            if task and earlier.has_stopped(task):
                return
            self._pause(self._poll)
        raise PenstockError(
            f"{arn} of an earlier try was told to stop, and has not",
            fix="stop it in the console of ECS, then run the Airflow task again",
        )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
