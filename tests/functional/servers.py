"""Start a real server for a test, and end it whatever the test did."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from penstock.local import environments, postgres
from penstock.local.aws import tls

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port of 127.0.0.1 that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def secret_file(file: Path, content: str) -> Path:
    """A file that only its owner may read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
        opened.write(content)
    return file


@contextlib.contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """A server that has printed its ready line; its stderr goes to `log`."""
    with log.open("a") as errors:
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert "ready" in line, f"{line!r}\n{log.read_text()}"
        yield server
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)


@contextlib.contextmanager
def database_server(folder: Path, password: str) -> Iterator[int]:
    """A PostgreSQL with nothing in it; the port. Its superuser has this password."""
    programs = postgres.binaries(environments.ensure("postgres", ROOT / "requirements" / "postgres.txt", report=print))
    port, data = free_port(), folder / "data"
    command = postgres.command(programs, data, port, secret_file(folder / "password", password))
    with running(command, folder / "log"):
        yield port
    postgres.remove(data)


@contextlib.contextmanager
def tls_in_front_of(port: int, folder: Path) -> Iterator[tuple[Path, int]]:
    """A server for https in front of a port: the certificate of its authority, which nobody knows, and its own port."""
    certificates = tls.make(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            # A client that does not trust the certificate ends the handshake.
            with (
                contextlib.suppress(OSError),
                context.wrap_socket(self.request, server_side=True) as client,
                socket.create_connection(("127.0.0.1", port)) as server,
            ):
                back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
                back.start()
                _pass_on(client, server)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Forward) as front:
        front.daemon_threads = True
        threading.Thread(target=front.serve_forever, daemon=True).start()
        yield certificates.ca, front.server_address[1]
        front.shutdown()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def recording_catalogue(folder: Path, token: str, version: str = "1.12.14") -> Iterator[tuple[Path, str]]:
    """A recording catalogue of this version that takes this token: its state folder, and its address."""
    file, port, state = secret_file(folder / "token", token), free_port(), folder / "catalogue"
    options = ["--state", str(state), "--port", str(port), "--token-file", str(file), "--version", version]
    with running([sys.executable, "-m", "penstock.local.catalogue", *options], folder / "catalogue.log"):
        yield state, f"http://127.0.0.1:{port}/api"
