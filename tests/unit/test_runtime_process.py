"""The engine's process: output, deadline, signals. Real processes, a second each at most."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from penstock_runtime import process
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

ENVIRON = {"PATH": os.environ["PATH"]}


def python(code: str, *, timeout: float | None = 20, grace: float = 5) -> tuple[process.Outcome, list[str]]:
    lines: list[str] = []
    outcome = process.run(
        [sys.executable, "-u", "-I", "-c", code],
        ENVIRON,
        timeout_seconds=timeout,
        on_line=lines.append,
        grace_seconds=grace,
    )
    return outcome, lines


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_passes_output_and_exit_code_through() -> None:
    """stdout and stderr, line by line, in order; the code as it is; bytes that are no UTF-8 do no harm."""
    code = "import sys, os; print('one'); print('two', file=sys.stderr); os.write(1, b'\\xff\\n'); sys.exit(3)"

    outcome, lines = python(code)

    assert (outcome.exit_code, outcome.how) == (3, "ended")
    assert lines == ["one", "two", "\ufffd"]
    assert outcome.peak_memory_mib > 1


def test_ends_what_runs_too_long() -> None:
    """At the deadline the process gets SIGTERM and may finish what it does; the code is `timeout`'s."""
    code = "import signal, sys, time\nsignal.signal(15, lambda *_: (print('bye'), sys.exit(0)))\ntime.sleep(60)"

    outcome, lines = python(code, timeout=1)

    assert (outcome.exit_code, outcome.how, lines) == (Exit.TIMED_OUT, "timed out", ["bye"])


def test_kills_what_ignores_sigterm_and_all_its_children() -> None:
    """Nothing of the group outlives the run, not even what holds the output open."""
    code = (
        "import signal, subprocess, sys, time\nsignal.signal(15, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)\ntime.sleep(60)"
    )
    began = time.monotonic()

    outcome, lines = python(code, timeout=1, grace=0.5)

    assert outcome.exit_code == Exit.TIMED_OUT
    assert time.monotonic() - began < 10
    deadline = time.monotonic() + 5
    while alive(int(lines[0])) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(int(lines[0]))


def test_hands_sigterm_on() -> None:
    """SIGTERM to the container reaches the engine; the run is reported as stopped."""
    code = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(0))\nprint('ready')\ntime.sleep(60)"
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()

    outcome = process.run([sys.executable, "-u", "-c", code], ENVIRON, timeout_seconds=20, on_line=on_line)

    assert (outcome.exit_code, outcome.how) == (Exit.STOPPED, "stopped")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_reports_a_killed_process_as_ecs_does() -> None:
    """128 + 9 where the kernel killed it."""
    outcome, _ = python("import os; os.kill(os.getpid(), 9)")

    assert outcome.exit_code == Exit.KILLED


def test_says_that_there_is_no_such_command() -> None:
    """No traceback: an error with a fix."""
    with pytest.raises(RunError, match="no-such-program"):
        process.run(["no-such-program"], ENVIRON, timeout_seconds=1, on_line=print)
