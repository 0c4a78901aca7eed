"""Clients' connections, each with one to the embedded AWS, and the fault of each request."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import h11

from penstock.local.aws.endpoint import Endpoint
from penstock.local.faults import answers
from penstock.local.faults.calls import Head, call
from penstock.local.faults.exchange import CutError, Exchange, body_of
from penstock.local.faults.injector import Injector
from penstock.local.faults.link import CHUNK_BYTES, Link
from penstock.local.faults.rules import Origin, Rule

SHUTDOWN_SECONDS = 1.0
"""How long a client may take to confirm the end of a TLS connection."""


class Proxy:
    """What stands between clients and the embedded AWS."""

    def __init__(
        self, endpoint: Endpoint, injector: Injector, look: Callable[[], object], say: Callable[[str], None]
    ) -> None:
        """
        Args:
            look: called before each request is judged: rules may have changed.
            say: gets a line for each fault.
        """
        self._endpoint, self._injector, self._look, self._say = endpoint, injector, look, say
        self._out = ssl.create_default_context(cafile=str(endpoint.ca))
        self._in = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._in.load_cert_chain(*_certificate(endpoint.state))

    async def listen(self, origin: Origin, port: int) -> None:
        """Take the connections of one origin, on 127.0.0.1.

        Raises:
            OSError: the port is taken.
        """
        await asyncio.start_server(
            functools.partial(serve, handle=functools.partial(self._serve, origin)),
            "127.0.0.1",
            port,
            ssl=self._in,
            limit=CHUNK_BYTES,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS,
        )

    async def _serve(self, origin: Origin, client: Link) -> None:
        """Answer the requests of one connection."""
        upstream: Link | None = None
        try:
            while isinstance(request := await client.next(), h11.Request):
                head = _head(request)
                body = b"".join([part async for part in body_of(client)]) if head.is_form else None
                made = call(head, body or b"")
                if body is None and self._injector.reads(made, origin):
                    body = b"".join([part async for part in body_of(client)])
                exchange = Exchange(client, request, body)
                self._look()
                rule = self._injector.take(made, origin, body or b"")
                if rule is not None:
                    self._say(f"{made.name} from {origin}: {rule.fault}")
                if rule is not None and rule.fault in ("error", "throttled", "answered"):
                    await exchange.answer(answers.answer(rule, made, head))
                elif rule is not None and rule.fault in ("refused", "silent"):
                    await _nothing(rule, client)
                    return
                else:
                    if upstream is None or not upstream.is_fresh:
                        upstream = await self._connect(upstream)
                    await exchange.forward(upstream, rule)
                    upstream.begin_again()
                if not client.begin_again():
                    return
        finally:
            if upstream is not None:
                upstream.close()

    async def _connect(self, last: Link | None) -> Link:
        if last is not None:
            last.close()
        port = self._endpoint.port
        try:
            streams = await asyncio.open_connection("127.0.0.1", port, ssl=self._out, limit=CHUNK_BYTES)
        except OSError as error:
            self._say(f"the embedded AWS does not answer on port {port}: {error}")
            raise
        return Link(*streams, to_client=False)


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, handle: Callable[[Link], Awaitable[None]]
) -> None:
    """Let `handle` have a connection, which is closed at the end, however that comes."""
    link = Link(reader, writer, to_client=True)
    try:
        # Whoever breaks a connection off, or speaks something else, gets no answer.
        with contextlib.suppress(CutError, OSError, h11.ProtocolError):
            await handle(link)
    finally:
        link.close()


async def _nothing(rule: Rule, client: Link) -> None:
    if rule.fault == "silent":
        await asyncio.sleep(rule.seconds or 0)
    else:
        client.reset()


def _head(request: h11.Request) -> Head:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
    return Head(request.method.decode(), request.target.decode("latin-1"), headers)


def _certificate(state: Path) -> tuple[Path, Path]:
    """The embedded AWS's own certificate and key."""
    return state / "server.pem", state / "server.key"
