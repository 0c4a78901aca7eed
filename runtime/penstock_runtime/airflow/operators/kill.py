"""The end of a try from outside: Airflow kills it, and its Fargate task must not be left running."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock_runtime.airflow.operators.ecs_calls import EcsCalls, NotPlaced, TokenInUse
from penstock_runtime.airflow.operators.limits import KILL_SECONDS
from penstock_runtime.diagnosis import reasons
from penstock_runtime.errors import PenstockError

STEP_SECONDS = 0.2
"""How soon a wait notices a kill. Not an event: its lock could be held where a signal interrupts the wait."""


class Silent:
    """A logger that says nothing: a signal may come amid a line of the real one, which holds a lock then."""

    def warning(self, *_: Any) -> None:
        """Nothing."""


class Kill:
    """Whether a try was killed, and what is done then.

    Args:
        calls: about the cluster, with a `Silent` logger and a client that gives up soon.
        started_by: of all tasks of the Airflow task.
        known: ARNs of tasks that an earlier try is known to have started.
        arn: of the task that the try has now.
        asked: a call of RunTask whose answer is not known yet.
    """

    def __init__(
        self,
        calls: EcsCalls,
        started_by: str,
        known: Sequence[str],
        *,
        arn: Callable[[], str | None],
        asked: Callable[[], Mapping[str, Any] | None],
    ) -> None:
        self._calls, self._started_by, self._known = calls, started_by, known
        self._arn, self._asked = arn, asked
        self._came = False
        self.trouble = ""
        """Why it has not reached ECS; empty: it has, or there was none."""

    def now(self) -> None:
        """Stop the task, and end whatever the try is waiting for. From a signal handler or another thread.

        Raises:
            PenstockError: ECS could not be asked in time, or refuses; `trouble` says so, too.
        """
        self._came = True
        try:
            self._stop_all()
        except Exception as error:
            self.trouble = str(error)
            raise

    def pause(self, seconds: float) -> None:
        """Wait, unless the try is killed.

        Raises:
            PenstockError: it was.
        """
        until = time.monotonic() + seconds
        while not self._came and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, STEP_SECONDS))
        if self._came and self.trouble:
            raise PenstockError(
                f"Airflow ended this try, and its Fargate task may run on: {self.trouble}",
                fix="see in the console of ECS whether it has stopped: a process of the worker goes on trying for five "
                "minutes; otherwise its deadline ends it",
            )
        if self._came:
            raise PenstockError(
                f"Airflow stopped the task: {self._arn() or 'no Fargate task had started'}",
                fix="run it again if that was a mistake",
            )

    def _stop_all(self) -> None:
        until = time.time() + KILL_SECONDS
        arns = [arn] if (arn := self._arn()) else []
        if asked := self._asked():
            try:
                # ECS answers a repeated call with the task that the first one has started, if it has.
                arns.append(self._calls.start(dict(asked), until)["taskArn"])
            except TokenInUse as error:
                arns += error.arns
            except NotPlaced:
                pass
        if not arns:
            # The try may have been about to adopt one.
            arns = [task["taskArn"] for task in self._calls.left_by(self._started_by, until, known=self._known)]
        for arn in dict.fromkeys(arns):
            self._calls.stop(arn, reasons.KILLED, until)
