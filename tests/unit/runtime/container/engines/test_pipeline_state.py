"""A run that was killed, or failed before it could say so, is not left as running on OpenMetadata's page."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from penstock_runtime.container.engines import pipeline_state

RUN = "01234567-89ab-cdef-0123-456789abcdef"
PIPELINE = 'warehouse."acme-dev.nightly"'
STATUS = "/api/v1/services/ingestionPipelines/warehouse.%22acme-dev.nightly%22/pipelineStatus"


class Server:
    """What the server knows of a run, and what it was told."""

    def __init__(self) -> None:
        self.known: Any = {"runId": RUN, "pipelineState": "running", "timestamp": 5, "startDate": 5, "status": [1]}
        self.status = 200
        self.calls: list[tuple[str, str, str | None]] = []
        self.put: list[Any] = []
        self.address = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.calls.append((self.command, self.path, self.headers["Authorization"]))
            text = b"" if state.known is None else json.dumps(state.known).encode()
            if self.command == "PUT":
                state.put.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            code = state.status if state.known is not None or state.status != 200 else 204
            self.send_response(code)
            self.send_header("Content-Length", str(0 if code == 204 else len(text)))
            self.end_headers()
            self.wfile.write(b"" if code == 204 else text)

        do_PUT = do_GET

        def log_message(self, *_: object) -> None:
            return

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    state.address = f"http://127.0.0.1:{listening.server_port}/api"
    yield state
    listening.shutdown()
    listening.server_close()


def _settings(address: str, **more: Any) -> dict[str, Any]:
    block = {"hostPort": address, "securityConfig": {"jwtToken": "t"}}
    return {
        "workflowConfig": {"openMetadataServerConfig": block},
        "ingestionPipelineFQN": PIPELINE,
        "pipelineRunId": RUN,
        **more,
    }


def test_run_that_is_left_as_running_has_failed(server: Server) -> None:
    """What the server knows of it stays; the name of the pipeline is quoted as one part of the path."""
    said = pipeline_state.report(_settings(server.address), 1, 9)

    assert server.calls == [("GET", f"{STATUS}/{RUN}", "Bearer t"), ("PUT", STATUS, "Bearer t")]
    assert server.put == [{**server.known, "pipelineState": "failed", "endDate": 9}]
    assert said == f"OpenMetadata shows this run of {PIPELINE} as failed"


@pytest.mark.parametrize("state", sorted(pipeline_state.FINAL))
def test_run_that_has_ended_is_left_alone(server: Server, state: str) -> None:
    """The package has reported it, and knows better why."""
    server.known["pipelineState"] = state

    assert pipeline_state.report(_settings(server.address), 1, 9) == ""
    assert server.put == []


def test_run_that_the_server_does_not_know_is_told_with_its_start(server: Server) -> None:
    """It was killed before the package had said anything."""
    server.known = None
    pipeline_state.report(_settings(server.address), 1, 9)

    assert server.put == [{"runId": RUN, "startDate": 1, "timestamp": 1, "pipelineState": "failed", "endDate": 9}]


def test_pipeline_that_is_not_there_yet_is_said(server: Server) -> None:
    """The package makes it when the first run has made the service."""
    server.status = 404

    assert "has no pipeline" in pipeline_state.report(_settings(server.address), 1, 9)


@pytest.mark.parametrize("key", ["ingestionPipelineFQN", "pipelineRunId"])
def test_workflow_without_a_pipeline_calls_nobody(server: Server, key: str) -> None:
    """Nothing of it is on the server's page."""
    assert pipeline_state.report(_settings(server.address, **{key: None}), 1, 9) == ""
    assert server.calls == []


def test_server_that_refuses_is_a_line_and_no_error(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """How the run ended is said all the same."""
    server.status = 401
    monkeypatch.setattr(pipeline_state.openmetadata, "config", lambda _: _settings(server.address))

    assert pipeline_state.main(["1"]) == 1
    assert "could not be reported to OpenMetadata: HTTPError: HTTP Error 401" in capsys.readouterr().out
