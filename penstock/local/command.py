"""A command that runs to its end. Nothing of it outlives this process, whatever ends this process."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.local.aws.process import KEEPER
from penstock.local.instance import MARKER

WATCH_SECONDS = 1.0
_SIGNALLED = 128
"""Exit codes above this: ended by the signal of that number less 128, as shells say it."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    output: str
    """What it wrote; empty where that went into a log."""

    @property
    def killed(self) -> bool:
        """Whether a signal that no program can catch ended it."""
        return self.code == _SIGNALLED + signal.SIGKILL

    @property
    def how(self) -> str:
        """For an error message: `failed with exit code 1`, `was killed (SIGKILL)`."""
        with contextlib.suppress(ValueError):
            if self.code > _SIGNALLED:
                return f"was killed ({signal.Signals(self.code - _SIGNALLED).name})"
        return f"failed with exit code {self.code}"


def run(
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    cwd: Path | None = None,
    log: Path | None = None,
    seconds: float | None = None,
    watch: Callable[[], None] = lambda: None,
    holding: Collection[int] = (),
) -> Ended:
    """Run a command under a keeper (`penstock.local.aws.keeper`), which kills all of it once this process is gone.

    Args:
        log: takes the output; without one it is returned.
        watch: called every second; what it raises ends the command. Counts only with a `log`, as does `seconds`.
        holding: open files, a lock's for example, that stay open until the last process of the command is gone.

    Raises:
        subprocess.TimeoutExpired: it still ran after `seconds`; now it does not.
    """
    order = {"argv": [*argv], "environ": dict(environ), "cwd": str(cwd or Path.cwd())}
    with contextlib.ExitStack() as stack:
        target = subprocess.PIPE if log is None else stack.enter_context(log.open("wb"))
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER)],
            env={name: environ[name] for name in (MARKER,) if name in environ},
            stdin=subprocess.PIPE,
            stdout=target,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=tuple(holding),
        )
        assert keeper.stdin is not None
        assert keeper.stderr is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                keeper.stdin.write(json.dumps(order).encode() + b"\n")
                keeper.stdin.flush()
            output = keeper.stdout.read().decode(errors="replace") if keeper.stdout is not None else ""
            code = _wait(keeper, seconds, watch)
            said = keeper.stderr.read().decode(errors="replace").strip()
        finally:
            # It kills everything when this pipe closes; on every way out of here.
            with contextlib.suppress(OSError):
                keeper.stdin.close()
            keeper.wait()
            keeper.stderr.close()
            if keeper.stdout is not None:
                keeper.stdout.close()
    if said.startswith("failed "):
        output += said.removeprefix("failed ")
    return Ended(code if code >= 0 else _SIGNALLED - code, output)


def _wait(keeper: subprocess.Popen[bytes], seconds: float | None, watch: Callable[[], None]) -> int:
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        try:
            return keeper.wait(WATCH_SECONDS)
        except subprocess.TimeoutExpired:
            if deadline is not None and time.monotonic() > deadline:
                raise
            watch()
