"""One request and its answer: passed on, or with a fault."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import h11

from penstock.local.faults.answers import Answer
from penstock.local.faults.link import Link
from penstock.local.faults.rules import Rule

REST_SECONDS = 5.0
"""How long the rest of a request may take whose answer is complete."""


class CutError(Exception):
    """The client's connection is to be closed: a fault says so, or one of the two sides is gone."""


class Exchange:
    """A request that has arrived from `client`, all of its body or none of it."""

    def __init__(self, client: Link, request: h11.Request, body: bytes | None) -> None:
        self._client, self._request, self._body = client, request, body

    async def swallow(self) -> None:
        """Take the rest of the request and forget it."""
        if self._body is None:
            async for _ in body_of(self._client):
                pass

    async def answer(self, answer: Answer) -> None:
        """Answer without the embedded AWS."""
        await self.swallow()
        headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        await self._client.send(h11.Response(status_code=answer.status, headers=headers))
        if answer.body:
            await self._client.send(h11.Data(data=answer.body))
        await self._client.send(h11.EndOfMessage())

    async def forward(self, upstream: Link, rule: Rule | None) -> None:
        """Send the request to the embedded AWS, and its answer to the client as `rule` has it.

        Raises:
            CutError: the client's connection is to be closed.
            OSError, h11.ProtocolError: a connection broke.
        """
        await upstream.send(self._request)
        pump = asyncio.create_task(self._pump(upstream))
        try:
            response = await self._head(upstream)
            fault = rule.fault if rule else None
            if fault == "lost":
                await _rest(upstream)
                raise CutError("the answer is lost")
            if fault == "cut":
                await self._cut(response, await _rest(upstream))
                raise CutError("the answer is cut")
            if rule and fault == "late":
                await asyncio.sleep(rule.seconds or 0)
            await self._client.send(response)
            while not isinstance(event := await upstream.next(), h11.EndOfMessage):
                await self._client.send(_part(event))
            await self._client.send(event)
            if not self._client.http.they_are_waiting_for_100_continue:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(pump), REST_SECONDS)
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _pump(self, upstream: Link) -> None:
        """Send the request's body to the embedded AWS, which may answer before it has all of it."""
        if self._body is not None:
            if self._body:
                await upstream.send(h11.Data(data=self._body))
            await upstream.send(h11.EndOfMessage())
            return
        while not isinstance(event := await self._more(upstream), h11.EndOfMessage):
            await upstream.send(event)
        await upstream.send(event)

    async def _more(self, upstream: Link) -> h11.Data | h11.EndOfMessage:
        """The next part of the request."""
        try:
            event = await self._client.next()
            return event if isinstance(event, h11.EndOfMessage) else _part(event)
        except (CutError, OSError, h11.ProtocolError):
            # The embedded AWS would wait for what does not come any more, and we for its answer.
            upstream.reset()
            raise

    async def _head(self, upstream: Link) -> h11.Response:
        """The head of the answer; what comes before it, the leave to send the body, is passed on."""
        while isinstance(event := await upstream.next(), h11.InformationalResponse):
            if self._client.http.they_are_waiting_for_100_continue:
                await self._client.send(event)
        if not isinstance(event, h11.Response):
            raise CutError("the embedded AWS closed the connection")
        return event

    async def _cut(self, response: h11.Response, body: bytes) -> None:
        if body:
            await self._client.send(response)
            await self._client.send(h11.Data(data=body[: len(body) // 2]))


async def body_of(client: Link) -> AsyncIterator[bytes]:
    """The body of a request, which the client is asked for where it waits for that."""
    if client.http.they_are_waiting_for_100_continue:
        await client.send(h11.InformationalResponse(status_code=100, headers=[]))
    while not isinstance(event := await client.next(), h11.EndOfMessage):
        yield bytes(_part(event).data)


def _part(event: h11.Event) -> h11.Data:
    if not isinstance(event, h11.Data):
        raise CutError("the connection was closed in the middle of a message")
    return event


async def _rest(upstream: Link) -> bytes:
    """The body of an answer."""
    parts = []
    while not isinstance(event := await upstream.next(), h11.EndOfMessage):
        parts.append(bytes(_part(event).data))
    return b"".join(parts)
