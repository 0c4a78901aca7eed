"""The container's log, when whoever takes it is slow, and whatever is in it. Real processes and pipes."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from penstock_runtime import contract
from tests.unit.runtime.container.start_container import environment, patched, popen

CHATTY = (
    "import os\nfrom pathlib import Path\nfor n in range(1400): print(f'line {n:4}', 'x' * 60)\n"
    "Path('pid.new').write_text(str(os.getpid())); os.rename('pid.new', 'pid')"
)
"""Prints more than the pipe to the log driver takes, and less than both pipes: it ends while the container waits."""


def chatty(folder: Path) -> str:
    """The command. Its process id is in the folder once it has printed all."""
    return f"import os; os.chdir({str(folder)!r})\n{CHATTY}"


def wait_for_end(folder: Path) -> None:
    """Wait until the container has seen the end of the command."""
    deadline = time.monotonic() + 30
    while not (folder / "pid").exists() or Path("/proc", (folder / "pid").read_text()).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lines_of(output: bytes) -> list[str]:
    return [line for line in output.decode().split("\n") if line.startswith("line ")]


def rest(process: subprocess.Popen[bytes], earlier: bytes = b"") -> str:
    """All output to the end of the process, which must leave nothing on stderr."""
    output, errors = process.communicate(timeout=60)
    assert errors == b""
    return (earlier + output).decode()


def test_no_line_is_lost_while_the_log_takes_nothing(tmp_path: Path) -> None:
    """The engine has ended long ago when the log driver goes on; every line is there, and the report after them."""
    process = popen(chatty(tmp_path))
    wait_for_end(tmp_path)
    time.sleep(6)

    output = rest(process)

    assert len(lines_of(output.encode())) == 1400
    *_, outcome, metric = output.splitlines()
    assert process.returncode == 0
    assert outcome.startswith("penstock: done, exit code 0, after ")
    assert "lost" not in outcome
    assert "LostLines" not in json.loads(metric)


def test_lost_lines_are_counted(tmp_path: Path) -> None:
    """The wait for the log is over: the report has lines of its own, says how many are missing, and the code stands."""
    patch = (
        "from penstock_runtime.container import main, process\n"
        "process.BLOCKED_SECONDS = 0.3\nmain.REPORT_SECONDS = 50.0"
    )
    process = popen(chatty(tmp_path), PYTHONPATH=patched(tmp_path, patch))
    wait_for_end(tmp_path)
    time.sleep(2)

    output = rest(process)

    *_, outcome, metric = output.splitlines()
    lost = json.loads(metric)["LostLines"]
    whole = [line for line in lines_of(output.encode()) if len(line) == len("line    0 ") + 60]
    assert process.returncode == 0
    assert 0 < lost < 1400
    assert len(whole) == 1400 - lost
    assert outcome.startswith("penstock: done, exit code 0, after ")
    assert outcome.endswith(f", {lost} lines lost: the log took no more in time")


def test_a_stop_shortens_the_wait_for_the_log_and_changes_nothing_else(tmp_path: Path) -> None:
    """The engine had ended by itself: SIGTERM after that ends the wait in time, and the run remains a success."""
    process = popen(chatty(tmp_path), **{contract.STOP_TIMEOUT_SECONDS: "2"})
    wait_for_end(tmp_path)
    process.terminate()

    # Nobody reads.
    assert process.wait(timeout=15) == 0
    assert rest(process)


def test_a_stop_is_reported_as_one_where_the_engine_waits_for_the_log() -> None:
    """The engine runs, and waits for a log that takes nothing: it is ended, and the container in time after it."""
    process = popen("while True: print('x' * 1000)", **{contract.STOP_TIMEOUT_SECONDS: "2"})
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(0.5)
    process.terminate()

    assert process.wait(timeout=15) == contract.Exit.STOPPED
    assert rest(process, first)


def test_a_log_that_nobody_reads_any_more_ends_no_run(tmp_path: Path) -> None:
    """The log driver is gone: the engine goes on, and its code is the container's."""
    process = popen(f"{chatty(tmp_path)}\nprint('x' * 2**20)\nimport sys; sys.exit(5)")
    assert process.stdout is not None
    process.stdout.close()

    assert process.wait(timeout=30) == 5
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


ASCII = {
    "LANG": "C",
    "LC_ALL": "C",
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
}


def test_the_log_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    """Any characters, and any bytes; secrets are found, and files and commands have the names that they were given."""
    code = (
        "import os, sys\nwrite = lambda data: os.write(1, data + b'\\n')\n"
        "write('gr\\u00f6\\u00dfe \\u2713'.encode()); write(b'half \\xe2\\x9c')\n"
        "write(os.environb[b'PASSWORD']); write(b'bye')\n"
        "sys.exit(b'\\xc3\\xa9t\\xc3\\xa9' != os.fsencode(sys.argv[1]))"
    )
    command = json.loads(environment(code)[contract.COMMAND])
    target = tmp_path / "für.pem"
    process = popen(
        **ASCII,
        **{contract.COMMAND: json.dumps([*command, "été"]), contract.SECRET_NAMES: '["PASSWORD"]'},
        **{contract.FILES: json.dumps({str(target): {"secret": "PASSWORD", "mode": "0600"}})},
        PASSWORD="pässwörd-✓",
    )

    output = rest(process)

    assert output.splitlines()[1:5] == ["größe ✓", "half \ufffd", "***", "bye"]
    assert process.returncode == 0
    assert target.read_text() == "pässwörd-✓"


def test_an_error_is_said_whatever_the_locale() -> None:
    """By the engine's own process, too: what the locale lacks is escaped, and the code is the documented one."""
    process = popen(
        **ASCII,
        **{contract.ENGINE: "openmetadata", contract.WORKFLOW_TYPE: "metadata", contract.NAMES: "[]"},
        **{contract.CONFIG_URI: "file:///f\u00fcr", contract.CONFIG_SHA256: "0" * 64},
    )

    output = rest(process)

    assert process.returncode == contract.Exit.ARTIFACT
    assert "penstock: cannot use file:///f" in output
    assert "Traceback" not in output


def test_a_line_without_an_end_needs_little_memory(tmp_path: Path) -> None:
    """96 MiB of one line come through in pieces, none longer than an event of the log."""
    most, status = 256 * 1024, tmp_path / "status"
    patch = (
        "import atexit\nfrom pathlib import Path\n"
        f"atexit.register(lambda: Path({str(status)!r}).write_text(Path('/proc/self/status').read_text()))"
    )
    code = "import sys\nfor _ in range(1536): sys.stdout.write('x' * 65536)"
    process = popen(code, PYTHONPATH=patched(tmp_path, patch))
    assert process.stdout is not None
    count, longest = 0, 0
    for line in process.stdout:
        if line.startswith(b"xx"):
            count, longest = count + line.count(b"x"), max(longest, len(line))
    process.communicate()

    peak_kib = int(status.read_text().partition("VmHWM:")[2].split()[0])
    assert process.returncode == 0
    assert count == 96 * 2**20
    assert longest <= most
    assert peak_kib < 64 * 1024


@pytest.mark.parametrize("at", [-9, 0])
def test_a_secret_across_a_cut_is_masked(at: int) -> None:
    """It begins right before the place at which a long line is cut, or there."""
    before = 256 * 1024 - 26 + at
    process = popen(
        f"import os; print('x' * {before} + os.environ['PASSWORD'] + 'y' * 300_000)",
        **{contract.SECRET_NAMES: '["PASSWORD"]', "PASSWORD": "correct-horse"},
    )

    output = rest(process)

    engine = output.splitlines()[1:-2]
    assert "".join(engine) == "x" * before + "***" + "y" * 300_000
    assert len(engine) == 3


def test_a_line_that_takes_long_to_mask_holds_nobody_up(tmp_path: Path) -> None:
    """The deadline is kept meanwhile, and reported, with the lines that were not shown."""
    patch = (
        "import time\nfrom penstock_runtime.container import redact\nmask = redact.Redactor.__call__\n"
        "def slow(self, line):\n    if 'slow' in line: time.sleep(60)\n    return mask(self, line)\n"
        "redact.Redactor.__call__ = slow"
    )
    process = popen(
        "import time; print('a slow one'); time.sleep(60)",
        PYTHONPATH=patched(tmp_path, patch),
        **{contract.TIMEOUT_SECONDS: "1", contract.STOP_TIMEOUT_SECONDS: "2"},
    )

    output = rest(process)

    outcome, metric = output.splitlines()[-2:]
    assert process.returncode == contract.Exit.TIMED_OUT
    assert outcome.startswith("penstock: timed out: the limit is 1 s (timeout_minutes), exit code 124, after ")
    assert outcome.endswith(", 1 line lost: the log took no more in time")
    assert json.loads(metric)["Duration"] < 20
