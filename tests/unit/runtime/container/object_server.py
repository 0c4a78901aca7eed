"""A small HTTP server on this machine that answers for S3 and for a container's credentials, as scripted."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Objects:
    """What is served by path, and what was asked for."""

    found: dict[str, bytes] = field(default_factory=dict)
    failures: list[tuple[int, str]] = field(default_factory=list)
    """Status and body of the answers to come before the real ones."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of each request; header names in lower case."""
    port: int = 0
    delay_seconds: float = 0
    """Before each answer, at most until the end of the block."""
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def serving_objects(**found: bytes) -> Iterator[Objects]:
    """Serve until the block ends."""
    objects = Objects(dict(found))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            objects.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            objects.ended.wait(objects.delay_seconds)
            status, content = 200, objects.found.get(self.path)
            if objects.failures:
                status, text = objects.failures.pop(0)
                content = text.encode()
            elif content is None:
                status, content = 404, b"<Error><Code>NoSuchKey</Code><Message>not there</Message></Error>"
            with contextlib.suppress(BrokenPipeError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    objects.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield objects
    finally:
        objects.ended.set()
        server.shutdown()
        server.server_close()
