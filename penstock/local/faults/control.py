"""Counts and rules over plain HTTP, for tests and for a person with curl.

    GET /_penstock/faults      calls by operation, hits by rule
    PUT /_penstock/faults      other rules, as JSON or YAML, in the form of the file; every count starts again
    POST /_penstock/faults     more rules, behind those that hold, which go on counting

It has a port of its own, so that no path of AWS's is taken. No key is asked for, since all that it can do is break
calls of a system on this machine. A web page cannot use it: a browser's Origin, or another host's name, is refused.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from typing import Any

import h11

from penstock.local.faults.exchange import body_of
from penstock.local.faults.file import from_text
from penstock.local.faults.injector import Injector
from penstock.local.faults.link import Link
from penstock.local.faults.place import PATH
from penstock.local.faults.proxy import serve
from penstock_runtime.errors import InputError, InputErrors

_LOCAL = ("127.0.0.1", "localhost")
MAX_BYTES = 1024 * 1024


class Control:
    """The door for whoever sets rules and reads counts."""

    def __init__(self, injector: Injector, look: Callable[[], str | None]) -> None:
        """
        Args:
            look: reads the file if it has changed; what is wrong with it now, if anything.
        """
        self._injector, self._look = injector, look

    async def listen(self, port: int) -> None:
        """Serve on 127.0.0.1.

        Raises:
            OSError: the port is taken.
        """
        await asyncio.start_server(functools.partial(serve, handle=self._serve), "127.0.0.1", port)

    async def _serve(self, client: Link) -> None:
        while isinstance(request := await client.next(), h11.Request):
            body = b""
            async for part in body_of(client):
                body += part
                if len(body) > MAX_BYTES:
                    return
            status, answer = self._answer(request, body)
            data = json.dumps(answer, indent=2).encode() + b"\n"
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
            await client.send(h11.Response(status_code=status, headers=headers))
            if request.method != b"HEAD":
                await client.send(h11.Data(data=data))
            await client.send(h11.EndOfMessage())
            if not client.begin_again():
                return

    def _answer(self, request: h11.Request, body: bytes) -> tuple[int, dict[str, Any]]:
        headers = {name: value.decode("latin-1") for name, value in request.headers}
        if headers.get(b"host", "").rpartition(":")[0] not in _LOCAL or b"origin" in headers:
            return 403, {"error": "only for programs of this machine"}
        if request.target.decode("latin-1") != PATH:
            return 404, {"error": f"there is only {PATH}"}
        problem = self._look()
        if request.method in (b"PUT", b"POST"):
            try:
                take = self._injector.replace if request.method == b"PUT" else self._injector.add
                take(from_text(body.decode(), "rules"))
            except UnicodeDecodeError:
                return 400, {"error": "the rules are not UTF-8"}
            except (InputError, InputErrors) as error:
                return 400, {"error": str(error)}
        elif request.method not in (b"GET", b"HEAD"):
            return 405, {"error": "only GET, PUT and POST"}
        return 200, {**self._injector.counts(), "problem": problem}
