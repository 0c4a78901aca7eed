"""The server process: ministack behind TLS on 127.0.0.1, with our corrections in place.

Imported only after `__main__` has set the environment variables that ministack reads while it is imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from hypercorn.asyncio import serve
from hypercorn.config import Config

from penstock.local.aws import (
    airflow_api,
    api_models,
    cfn,
    compat,
    ecr,
    events,
    functions,
    iam,
    s3,
    s3_encryption,
    states,
    trust,
    vpc_endpoint,
)
from penstock.local.aws.ecs import Ecs
from penstock.local.aws.endpoint import STATE_FILE, Endpoint
from penstock.local.aws.task import TaskHost
from penstock.local.aws.tls import Certificate

STOP_SECONDS = 3
"""How long the end of the containers may take."""
_CLOSED = (
    "/_ministack",
    "/_localstack",
    "/_aws",
    "/_user_request_",
    "/latest/meta-data",
    "/latest/api",
    "/_cognito",
)
"""ministack's own doors: administration without a key, and a metadata service that gives keys away."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def run(endpoint: Endpoint, certificate: Certificate, images: Path) -> None:
    """Serve until SIGTERM or SIGINT; then kill every container and end the process with exit code 0.

    Raises:
        PenstockError: the installed ministack is not the pinned one.
    """
    compat.check()
    ecs = Ecs(TaskHost(endpoint, endpoint.state / "tasks", images))
    iam.install()
    trust.install()
    ecs.install()
    ecr.install()
    events.install()
    states.install(endpoint)
    vpc_endpoint.install()
    s3_encryption.install()
    s3.install()
    cfn.install(endpoint)
    functions.install(endpoint)
    api_models.install()
    airflow_api.install(endpoint)
    # It would run whatever scripts lie in /docker-entrypoint-initaws.d and /etc/localstack.
    compat.app._run_init_scripts = lambda: None
    compat.app._run_ready_scripts = _nothing
    asyncio.run(_serve(endpoint, certificate, ecs))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """ministack's application, without its own doors; notes who calls."""
    if scope["type"] == "http":
        if scope["path"].startswith(_CLOSED):
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        iam.CALLER.set(compat.router.extract_access_key_id(headers, query) or "")
    elif scope["type"] == "websocket":
        return
    await compat.app.app(scope, receive, send)


async def _serve(endpoint: Endpoint, certificate: Certificate, ecs: Ecs) -> None:
    config = Config()
    config.bind = [f"127.0.0.1:{endpoint.port}"]
    config.certfile, config.keyfile = str(certificate.certificate), str(certificate.key)
    config.keep_alive_timeout, config.loglevel = 75, "WARNING"
    config.graceful_timeout = config.shutdown_timeout = STOP_SECONDS
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    serving = asyncio.create_task(serve(_as_asgi(application), config, shutdown_trigger=ended.wait))
    stopping = asyncio.create_task(ended.wait())
    ready = asyncio.create_task(_announce(endpoint))
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    (endpoint.state / STATE_FILE).unlink(missing_ok=True)
    await asyncio.to_thread(ecs.close, STOP_SECONDS)
    done, _ = await asyncio.wait([serving], timeout=1)
    for one in done:
        one.result()
    # A client that keeps its TLS connection open would hold the loop for 30 seconds. Nothing is left to save.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _as_asgi(app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> Any:
    """hypercorn types each message of ASGI; we pass them on unread."""
    return app


async def _announce(endpoint: Endpoint) -> None:
    """Write `STATE_FILE` once the port answers."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
            writer.close()
            break
        except OSError:
            await asyncio.sleep(0.02)
    data = {
        "port": endpoint.port,
        "ca": str(endpoint.ca),
        "account": endpoint.account,
        "region": endpoint.region,
        "pid": os.getpid(),
    }
    new = endpoint.state / f"{STATE_FILE}.new"
    new.write_text(json.dumps(data, indent=2) + "\n")
    new.replace(endpoint.state / STATE_FILE)


async def _nothing() -> None:
    compat.app._ready_scripts_state["status"] = "completed"
