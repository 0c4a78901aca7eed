"""SIGTERM at every moment of a container's life: it is reported, or too late to change anything. Real processes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from penstock_runtime import contract
from penstock_runtime.container.stop import Stop, Stopped
from tests.unit.runtime.container.start_container import patched, popen, start

BEFORE = (
    "penstock: stopped by SIGTERM (StopTask or a Spot interruption) before the engine was started\n"
    "  fix: nothing was done: run the task again\n"
)
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"


def told(process: subprocess.Popen[bytes]) -> str:
    output, errors = process.communicate(timeout=30)
    assert errors == b""
    return output.decode()


def opened(fifo: Path) -> int:
    """The writing end of a named pipe that somebody waits to read."""
    for _ in range(500):
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            time.sleep(0.02)
    raise AssertionError("nobody reads it")


def test_while_files_are_fetched(tmp_path: Path) -> None:
    """A sentence, the documented code, at once; no engine is started, and no half file is left."""
    os.mkfifo(tmp_path / ("0" * 64))
    target = tmp_path / "files" / "x"
    files = {contract.FILES: json.dumps({str(target): {"sha256": "0" * 64, "mode": "0600"}})}
    process = popen("print('never')", **files, **{contract.FILES_URI: tmp_path.as_uri()})
    end = opened(tmp_path / ("0" * 64))
    # It waits for bytes. Python would not hear of a signal between its own look for one and the kernel's wait.
    while psutil.Process(process.pid).status() != psutil.STATUS_SLEEPING:
        time.sleep(0.02)
    process.terminate()

    output = told(process)

    os.close(end)
    assert process.returncode == contract.Exit.STOPPED
    assert output.endswith(BEFORE)
    assert "never" not in output
    assert not list(target.parent.iterdir())


AT = {
    "before the masks are made": "from penstock_runtime.container import main as module\nname = 'Redactor'",
    "before the files": "from penstock_runtime.container import files as module\nname = 'write'",
    "right before the engine": "from penstock_runtime.container import process as module\nname = 'run'",
}


@pytest.mark.parametrize("at", AT.values(), ids=AT)
def test_before_the_engine(at: str, tmp_path: Path) -> None:
    """Whatever the container does at that moment."""
    patch = (
        f"{at}\nkeep, calls = getattr(module, name), []\n"
        f"def stopped(*given, **named):\n    calls.append(1)\n"
        # The first redactor is made before anything can be reported.
        f"    if len(calls) == 2 or name != 'Redactor':\n        {KILL}\n"
        "    return keep(*given, **named)\nsetattr(module, name, stopped)"
    )

    done = start("print('never')", PYTHONPATH=patched(tmp_path, patch))

    assert (done.returncode, done.stderr) == (contract.Exit.STOPPED, "")
    assert done.stdout.endswith(BEFORE)
    assert "never" not in done.stdout


def test_an_interruption_that_somebody_swallows_is_raised_again() -> None:
    """As a destructor would, in which no exception gets through."""
    stop = Stop()
    with pytest.raises(Stopped):
        stop._handle(15, None)

    with pytest.raises(Stopped):
        stop.only_note()


def test_right_after_the_engine_was_started(tmp_path: Path) -> None:
    """Before anybody waits for it: it is ended, and reported as stopped."""
    patch = (
        "import subprocess\n"
        "class Popen(subprocess.Popen):\n    def __init__(self, *given, **named):\n"
        f"        super().__init__(*given, **named)\n        {KILL}\n"
        "subprocess.Popen = Popen"
    )

    done = start("import time; time.sleep(60)", PYTHONPATH=patched(tmp_path, patch))

    outcome, metric = done.stdout.splitlines()[-2:]
    assert (done.returncode, done.stderr) == (contract.Exit.STOPPED, "")
    assert outcome.startswith("penstock: stopped by SIGTERM (StopTask or a Spot interruption), exit code 143, after ")
    assert json.loads(metric)["ExitCode"] == contract.Exit.STOPPED


LATE = {
    "its last sentence": (
        "from penstock_runtime.container import main as module\nsentence = module.sentence\n"
        f"def late(*given):\n    {KILL}\n    return sentence(*given)\nmodule.sentence = late"
    ),
    "its metric line": (
        "from penstock_runtime.container import metrics as module\nline = module.line\n"
        f"def late(*given):\n    {KILL}\n    return line(*given)\nmodule.line = late"
    ),
    "the end of Python": f"import atexit\ndef late():\n    {KILL}\natexit.register(late)",
}


@pytest.mark.parametrize("patch", LATE.values(), ids=LATE)
@pytest.mark.parametrize("code", [0, 3])
def test_once_the_engine_has_ended_its_code_stands(patch: str, code: int, tmp_path: Path) -> None:
    """A stop that comes while the container reports changes neither the report nor the code."""
    done = start(f"import sys; sys.exit({code})", PYTHONPATH=patched(tmp_path, patch))

    *_, outcome, metric = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (code, "")
    assert outcome.startswith(f"penstock: {'failed' if code else 'done'}, exit code {code}, after ")
    assert json.loads(metric)["ExitCode"] == code
