"""HTTP/1.1 on 127.0.0.1: reads requests, checks the token, and lets the routes answer."""

from __future__ import annotations

import hmac
import json
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from penstock.local.catalogue import routes
from penstock.local.catalogue.entities import Refusal
from penstock.local.catalogue.handlers import Answer, Request, greeting
from penstock.local.catalogue.store import Store

HOST = "127.0.0.1"
_PREFIX = "/api/v1/"


class Server(ThreadingHTTPServer):
    """One catalogue. Connections may stay open; they do not keep the server from ending."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, store: Store, token: str, version: str) -> None:
        """Bind the port.

        Raises:
            OSError: it is taken.
        """
        super().__init__((HOST, port), _Handler)
        self.store, self.token, self.version = store, token, version


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._handle()

    do_PUT = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/":
            return self._send(200, greeting(self.server.version).encode(), "text/plain; charset=utf-8")
        try:
            answer = self._answer(body)
        except Refusal as refusal:
            answer = Answer({"code": refusal.status, "message": refusal.message}, refusal.status)
        except Exception as error:  # noqa: BLE001  a bug in one answer must not look like a lost connection
            traceback.print_exc()
            answer = Answer({"code": 500, "message": f"the recording catalogue failed: {error!r}"}, 500)
        content = b"" if answer.body is None else json.dumps(answer.body).encode()
        return self._send(answer.status, content, "application/json")

    def _answer(self, body: bytes) -> Answer:
        if not self._authorized():
            raise Refusal(401, "the Authorization header must be 'Bearer' and the catalogue's token")
        url = urlsplit(self.path)
        route = routes.find(self.command, url.path.removeprefix(_PREFIX)) if url.path.startswith(_PREFIX) else None
        if route is None:
            with self.server.store.transaction():
                self.server.store.note_unanswered(self.command, unquote(url.path))
            raise Refusal(404, f"the recording catalogue has no answer to {self.command} {unquote(url.path)}")
        handler, parts = route
        try:
            document: Any = json.loads(body) if body else None
        except ValueError as error:
            raise Refusal(400, f"the body is no JSON: {error}") from error
        with self.server.store.transaction():
            return handler(self.server.store, Request(self.server.version, parts, parse_qs(url.query), document))

    def _authorized(self) -> bool:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return scheme == "Bearer" and hmac.compare_digest(token.encode(), self.server.token.encode())

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        if content:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line per request: no header, no body, so no token and no password."""
        sys.stderr.write(f"{self.log_date_time_string()} {self.command} {urlsplit(self.path).path} {code}\n")
