"""Run the embedded PostgreSQL in the foreground: first start, readiness, an end that leaves nothing behind."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from penstock.local.postgres_files import InstanceFolders, held, place
from penstock_runtime.errors import PenstockError

HOST = "127.0.0.1"
SUPERUSER = "postgres"
START_SECONDS = 60
STOP_SECONDS = 10

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "io_method": "sync",  # no I/O worker processes beside the server
    # Statistics soon after a load, of small tables too: OpenMetadata's profiler takes row counts from them.
    "autovacuum_naptime": "1s",
    "autovacuum_analyze_threshold": "1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
_PR_SET_PDEATHSIG = 1


def conninfo(port: int, password: str, *, user: str = SUPERUSER, database: str = SUPERUSER) -> str:
    """A libpq connection string for the embedded server."""
    return make_conninfo(host=HOST, port=port, user=user, password=password, dbname=database, connect_timeout=5)


def serve(binaries: Path, data: Path, port: int, password: str) -> None:
    """Run the server until this process is told to end (`SystemExit`).

    Raises:
        PenstockError: it cannot start: the port is taken, the data has another password, …
    """
    _check_port(port)
    where = place(binaries, data)
    with held(data) as lock:
        files = _initialise(where, password)
        # We hold the lock, so no server is alive: a pid file is what a SIGKILL left. PostgreSQL itself would
        # refuse to start where that process id belongs to another process by now.
        (files / "postmaster.pid").unlink(missing_ok=True)
        settings = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
        server = subprocess.Popen(
            [where.bin / "postgres", "-D", files, "-p", str(port), *settings],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=[lock.fileno()],
            preexec_fn=_end_with_parent(),
            **_as_user(where),
        )
        try:
            _wait_until_ready(server, conninfo(port, password))
            print(f"postgres is ready on {HOST}:{port}", flush=True)
            code = server.wait()
        finally:
            _stop(server)
    raise PenstockError(f"PostgreSQL ended by itself, exit code {code}", fix="read its log above")


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PenstockError(
                f"PostgreSQL cannot use port {port} of {HOST}: {error.strerror}",
                fix="end the program that has it, or choose another port",
            ) from error


def _initialise(where: InstanceFolders, password: str) -> Path:
    """PostgreSQL's data folder; made under another name first, so that a folder that is there is whole."""
    files, new = where.home / "files", where.home / "files.new"
    if files.exists():
        return files
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=where.home) as password_file:
        password_file.write(password + "\n")
        password_file.flush()
        if where.user is not None:
            os.chown(new, where.user.pw_uid, where.user.pw_gid)
            os.fchown(password_file.fileno(), where.user.pw_uid, where.user.pw_gid)
        arguments = [
            "-D",
            str(new),
            "-U",
            SUPERUSER,
            f"--pwfile={password_file.name}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]
        arguments += ["--auth-local=reject", "--auth-host=scram-sha-256", "--no-sync", "--no-instructions"]
        done = subprocess.run(
            [where.bin / "initdb", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            **_as_user(where),
        )
    if done.returncode != 0:
        raise PenstockError(f"initdb failed, exit code {done.returncode}", fix="read its message above")
    new.rename(files)
    return files


def _as_user(where: InstanceFolders) -> dict[str, Any]:
    """Popen's arguments for a program of PostgreSQL: a bare environment; another user where we are root."""
    process: dict[str, Any] = {"cwd": "/", "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}}
    if where.user is not None:
        process |= {"user": where.user.pw_uid, "group": where.user.pw_gid, "extra_groups": []}
    return process


def _end_with_parent() -> Callable[[], None] | None:
    """What the server does before it starts, so that it ends when this process dies, by SIGKILL too. Linux
    only."""
    if sys.platform != "linux":
        return None
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def follow() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return follow


def _wait_until_ready(server: subprocess.Popen[bytes], superuser: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(superuser).close()
            return
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise PenstockError(
                    "the embedded PostgreSQL has another password than its file says",
                    fix="put the old password back, or remove its data: penstock down does",
                ) from error
        time.sleep(0.05)
    raise PenstockError("PostgreSQL did not start", fix="read its log above")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Fast shutdown (SIGINT: ends connections, writes everything out), then immediate (SIGQUIT)."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(number)
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
