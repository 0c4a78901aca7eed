"""The engine's process: its own process group, its output line by line, a certain end.

Whatever happens (the deadline, SIGTERM, a child that ignores both), nothing of the group outlives the run.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Literal

from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

STOP_TIMEOUT_SECONDS = 30.0
"""From ECS's SIGTERM to its SIGKILL if a container definition does not set it (Amazon ECS API Reference,
ContainerDefinition, stopTimeout)."""
REPORT_SECONDS = 5.0
"""The part of the stop timeout for the last lines and the report of the end; half of the timeout if that is less. The
rest is the engine's."""
DRAIN_SECONDS = 5.0
"""How long the last lines may take if no SIGKILL follows."""

How = Literal["ended", "timed out", "stopped"]

EndedBy = Literal["engine", "signal", "penstock"]
"""Whose an exit code is: the engine's own, the kernel's for a signal that killed it, or one of `contract.Exit`."""


@dataclass(frozen=True)
class Outcome:
    """How a process ended."""

    exit_code: int
    """The process's own; 128 + n if signal n killed it; `Exit.TIMED_OUT` or `Exit.STOPPED` if Penstock ended it."""
    how: How
    ended_by: EndedBy
    peak_memory_mib: float
    """Resident memory of the largest among the process and its descendants (getrusage), not their sum."""


def run(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    timeout_seconds: float | None,
    on_line: Callable[[str], None],
    stop_timeout_seconds: float = STOP_TIMEOUT_SECONDS,
) -> Outcome:
    """Run a command to its end. Call it from the main thread: it handles SIGTERM while it runs.

    Args:
        timeout_seconds: wall-clock limit; None for none.
        stop_timeout_seconds: how long this process itself lives on after a SIGTERM. The command gets a little less,
            and the same when it reaches its limit.
        on_line: gets each line of stdout and stderr, without its end. Called from one other thread.

    Raises:
        RunError: the command does not exist, or may not be executed.
    """
    try:
        child = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise RunError(
            f"cannot start {command[0]!r}: {error.strerror}",
            fix="check that the image holds this command, and its name in penstock.yaml",
            exit_code=Exit.WRONG_INPUT,
        ) from error

    stopped = threading.Event()
    grace = grace_seconds(stop_timeout_seconds)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()
        _signal_group(child, signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, stop)
    reader = threading.Thread(target=_read, args=(child, on_line), daemon=True)
    reader.start()
    try:
        how = _wait(child, timeout_seconds, stopped, grace)
    finally:
        # Also processes that the child has left behind: they would hold the pipe open, and run on unseen.
        _signal_group(child, signal.SIGKILL)
        child.wait()
        # Bounded: a process with its own session has left the group, and may still hold the pipe.
        reader.join((stop_timeout_seconds - grace) / 2 if stopped.is_set() else DRAIN_SECONDS)
        signal.signal(signal.SIGTERM, before)
    own_code = {"timed out": Exit.TIMED_OUT, "stopped": Exit.STOPPED}.get(how)
    code = child.returncode if own_code is None else int(own_code)
    return Outcome(
        exit_code=code if code >= 0 else 128 - code,
        how=how,
        ended_by="penstock" if own_code is not None else "engine" if code >= 0 else "signal",
        peak_memory_mib=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    )


def grace_seconds(stop_timeout_seconds: float) -> float:
    """How long a command may live on after SIGTERM, so that its end is still reported within the stop timeout."""
    return stop_timeout_seconds - min(REPORT_SECONDS, stop_timeout_seconds / 2)


def _wait(child: subprocess.Popen[bytes], timeout: float | None, stopped: threading.Event, grace_seconds: float) -> How:
    """Wait for the end; past the deadline or after a stop, for at most the grace period."""
    end = math.inf if timeout is None else time.monotonic() + timeout
    while not stopped.is_set():
        left = end - time.monotonic()
        try:
            # In short steps: a signal handler runs in between, but does not end a wait.
            child.wait(min(0.2, max(left, 0)))
        except subprocess.TimeoutExpired:
            if left > 0:
                continue
            _signal_group(child, signal.SIGTERM)
            _wait_quietly(child, grace_seconds)
            return "timed out"
        return "stopped" if stopped.is_set() else "ended"
    _wait_quietly(child, grace_seconds)
    return "stopped"


def _wait_quietly(child: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


def _read(child: subprocess.Popen[bytes], on_line: Callable[[str], None]) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        on_line(line.decode("utf-8", "replace").rstrip("\r\n"))
