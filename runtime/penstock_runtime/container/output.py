"""Standard output, written so that a log driver that takes nothing for a while can be waited for, but not for ever.

Bytes go straight to the file descriptor: in UTF-8 whatever the locale, and without Python's own buffer, whose lock a
thread could hold while the interpreter ends (Python aborts then, and a finished run would have failed).
"""

from __future__ import annotations

import math
import os
import select
import time
from collections.abc import Callable

_LINE_END = ord("\n")
STEP_SECONDS = 0.1
"""How often a writer that waits asks whether it may still do so."""


def without_limit() -> float:
    """For `Output.until`: a write waits for as long as it takes."""
    return math.inf


class Output:
    """A file descriptor, for one thread at a time."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._broken = self._in_line = False
        self.until: Callable[[], float] = without_limit
        """The moment (monotonic, in seconds) up to which a write waits. It may come nearer while one waits."""
        self.taken_at = time.monotonic()
        """When something was taken last, or somebody began to wait."""

    def write(self, data: bytes) -> int:
        """Write; returns how many of the last bytes were not taken before `until`, or by nobody any more."""
        view = memoryview(data)
        while view and not self._broken and self._ready():
            try:
                # As much as a pipe that is ready takes without blocking.
                count = os.write(self._descriptor, view[: select.PIPE_BUF])
            except BlockingIOError:
                continue
            except OSError:
                # Whoever read it is gone.
                self._broken = True
                break
            self._in_line = view[count - 1] != _LINE_END
            view, self.taken_at = view[count:], time.monotonic()
        return len(view)

    def write_line(self, text: str) -> None:
        """Write a line of its own, also after a part of another one; what is not taken before `until` is left out."""
        self.taken_at = time.monotonic()
        self.write((b"\n" if self._in_line else b"") + encoded(text) + b"\n")

    def _ready(self) -> bool:
        while not self._poll.poll(0):
            left = self.until() - time.monotonic()
            if left <= 0:
                return False
            self._poll.poll(1000 * min(left, STEP_SECONDS))
        return True


def encoded(text: str) -> bytes:
    """A text in UTF-8; half characters, which it cannot hold, become question marks."""
    return text.encode("utf-8", "replace")
