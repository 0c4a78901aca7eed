"""The sentence that says how a run ended: the last line of its log but one."""

from __future__ import annotations

from penstock_runtime.container.engines import Counts
from penstock_runtime.container.environment import Size
from penstock_runtime.container.process import Outcome
from penstock_runtime.contract import Exit


def sentence(
    outcome: Outcome, counts: Counts, seconds: float, timeout_seconds: float | None, size: Size | None = None
) -> str:
    """How the run ended, with which code, after how long, and what it did.

    Args:
        seconds: from the start of the container's program.
        size: what RunTask asked for; None: unknown.
    """
    code = outcome.exit_code
    if outcome.how == "timed out":
        what = f"timed out: the limit is {timeout_seconds:g} s (timeout_minutes)"
    elif outcome.how == "stopped":
        what = "stopped by SIGTERM (StopTask or a Spot interruption)"
    elif code == Exit.DONE:
        what = "done"
    elif outcome.ended_by == "signal" and code == Exit.KILLED:
        what = f"killed by SIGKILL: most likely out of memory ({_memory(outcome, size)})"
    elif outcome.ended_by == "signal":
        what = f"killed by signal {code - 128}"
    else:
        what = "failed"
    known = code in {int(member) for member in Exit} - {Exit.DONE, Exit.FAILED}
    whose = " (the engine's own)" if known and outcome.ended_by == "engine" else ""
    counted = [f"{value} {name}" for name, value in vars(counts).items() if value is not None]
    if outcome.lost_lines:
        counted.append(f"{_counted(outcome.lost_lines, 'line')} lost: the log took no more in time")
    return ", ".join([f"{what}, exit code {code}{whose}, after {seconds:.1f} s", *counted])


def _memory(outcome: Outcome, size: Size | None) -> str:
    if size is None:
        return "memory_mib"
    return (
        f"its largest process used {outcome.peak_memory_mib:.0f} MiB, all of them may use {size.memory_mib}: "
        f"set memory_mib of the task above {size.memory_mib}"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
