"""Commands that are interrupted, processes that are killed, and what is left of them. Tests import it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from penstock.local import services
from penstock.local.instance import Process
from tests.functional.embedded import until
from tests.functional.embedded_system import EmbeddedSystem


@pytest.fixture(scope="module")
def offline() -> Iterator[tuple[str, ...]]:
    """How a command line begins that has no network; nothing where this machine has no network namespaces for us."""
    script = "ip link set lo up && echo ready && exec sleep 3600"
    with subprocess.Popen(["unshare", "-n", "sh", "-c", script], stdout=subprocess.PIPE, text=True) as namespace:
        assert namespace.stdout is not None
        try:
            made = namespace.stdout.readline() == "ready\n"
            yield ("nsenter", "-t", str(namespace.pid), "-n") if made else ()
        finally:
            namespace.kill()


@contextlib.contextmanager
def started(system: EmbeddedSystem, *arguments: str, until_it_says: str) -> Iterator[subprocess.Popen[str]]:
    """A command that has come so far as to say this."""
    with subprocess.Popen(
        system.command(*arguments),
        env=system.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear,
    ) as command:
        try:
            assert command.stderr is not None
            said = ""
            for line in command.stderr:
                said += line
                if until_it_says in line:
                    break
            else:
                raise AssertionError(f"it never said {until_it_says!r}:\n{said}")
            yield command
        finally:
            if command.poll() is None:
                command.kill()


def _hear() -> None:
    """A shell that runs the tests in the background has made them deaf to Ctrl-C, nohup to the end of a session."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def kill(one: Process | psutil.Process) -> None:
    """SIGKILL, and wait until it is gone."""
    os.kill(one.pid, signal.SIGKILL)
    until(lambda: not alive(one.pid))


def alive(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def left(system: EmbeddedSystem) -> list[list[str]]:
    """What is left of the instance, by name and process id."""
    return [[one.name(), str(one.pid)] for one in services.leftovers(system.instance) if alive(one.pid)]


def no_traceback(said: str) -> None:
    assert "Traceback" not in said, said
