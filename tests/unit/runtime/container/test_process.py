"""The engine's process: output, deadline, signals. Real processes, a second each at most."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock_runtime.container import process
from penstock_runtime.container.log import Log
from penstock_runtime.container.output import Output
from penstock_runtime.container.redact import Redactor
from penstock_runtime.container.stop import Stop, grace_seconds
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

ENVIRON = {"PATH": os.environ["PATH"]}


@pytest.fixture(autouse=True)
def _own_handler() -> Iterator[None]:
    """What handles SIGTERM is as before."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def run(
    code: str, *, timeout: float | None = 20, stop_timeout: float = 10, on_line: Callable[[str], None] = len
) -> tuple[process.Outcome, list[str]]:
    """Run Python code as the engine: how it ended, and the lines of its log."""
    stop = Stop(stop_timeout)
    stop.install()
    with tempfile.TemporaryFile() as file:
        log = Log(Output(file.fileno()), Redactor([]), count=on_line)
        command = [sys.executable, "-u", "-I", "-c", code]
        outcome = process.run(command, ENVIRON, timeout_seconds=timeout, log=log, stop=stop)
        file.seek(0)
        return outcome, file.read().decode().splitlines()


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_passes_output_and_exit_code_through() -> None:
    """stdout and stderr, line by line, in order; the code unchanged; bytes that are not UTF-8 do no harm."""
    code = "import sys, os; print('one'); print('two', file=sys.stderr); os.write(1, b'\\xff\\n'); sys.exit(3)"

    outcome, lines = run(code)

    assert (outcome.exit_code, outcome.how) == (3, "ended")
    assert lines == ["one", "two", "\ufffd"]
    assert outcome.peak_memory_mib > 1


def test_ends_what_runs_too_long() -> None:
    """At the deadline the process gets SIGTERM and may finish what it does; the code is `timeout`'s."""
    code = "import signal, sys, time\nsignal.signal(15, lambda *_: (print('bye'), sys.exit(0)))\ntime.sleep(60)"

    outcome, lines = run(code, timeout=1)

    assert (outcome.exit_code, outcome.how, lines) == (Exit.TIMED_OUT, "timed out", ["bye"])


def test_kills_what_ignores_sigterm_and_all_its_children() -> None:
    """Nothing of the group outlives the run, not even what holds the output open."""
    code = (
        "import signal, subprocess, sys, time\nsignal.signal(15, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)\ntime.sleep(60)"
    )
    began = time.monotonic()

    outcome, lines = run(code, timeout=1, stop_timeout=1)

    assert outcome.exit_code == Exit.TIMED_OUT
    assert time.monotonic() - began < 50
    deadline = time.monotonic() + 5
    while alive(int(lines[0])) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(int(lines[0]))


def test_hands_sigterm_on() -> None:
    """SIGTERM to the container reaches the engine; the run is reported as stopped."""
    code = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(0))\nprint('ready')\ntime.sleep(60)"

    outcome, _, _ = stopped(code, stop_timeout=10)

    assert (outcome.exit_code, outcome.how) == (Exit.STOPPED, "stopped")


def stopped(code: str, stop_timeout: float) -> tuple[process.Outcome, list[str], float]:
    """Run a command and send SIGTERM to ourselves at its first line; the seconds from there to the end."""
    asked: list[float] = []

    def on_line(_line: str) -> None:
        if not asked:
            asked.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGTERM)

    outcome, lines = run(code, stop_timeout=stop_timeout, on_line=on_line)
    return outcome, lines, time.monotonic() - asked[0]


SLOW = """
import signal, sys, time
def end(*_):
    time.sleep({seconds})
    print('saved')
    sys.exit(0)
signal.signal(15, end)
print('up')
time.sleep(60)
"""


@pytest.mark.parametrize(("stop_timeout", "grace"), [(120, 115), (30, 25), (10, 5), (6, 3), (2, 1)])
def test_leaves_room_for_the_report(stop_timeout: float, grace: float) -> None:
    """Five seconds of what ECS leaves, or half of it where it is little."""
    assert grace_seconds(stop_timeout) == grace


def test_gives_what_the_stop_timeout_allows() -> None:
    """The engine ends what it does in a stop timeout that is long enough, and is killed in one that is not."""
    long, told, _ = stopped(SLOW.format(seconds=1), stop_timeout=30)
    short, untold, took = stopped(SLOW.format(seconds=30), stop_timeout=4)

    assert (long.exit_code, long.how, told) == (Exit.STOPPED, "stopped", ["up", "saved"])
    assert (short.exit_code, short.how, untold) == (Exit.STOPPED, "stopped", ["up"])
    assert 1.9 < took < 4


def test_ends_before_ecs_does_though_a_stray_holds_the_output() -> None:
    """What has left the group is not waited for beyond the stop timeout: the report of the end comes after that."""
    stray = "import time; time.sleep(6)"
    code = (
        f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {stray!r}], start_new_session=True)\n"
        "print('up')\ntime.sleep(60)"
    )

    outcome, _, took = stopped(code, stop_timeout=3)

    assert outcome.how == "stopped"
    assert took < 3


def test_reports_a_killed_process_as_ecs_does() -> None:
    """128 + 9 where the kernel killed it."""
    outcome, _ = run("import os; os.kill(os.getpid(), 9)")

    assert outcome.exit_code == Exit.KILLED


def test_says_that_there_is_no_such_command() -> None:
    """No traceback: an error with a fix."""
    with pytest.raises(RunError, match="no-such-program"):
        process.run(["no-such-program"], ENVIRON, timeout_seconds=1, log=Log(Output(), Redactor([])), stop=Stop())


def test_counts_the_lines_that_nobody_has_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Written to a full pipe: those in the reader's hands, and those that are still in the engine's pipe."""
    monkeypatch.setattr(process, "BLOCKED_SECONDS", 0.1)
    taker, pipe = os.pipe()
    os.set_blocking(pipe, False)
    while True:
        try:
            os.write(pipe, b"x" * 4096)
        except BlockingIOError:
            break
    log = Log(Output(pipe), Redactor([]))
    command = [sys.executable, "-I", "-c", "for n in range(500): print(n)\nprint('end', end='')"]

    outcome = process.run(command, ENVIRON, timeout_seconds=20, log=log, stop=Stop())

    os.close(pipe)
    os.close(taker)
    assert (outcome.exit_code, outcome.how, outcome.lost_lines) == (0, "ended", 501)


def test_what_has_left_the_group_may_write_for_ever() -> None:
    """A process with a session of its own outlives the engine: its endless lines end no run later."""
    stray = "while True: print('stray', flush=True)"
    start = f"subprocess.Popen([sys.executable, '-c', {stray!r}], start_new_session=True)"
    code = f"import subprocess, sys\nprint({start}.pid)"

    outcome, lines = run(code)

    os.kill(int(next(line for line in lines if line.isdigit())), signal.SIGKILL)
    assert (outcome.exit_code, outcome.how, outcome.lost_lines) == (0, "ended", 0)
