"""Reads the engine's output in a thread of its own, so that whatever it has to wait for holds nobody else up."""

from __future__ import annotations

import fcntl
import os
import select
import threading
import time

from penstock_runtime.container.log import Log
from penstock_runtime.container.output import STEP_SECONDS

STRAY_SECONDS = 5.0
"""How long processes that have left the engine's group, and outlive it, may keep its output open."""
_CHUNK_BYTES = 64 * 1024
_PIPE_BYTES = 1024 * 1024
"""What a pipe holds at most where the system does not say (Linux: /proc/sys/fs/pipe-max-size)."""


class Reader:
    """From a pipe into the log, up to the pipe's end."""

    def __init__(self, pipe: int, log: Log) -> None:
        self._pipe, self._log = pipe, log
        self._ended_at: float | None = None
        self._read = 0
        self._last = 0
        # A daemon: it holds no lock that the interpreter needs at its end.
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def engine_ended(self) -> None:
        """What is in the pipe now is the last of the engine's output, whoever else still writes into it."""
        held = fcntl.fcntl(self._pipe, fcntl.F_GETPIPE_SZ) if hasattr(fcntl, "F_GETPIPE_SZ") else _PIPE_BYTES
        # With a chunk that is being read at this moment.
        self._last = self._read + held + _CHUNK_BYTES
        self._ended_at = time.monotonic()

    def join(self, seconds: float) -> bool:
        """Wait for the end; whether it was reached."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        while not self._over():
            if poll.poll(1000 * STEP_SECONDS):
                chunk = os.read(self._pipe, _CHUNK_BYTES)
                if not chunk:
                    break
                self._read += len(chunk)
                self._log.feed(chunk)
            elif self._abandoned():
                break
        self._log.feed(b"", last=True)

    def _over(self) -> bool:
        return self._ended_at is not None and self._read >= self._last

    def _abandoned(self) -> bool:
        """Whether nothing that is worth waiting for can still come."""
        if self._ended_at is None:
            return False
        return time.monotonic() >= min(self._ended_at + STRAY_SECONDS, self._log.output.until())
