"""The end of a run on the server's page, where the workflow could not report it itself.

OpenMetadata's package sets its run to `running`, and to its final state at its own end. Where it is killed (time limit,
SIGTERM, out of memory) or fails while it is set up, the page would show it as running for ever. This program, started
by the container once the engine is gone, sets such a run to `failed`.

`python -m penstock_runtime.container.engines.pipeline_state <start of the run, in milliseconds since 1970>`

Without the package, which takes seconds to import: the container may have few.
Source: openmetadata-ingestion 1.6 to 2.0, `metadata/ingestion/ometa/mixins/ingestion_pipeline_mixin.py`.
"""

from __future__ import annotations

import http
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from penstock_runtime.container.engines import openmetadata
from penstock_runtime.errors import RunError

ANSWER_SECONDS = 5
"""For each of two calls."""
FINAL = frozenset({"success", "failed", "partialSuccess", "stopped"})
"""States that a run ends in; one of these is left alone."""


def report(settings: Mapping[str, Any], started_ms: int, now_ms: int) -> str:
    """Set the run of a filled workflow to `failed`, unless it has ended; returns what was done, for the log.

    Args:
        started_ms: start of the run; where the server knows none.
        now_ms: its end.

    Raises:
        OSError, ValueError: the server does not answer, or refuses (`urllib.error.HTTPError`).
    """
    pipeline, run = settings.get("ingestionPipelineFQN"), settings.get("pipelineRunId")
    if not pipeline or not run:
        return ""
    server = settings["workflowConfig"]["openMetadataServerConfig"]
    path = f"/v1/services/ingestionPipelines/{quote(str(pipeline), safe='')}/pipelineStatus"
    try:
        known = _call(server, "GET", f"{path}/{run}") or {}
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.NOT_FOUND:
            raise
        known = {}
    if known.get("pipelineState") in FINAL:
        return ""
    start = {"runId": str(run), "startDate": started_ms, "timestamp": started_ms}
    try:
        _call(server, "PUT", path, {**start, **known, "pipelineState": "failed", "endDate": now_ms})
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.NOT_FOUND:
            return f"OpenMetadata has no pipeline {pipeline} yet, so its page does not show this run"
        raise
    return f"OpenMetadata shows this run of {pipeline} as failed"


def _call(server: Mapping[str, Any], method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """One call of the server's API; its answer, None where that is empty."""
    token = (server.get("securityConfig") or {}).get("jwtToken", "")
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        **(server.get("extraHeaders") or {}),
    }
    address = str(server.get("hostPort", "")).rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise ValueError(f"{address or 'nothing'} is not an address")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS, context=_tls(server)) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def _tls(server: Mapping[str, Any]) -> ssl.SSLContext:
    """As the package's client checks the server's certificate."""
    config, verify = server.get("sslConfig") or {}, server.get("verifySSL")
    if verify == "ignore":
        return ssl._create_unverified_context()
    return ssl.create_default_context(cafile=config.get("caCertificate") if verify == "validate" else None)


def main(arguments: list[str]) -> int:
    """Report the run of this process's environment. What cannot be done is a line of the log, and exit code 1."""
    code = 0
    try:
        said = report(openmetadata.config(os.environ), int(arguments[0]), int(time.time() * 1000))
    except RunError:
        said = ""  # the workflow's own process has said it
    except (OSError, ValueError, KeyError, TypeError) as error:
        said, code = f"the end of this run could not be reported to OpenMetadata: {type(error).__name__}: {error}", 1
    if said:
        print(f"penstock: {said}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
