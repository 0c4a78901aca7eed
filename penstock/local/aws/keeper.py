"""Keeps one container: starts its process, passes SIGTERM on, and leaves nothing behind. Runs as a script of its own.

The server starts `python -I -S keeper.py` and writes one JSON line to its standard input: {argv, environ, cwd}. The
pipe stays open; when it closes, by the server or by its death, everything in the container is killed. A process
that ends as first of a container takes the others with it, as the end of a PID namespace does on ECS. Standard
output and error of the container go to the keeper's standard output; its standard error tells the server one line:
`started PID` or `failed REASON`. Exit code: the container's, 128 + signal number if a signal ended it.

Only the standard library, and single-threaded: what runs between fork and exec may not meet another thread's locks.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""linux/prctl.h"""
LINUX = sys.platform.startswith("linux")


def main() -> int:
    order = json.loads(sys.stdin.buffer.readline())
    libc = ctypes.CDLL(None, use_errno=True) if LINUX else None
    if libc is not None:
        # Orphans of the container become ours, so that they are found and killed.
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def die_with_keeper() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        child = subprocess.Popen(
            order["argv"],
            env=order["environ"],
            cwd=order["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=sys.stdout.fileno(),
            stderr=sys.stdout.fileno(),
            start_new_session=True,
            preexec_fn=die_with_keeper,
        )
    except OSError as error:
        print("failed", error, file=sys.stderr, flush=True)
        return 127

    def stop(*_: object) -> None:
        child.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    print("started", child.pid, file=sys.stderr, flush=True)
    while child.poll() is None:
        ready, _, _ = select.select([sys.stdin, woken], [], [], 1)
        if sys.stdin in ready and not os.read(sys.stdin.fileno(), 4096):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        if woken in ready:
            os.read(woken, 4096)
    end_the_rest(child.pid)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def end_the_rest(group: int) -> None:
    """Kill what the container's first process left: its process group, then whoever was handed to us."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    while LINUX:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        left = children()
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def children() -> list[int]:
    """Our own children, zombies included, by the parent id in /proc/PID/stat."""
    children = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_bytes().rpartition(b")")[2].split()
            if int(fields[1]) == os.getpid():
                children.append(int(stat.parent.name))
    return children


if __name__ == "__main__":
    sys.exit(main())
