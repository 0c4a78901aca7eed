"""The engine's process: its own process group, its output into the log, a certain end.

Whatever happens (the deadline, SIGTERM, a child that ignores both), nothing of the group outlives the run. An engine
that ends by itself keeps its exit code, whatever comes after that.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from penstock_runtime.container.log import Log
from penstock_runtime.container.output import without_limit
from penstock_runtime.container.reader import Reader
from penstock_runtime.container.stop import Stop, grace_seconds
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

BLOCKED_SECONDS = 300.0
"""How long the end of a run waits for a log driver that takes nothing at all, before it counts the lines as lost.
AWS may be silent for minutes, but nobody should go on paying for a task that has ended."""
_STEP_SECONDS = 0.1
"""How often the wait for an engine looks for SIGTERM."""
_SPARE_SECONDS = 0.5
"""For the reader to see that its time is over, and to count what is lost."""

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
    lost_lines: int = 0
    """Lines of its output that the log driver has not taken in time."""


def run(
    command: Sequence[str], environ: Mapping[str, str], *, timeout_seconds: float | None, log: Log, stop: Stop
) -> Outcome:
    """Run a command to its end. Call it from the main thread, which handles SIGTERM.

    Args:
        timeout_seconds: wall-clock limit; None for none.
        log: gets stdout and stderr, from one other thread until this returns. Its last lines are waited for: after
            SIGTERM for what the stop timeout allows; otherwise up to the limit, and for as long as the stop timeout
            in any case, unless nothing is taken for `BLOCKED_SECONDS`.
        stop: handles SIGTERM. The command gets a little less than its timeout, and the same when it reaches its limit.

    Raises:
        RunError: the command does not exist, or may not be executed.
        Stopped: SIGTERM came before the command was started.
    """
    deadline = math.inf if timeout_seconds is None else time.monotonic() + timeout_seconds
    stop.only_note()
    try:
        # Bytes: Python would encode texts as the locale says, which may be ASCII.
        child = subprocess.Popen(
            [_bytes(word) for word in command],
            env={_bytes(name): _bytes(value) for name, value in environ.items()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        # The second for characters that no command line can hold.
        raise RunError(
            f"cannot start {command[0]!r}: {getattr(error, 'strerror', None) or error}",
            fix="check that the image holds this command, and its name in penstock.yaml",
            exit_code=Exit.WRONG_INPUT,
        ) from error
    assert child.stdout is not None
    # While it runs, it waits for its log like any program, up to its limit.
    log.output.until = without_limit
    reader = Reader(child.stdout.fileno(), log)
    try:
        reader.start()
        how = _wait(child, deadline, stop)
    finally:
        # Also processes that the child has left behind: they would hold the pipe open, and run on unseen.
        _signal_group(child, signal.SIGKILL)
        child.wait()
    _drain(reader, deadline, log, stop)
    own_code = {"timed out": Exit.TIMED_OUT, "stopped": Exit.STOPPED}.get(how)
    code = child.returncode if own_code is None else int(own_code)
    return Outcome(
        exit_code=code if code >= 0 else 128 - code,
        how=how,
        ended_by="penstock" if own_code is not None else "engine" if code >= 0 else "signal",
        peak_memory_mib=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        lost_lines=log.lost_lines,
    )


def _wait(child: subprocess.Popen[bytes], deadline: float, stop: Stop) -> How:
    """Wait for the end; past the deadline or after a stop, for at most the grace period."""
    # In short steps: a signal handler runs in between, but does not end a wait.
    while not _ends_within(child, min(_STEP_SECONDS, max(deadline - time.monotonic(), 0))):
        if stop.asked_at is not None:
            _signal_group(child, signal.SIGTERM)
            _ends_within(child, stop.engine_until - time.monotonic())
            return "stopped"
        if time.monotonic() >= deadline:
            _signal_group(child, signal.SIGTERM)
            _ends_within(child, grace_seconds(stop.timeout_seconds))
            return "timed out"
    return "ended"


def _ends_within(child: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _drain(reader: Reader, deadline: float, log: Log, stop: Stop) -> None:
    """Wait for the last lines to be read and taken."""
    ended_at = time.monotonic()
    log.output.taken_at = max(log.output.taken_at, ended_at)

    def until() -> float:
        unasked = min(max(deadline, ended_at + stop.timeout_seconds), log.output.taken_at + BLOCKED_SECONDS)
        return min(unasked, stop.drain_until)

    log.output.until = until
    reader.engine_ended()
    # In short steps, since SIGTERM may bring it nearer. The reader keeps to it too, unless a line takes it long.
    while not reader.join(_STEP_SECONDS):
        if time.monotonic() > until() + _SPARE_SECONDS:
            log.leave()
            return


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
