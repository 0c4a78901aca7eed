"""The embedded PostgreSQL: the real server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from penstock.local import environments, postgres, postgres_files
from penstock_runtime.errors import PenstockError
from tests.functional.servers import ROOT, free_port, running, secret_file

PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def programs() -> Path:
    """The locked PostgreSQL."""
    lock = ROOT / "requirements" / "postgres.txt"
    return postgres.binaries(environments.ensure("postgres", lock, report=print))


class Instance:
    """One data folder and how to run a server on it."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.data, self.log, self.port = folder / "data", folder / "log", free_port()
        self.password_file = secret_file(folder / "password", PASSWORD)
        self.command = postgres.command(programs, self.data, self.port, self.password_file)

    def connect(self, password: str = PASSWORD) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(postgres.conninfo(self.port, password), autocommit=True)


@pytest.fixture
def instance(programs: Path, tmp_path: Path) -> Iterator[Instance]:
    """An instance of the test's own, removed after it."""
    new_instance = Instance(programs, tmp_path)
    yield new_instance
    postgres.remove(new_instance.data)


def test_serves_one_port_of_loopback_to_who_knows_the_password(instance: Instance) -> None:
    """UTF-8, SCRAM, no other address, no socket file; the password is in no log."""
    with running(instance.command, instance.log) as server:
        with instance.connect() as connection:
            row = connection.execute("SELECT current_setting('server_encoding'), pg_size_pretty(1::bigint)").fetchone()
            assert row is not None
            assert row[0] == "UTF8"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            instance.connect("wrong")
        (postmaster,) = psutil.Process(server.pid).children()
        listening = [one.laddr for one in postmaster.net_connections("all") if one.status == psutil.CONN_LISTEN]
        assert listening == [("127.0.0.1", instance.port)]
        assert os.geteuid() != 0 or postmaster.username() == "nobody"

    assert server.returncode == 0
    assert PASSWORD not in instance.log.read_text()


def test_a_restart_keeps_the_data(instance: Instance) -> None:
    """What was committed is there after an end and a new start."""
    with running(instance.command, instance.log), instance.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'Grüße' AS text")
    with running(instance.command, instance.log), instance.connect() as connection:
        assert connection.execute("SELECT text FROM kept").fetchone() == ("Grüße",)


def test_no_process_outlives_a_killed_parent_and_the_next_start_works(instance: Instance) -> None:
    """SIGKILL of the command ends the server and its children, an open connection too; data and start are whole."""
    with running(instance.command, instance.log) as server, instance.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        family = psutil.Process(server.pid).children(recursive=True)
        assert len(family) > 3

        server.kill()

        _, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []
    with running(instance.command, instance.log), instance.connect() as again:
        assert again.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_pid_file_of_a_killed_server_does_not_block_the_next_start(instance: Instance) -> None:
    """Not even where its process id now belongs to another process of the same user."""
    with running(instance.command, instance.log) as server:
        (postmaster,) = psutil.Process(server.pid).children()
        (pid_file,) = _files(instance.data, "postmaster.pid")
        owner = pid_file.stat().st_uid
        postmaster.kill()
        server.wait(timeout=10)
        assert server.returncode == 1
    assert pid_file.exists()
    bystander = subprocess.Popen(["/bin/sleep", "60"], cwd="/", user=owner if os.geteuid() == 0 else None)
    try:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        with running(instance.command, instance.log), instance.connect() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        bystander.kill()
        bystander.wait()


def _files(data: Path, name: str) -> list[Path]:
    """Files of an instance, wherever its data is."""
    homes = [data]
    if os.geteuid() == 0:
        homes = [postgres_files._base() / "data" / postgres_files._digest_of_path(data)]
    return [home / "files" / name for home in homes]


def _fails(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    return done.stderr


def test_says_what_to_do_about_a_port_that_is_taken(instance: Instance) -> None:
    """Nothing is initialised, the error names the port and a fix."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", instance.port))
        taken.listen()

        error = _fails(instance.command)

    assert f"cannot use port {instance.port}" in error
    assert "fix: " in error


def test_says_what_to_do_about_a_changed_password(instance: Instance) -> None:
    """The data keeps the first password; another one is not waited for until the time is up."""
    with running(instance.command, instance.log):
        pass
    instance.password_file.write_text("another")
    started = time.monotonic()

    error = _fails(instance.command)

    assert "has another password" in error
    assert time.monotonic() - started < 50


def test_creates_databases_again_and_again(instance: Instance) -> None:
    """The second call changes the password and keeps the tables; a database is its owner's alone."""
    with running(instance.command, instance.log):
        server = postgres.conninfo(instance.port, PASSWORD)
        connect: Callable[..., str] = postgres.conninfo
        postgres.create_database(server, name="warehouse", owner="loader", password="first 'one'")
        postgres.create_database(server, name="airflow", owner="airflow", password="other")
        first = connect(instance.port, "first 'one'", user="loader", database="warehouse")
        with psycopg.connect(first, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")

        postgres.create_database(server, name="warehouse", owner="loader", password="second")

        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(first)
        second = connect(instance.port, "second", user="loader", database="warehouse")
        with psycopg.connect(second) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(connect(instance.port, "other", user="airflow", database="warehouse"))
    assert "second" not in instance.log.read_text()


def test_removes_its_data_but_not_under_a_running_server(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """`remove` leaves nothing of the instance, wherever it is, and may be called again."""
    monkeypatch.setattr(postgres_files, "LOCK_SECONDS", 0.1)
    with running(instance.command, instance.log) as server:
        with pytest.raises(PenstockError, match="already running"):
            postgres.remove(instance.data)
        assert server.poll() is None
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=10)
    (version,) = _files(instance.data, "PG_VERSION")
    assert version.exists()

    postgres.remove(instance.data)
    postgres.remove(instance.data)

    assert not instance.data.exists()
    assert not version.parent.parent.exists()


def test_does_not_follow_a_trap_in_the_shared_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anyone may write to /var/tmp: a link there, or a folder that others may write, is refused."""
    trap = tmp_path / "trap"
    trap.symlink_to(tmp_path)
    with pytest.raises(PenstockError, match="not a folder that only user"):
        postgres_files._folder(trap)
    writable = tmp_path / "writable"
    writable.mkdir()
    writable.chmod(0o777)
    with pytest.raises(PenstockError, match="not a folder that only user"):
        postgres_files._folder(writable)
