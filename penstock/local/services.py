"""Start and end the processes of an instance; nothing of it outlives `stop_all`.

A process is started in a session of its own, so that Ctrl-C reaches only the command, which then ends what it began.
What a process starts itself (Airflow's workers, Fargate tasks, Meltano's plugins) is found by that session, by the
instance's marker in its environment, or by the log that it writes, whatever became of its parent, and of the command.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from penstock.local.instance import MARKER, Instance, Process
from penstock_runtime.errors import PenstockError

STOP_SECONDS = 20
"""How long a process gets after SIGTERM. Airflow's api-server needs up to about ten seconds."""
ROUNDS = 5
"""How often to look again for what was started while the rest was ending."""
SAME_SECONDS = 1.0
"""How far two readings of a process's start may be apart: the system derives it from a clock that is being set."""


def start(instance: Instance, name: str, command: Sequence[str], environ: Mapping[str, str], cwd: Path) -> Process:
    """Start a process that stays after this command, and record it before anything else can go wrong.

    What an earlier process of that name has left behind is ended first.
    """
    if name in instance.processes:
        stop(instance, [name])
    log = instance.log(name)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            env={**instance.environ(), **environ},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = Process(name, child.pid, psutil.Process(child.pid).create_time(), str(log))
    instance.processes[name] = process
    instance.save()
    return process


def alive(process: Process) -> bool:
    """Whether that very process still runs."""
    try:
        found = psutil.Process(process.pid)
        return _same(found, process) and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def running(instance: Instance, name: str) -> bool:
    """Whether the instance has a process of that name, and it lives."""
    process = instance.processes.get(name)
    return process is not None and alive(process)


def wait(process: Process, ready: Callable[[], bool], *, seconds: float) -> None:
    """Wait until `ready` says so.

    Raises:
        PenstockError: the process ended, or `seconds` went by; says where its log is, with its last lines.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if not alive(process):
            raise PenstockError(f"{process.name} ended while starting\n{tail(process.log)}", fix=f"read {process.log}")
        if time.monotonic() > deadline:
            raise PenstockError(
                f"{process.name} is not ready after {seconds:.0f} seconds\n{tail(process.log)}",
                fix=f"read {process.log}",
            )
        time.sleep(0.1)


def stop(instance: Instance, names: Iterable[str]) -> None:
    """End these processes with all that they have started, and forget them."""
    _stop(instance, names)
    instance.save()


def stop_all(instance: Instance) -> None:
    """End every process of the instance, orphans included. A disk that is full does not keep it from that."""
    # The newest first: who was started later may need those that were started earlier to end well. Airflow's
    # components need each other for nothing then, and are slow to end.
    for _, names in itertools.groupby(reversed(list(instance.processes)), key=lambda name: name.split("-")[0]):
        _stop(instance, names)
    for _ in range(ROUNDS):
        left = leftovers(instance)
        if not left:
            break
        _end(left)
    with contextlib.suppress(OSError):  # what the file names has ended, and is found so
        instance.save()


def _stop(instance: Instance, names: Iterable[str]) -> None:
    chosen = [instance.processes[name] for name in names if name in instance.processes]
    leaders = []
    for process in chosen:
        with contextlib.suppress(psutil.NoSuchProcess):
            if alive(process):
                leaders.append(psutil.Process(process.pid))
    followers = _of_sessions({process.pid for process in chosen if not _taken_over(process)}) - set(leaders)
    _end(leaders)
    _end([process for process in followers if process.is_running()])
    for process in chosen:
        del instance.processes[process.name]


def leftovers(instance: Instance) -> list[psutil.Process]:
    """All processes of this machine that belong to the instance, this one excepted, whoever recorded them."""
    logs = instance.log("any").parent.resolve()
    return list({*marked(instance.id), *_writers(logs)})


def marked(instance_id: str) -> list[psutil.Process]:
    """All processes of this machine that carry the instance's marker, this one excepted.

    Some programs (Airflow, PostgreSQL) write their title over their environment; those are found by their session.
    """
    processes = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARKER) == instance_id:
                processes.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return processes


def _writers(folder: Path) -> set[psutil.Process]:
    """Every process whose standard output is a file in this folder. Linux only; elsewhere none is found."""
    writers = set()
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            output = Path(f"/proc/{process.pid}/fd/1").readlink()
            if process.pid != os.getpid() and output.parent == folder:
                writers.add(process)
    return writers


def _same(found: psutil.Process, process: Process) -> bool:
    return abs(found.create_time() - process.created) <= SAME_SECONDS


def _taken_over(process: Process) -> bool:
    """Whether the process id belongs to somebody else by now, so that what is in its session is not ours.

    While anything is left in a session, its leader's id is given to nobody else, but for a restart of the machine.
    """
    try:
        return not _same(psutil.Process(process.pid), process)
    except psutil.NoSuchProcess:
        return process.created < psutil.boot_time() - SAME_SECONDS


def _of_sessions(leaders: set[int]) -> set[psutil.Process]:
    """Every process in the sessions that these processes lead, and all that descends from them."""
    members: set[psutil.Process] = set()
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) in leaders:
                members |= {process, *process.children(recursive=True)}
        except (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError, PermissionError):
            continue
    return members


def tail(log: str | Path, lines: int = 12) -> str:
    """The last lines of a log file, indented, for an error message."""
    try:
        text = Path(log).read_text(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        text = []
    return "\n".join(f"  | {line}" for line in text) or "  (it wrote nothing)"


def _end(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        _signal(process.terminate)
    _, left = psutil.wait_procs(processes, timeout=STOP_SECONDS)
    for process in left:
        _signal(process.kill)
    psutil.wait_procs(left, timeout=5)


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
