"""Trouble with the OpenMetadata server, as the real package meets it: tiny servers here, each wrong in its way."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.local import images
from penstock.local.aws import tls
from penstock_runtime import contract
from penstock_runtime.contract import Exit
from tests.functional.servers import ROOT, free_port

IMAGE = "docker.getcollate.io/openmetadata/ingestion:1.12.14"
Answer = tuple[int, str]
VERSION = json.dumps({"version": "1.12.14", "revision": "x", "timestamp": 1})
EXPIRED = json.dumps({"code": 401, "message": "Expired token!"})


def openmetadata(path: str, *, version: str = VERSION, others: Answer = (404, "{}")) -> Answer:
    """A server that knows its version, and answers all else in one way."""
    return (200, version) if path.startswith("/api/v1/system/version") else others


@contextmanager
def serving(
    answer: Callable[[str], Answer], context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[int]:
    """An HTTP server; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if text.startswith("<") else "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_PUT = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer((host, 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


SCRIPT = """
import json, sys
from penstock_runtime.container.engines import catalogue, openmetadata
from penstock_runtime.errors import RunError
found = {}
for name, settings in json.load(sys.stdin).items():
    try:
        catalogue.clean_token(settings)
        openmetadata.execute("metadata", settings)
        found[name] = "nothing"
    except RunError as error:
        found[name] = [str(error), error.exit_code]
    except Exception as error:
        found[name] = [f"{type(error).__name__}: {error}", -1]
print("FOUND " + json.dumps(found))
"""


def settings(address: str, token: str = "abc", **server: Any) -> dict[str, Any]:
    """A workflow whose source nobody reaches; it comes after the server."""
    connection = {
        "type": "Postgres",
        "username": "u",
        "authType": {"password": "p"},
        "hostPort": "127.0.0.1:1",
        "database": "d",
    }
    security = {"jwtToken": token}
    return {
        "source": {
            "type": "postgres",
            "serviceName": "wh",
            "serviceConnection": {"config": connection},
            "sourceConfig": {"config": {"type": "DatabaseMetadata"}},
        },
        "sink": {"type": "metadata-rest", "config": {}},
        "workflowConfig": {
            "loggerLevel": "ERROR",
            "openMetadataServerConfig": {
                "hostPort": address, "authProvider": "openmetadata", "securityConfig": security, **server
            },
        },
    }  # fmt: skip


SAYS = {
    "refused": "refuses the connection",
    "name": "its name is not known",
    "expired": "401 (Expired token!): the token has expired",
    "refused token": "it does not know the token",
    "forbidden": "answers 403",
    "without /api": "does not answer with OpenMetadata's version",
    "not found": "does not know OpenMetadata's API (404)",
    "redirect": "sends the client to another address (302)",
    "starting": "answers 503",
    "other version": "Server version is 1.9.3",
    "untrusted": "its certificate is not trusted (unable to get local issuer certificate)",
    "other host": "its certificate is for another name",
    "no TLS there": "it does not answer with TLS",
    "TLS there": "it ends the connection without an answer",
    "verify without a file": "the settings for TLS of",
    "line end inside": "has white space or a line end in it",
    "Bearer": "begins with 'Bearer'",
    "line end at its end": "127.0.0.1",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each kind of trouble becomes; in one process, since the package takes long to import."""
    folder = tmp_path_factory.mktemp("tls")
    tls.make(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    ca = str(folder / "ca.pem")
    with ExitStack() as stack:

        def at(answer: Callable[[str], Answer], **options: Any) -> str:
            scheme, host = ("https" if "context" in options else "http"), options.get("host", "127.0.0.1")
            return f"{scheme}://{host}:{stack.enter_context(serving(answer, **options))}"

        def tells(status: int, text: str) -> str:
            return at(lambda _: (status, text)) + "/api"

        well = at(openmetadata)
        validate = {"verifySSL": "validate", "sslConfig": {"caCertificate": ca}}
        given = {
            "refused": settings(f"http://127.0.0.1:{free_port()}/api"),
            "name": settings("http://catalog.no-such-host.invalid/api"),
            "expired": settings(at(lambda path: openmetadata(path, others=(401, EXPIRED))) + "/api"),
            "refused token": settings(tells(401, '{"code": 401, "message": "Not Authorized! Invalid token"}')),
            "forbidden": settings(tells(403, '{"code": 403, "message": "Principal"}')),
            "without /api": settings(at(lambda _: (200, "<html>OpenMetadata</html>"))),
            "not found": settings(tells(404, "<html>nginx</html>")),
            "redirect": settings(tells(302, "")),
            "starting": settings(tells(503, "<html>starting</html>")),
            "other version": settings(
                at(lambda path: openmetadata(path, version=VERSION.replace("1.12.14", "1.9.3"))) + "/api",
                enableVersionValidation=True,
            ),
            "untrusted": settings(at(openmetadata, context=context) + "/api"),
            "other host": settings(at(openmetadata, context=context, host="127.0.0.2") + "/api", **validate),
            "no TLS there": settings(well.replace("http:", "https:") + "/api"),
            "TLS there": settings(at(openmetadata, context=context).replace("https:", "http:") + "/api"),
            "verify without a file": settings(well + "/api", verifySSL="validate"),
            "line end inside": settings(well + "/api", token="abc\ndef"),
            "Bearer": settings(well + "/api", token="Bearer abc"),
            # The server takes it: the next thing that is wrong is the source.
            "line end at its end": settings(well + "/api", token="abc\n"),
        }
        assert given.keys() == SAYS.keys()
        program = images.stock_environment(IMAGE, print) / "bin" / "python"
        done = subprocess.run(
            [str(program), "-c", SCRIPT],
            input=json.dumps(given),
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "runtime"), "HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=300,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(lines[-1].removeprefix("FOUND "))
    print(json.dumps(answer, indent=2))
    return answer


@pytest.mark.parametrize("trouble", [name for name in SAYS if name != "line end at its end"])
def test_tells_trouble_with_the_server_in_our_words(found: dict[str, Any], trouble: str) -> None:
    """Each with what is wrong, a fix, and the exit code of a run that failed; never the package's own words alone."""
    text, code = found[trouble]

    assert SAYS[trouble] in text
    assert "\n  fix: " in text
    assert code == Exit.FAILED


def test_a_line_end_at_the_end_of_a_token_does_no_harm(found: dict[str, Any]) -> None:
    """The server is asked, and takes it: what fails then is the source, which nobody reaches."""
    text, _ = found["line end at its end"]

    assert "server" not in text.split("\n")[0] or "connection to server at" in text
    assert "not subscriptable" not in text


def test_the_last_word_of_a_container_is_ours(tmp_path: Path) -> None:
    """In the whole container: the package's words come before our sentence, and the metric line has the code."""
    with serving(lambda path: openmetadata(path, others=(401, EXPIRED))) as port:
        config = tmp_path / "config.yaml"
        config.write_text(yaml.safe_dump(settings(f"http://127.0.0.1:{port}/api", token="${OM_JWT}")))
        program = images.stock_environment(IMAGE, print) / "bin"
        run = {"project": "p", "environment": "dev", "schedule": "s", "job": "j", "task": "t", "dag_run": "d", "try": 1}
        done = subprocess.run(
            [str(program / "python"), "-m", "penstock_runtime"],
            env={
                "PATH": f"{program}{os.pathsep}/usr/bin:/bin",
                "PYTHONPATH": str(ROOT / "runtime"),
                "HOME": str(tmp_path),
                "OM_JWT": "c4n4ry-token\n",
                contract.RUN: json.dumps(run),
                contract.ENGINE: "openmetadata",
                contract.WORKFLOW_TYPE: "metadata",
                contract.TIMEOUT_SECONDS: "120",
                contract.CONFIG_URI: config.as_uri(),
                contract.CONFIG_SHA256: hashlib.sha256(config.read_bytes()).hexdigest(),
                contract.NAMES: '["OM_JWT"]',
                contract.SECRET_NAMES: '["OM_JWT"]',
            },
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
        )
    print(done.stdout)
    *_, error, fix, outcome, metric = done.stdout.splitlines()
    assert done.returncode == Exit.FAILED
    assert error.startswith("penstock: the OpenMetadata server")
    assert fix.startswith("  fix: take the token of the ingestion bot")
    assert outcome.startswith("penstock: failed, exit code 1")
    assert json.loads(metric)["ExitCode"] == 1
    assert "penstock: white space or a line end is at the beginning or end of the value of OM_JWT" in done.stdout
    assert "c4n4ry" not in done.stdout
