"""SIGTERM, from its handler to whoever acts on it, and how the time up to ECS's SIGKILL is shared out.

Before there is an engine, SIGTERM ends the container's program at once, by an exception. From then on it is only noted:
an engine that runs is ended by who waits for it, and one that has ended by itself has its own exit code.
"""

from __future__ import annotations

import math
import signal
import time
from types import FrameType

STOP_TIMEOUT_SECONDS = 30.0
"""From ECS's SIGTERM to its SIGKILL if a container definition does not set it (Amazon ECS API Reference,
ContainerDefinition, stopTimeout)."""
REPORT_SECONDS = 5.0
"""The part of the stop timeout for the last lines and the report of the end; half of the timeout if that is less. The
rest is the engine's."""


class Stopped(BaseException):
    """SIGTERM came before there was an engine. Not an `Exception`: nobody who handles trouble may swallow it."""


class Stop:
    """Whether and when SIGTERM came. The handler runs in the main thread."""

    def __init__(self, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> None:
        self.timeout_seconds = timeout_seconds
        """From SIGTERM to SIGKILL."""
        self.asked_at: float | None = None
        """When SIGTERM came first (monotonic, in seconds)."""
        self._raises = True

    def install(self) -> None:
        """Handle SIGTERM from here on. Call it from the main thread."""
        signal.signal(signal.SIGTERM, self._handle)

    def only_note(self) -> None:
        """From here on SIGTERM is noted; one that came before is raised.

        Raises:
            Stopped: SIGTERM has come, and whoever it interrupted went on.
        """
        self._raises = False
        if self.asked_at is not None:
            raise Stopped

    def outlast(self) -> None:
        """From here on SIGTERM changes nothing: all is said, and the exit code stands, also while Python ends."""
        self._raises = False
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    @property
    def engine_until(self) -> float:
        """When an engine that was asked to end is killed (monotonic); infinite without SIGTERM."""
        return math.inf if self.asked_at is None else self.asked_at + grace_seconds(self.timeout_seconds)

    @property
    def drain_until(self) -> float:
        """When the engine's last lines must be out (monotonic), half of the rest before SIGKILL."""
        return self._before_the_end(1 / 2)

    @property
    def report_until(self) -> float:
        """When the report of the end must be out (monotonic)."""
        return self._before_the_end(1 / 4)

    def _before_the_end(self, part: float) -> float:
        if self.asked_at is None:
            return math.inf
        return (
            self.asked_at + self.timeout_seconds - part * (self.timeout_seconds - grace_seconds(self.timeout_seconds))
        )

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        if self.asked_at is None:
            self.asked_at = time.monotonic()
        if self._raises:
            self._raises = False
            raise Stopped


def grace_seconds(stop_timeout_seconds: float) -> float:
    """How long a command may live on after SIGTERM, so that its end is still reported within the stop timeout."""
    return stop_timeout_seconds - min(REPORT_SECONDS, stop_timeout_seconds / 2)
