"""A stand-in for ECS and CloudWatch Logs over HTTP, on 127.0.0.1: it says what a test scripted, and remembers.

It takes no decision of its own; the embedded AWS, which does, is in the functional tests. A family's script is the
list of task descriptions that DescribeTasks gives, one after the other; the last one is given for ever.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STOPPED = {"lastStatus": "STOPPED", "desiredStatus": "STOPPED"}
RUNNING = {"lastStatus": "RUNNING", "desiredStatus": "RUNNING", "containers": [{"name": "main"}]}


def ended(exit_code: int | None, **facts: Any) -> dict[str, Any]:
    """A stopped task's description."""
    container = {"name": "main", "lastStatus": "STOPPED"}
    return {
        **STOPPED,
        **({} if exit_code is None else {"startedAt": 1_700_000_000}),
        "containers": [container if exit_code is None else {**container, "exitCode": exit_code}],
        **facts,
    }


class FakeEcs:
    """What was asked of it is in `calls`: (operation, parameters)."""

    def __init__(self, scripts: dict[str, list[dict[str, Any]]], refused: dict[str, list[str]]) -> None:
        self.scripts = {family: list(script) for family, script in scripts.items()}
        self.refused = refused
        """Family → the reasons for which its next calls of RunTask place no task."""
        self.no_spot: set[str] = set()
        """Families for which Spot has no room."""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.logs: dict[str, list[str]] = {}
        """Family → the lines of its log so far. An unknown family has no log stream."""
        self.late: dict[str, list[str]] = {}
        """Family → lines that appear in its log only when DescribeTasks has said STOPPED."""

    def parameters(self, operation: str, family: str) -> list[dict[str, Any]]:
        """What an operation was asked for one family's task."""
        return [given for name, given in self.calls if name == operation and family in json.dumps(given)]

    def answer(self, operation: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        self.calls.append((operation, given))
        if operation == "RunTask":
            family = given["taskDefinition"]
            if family in self.no_spot and "capacityProviderStrategy" in given:
                reason = "Capacity is unavailable at this time. Please try again later"
                return 200, {"tasks": [], "failures": [{"reason": reason}]}
            if self.refused.get(family):
                return 200, {"tasks": [], "failures": [{"reason": self.refused[family].pop(0)}]}
            return 200, {"tasks": [{**self._named(family), **RUNNING}], "failures": []}
        if operation == "ListTasks":
            return 200, {"taskArns": []}
        if operation == "DescribeTasks":
            family = given["tasks"][0].rsplit("/", 1)[-1]
            script = self.scripts[family]
            now = script.pop(0) if len(script) > 1 else script[0]
            if now["lastStatus"] == "STOPPED" and family in self.late:
                self.logs[family] += self.late.pop(family)
            return 200, {"tasks": [{**self._named(family), **now}], "failures": []}
        if operation == "StopTask":
            family = given["task"].rsplit("/", 1)[-1]
            self.scripts[family] = [ended(143, stopCode="UserInitiated", stoppedReason=given["reason"])]
            return 200, {"task": {**self._named(family), **RUNNING}}
        if operation == "GetLogEvents":
            return self._log(given)
        return 400, {"__type": "UnknownOperationException", "message": operation}

    def _log(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        prefix, container, family = given["logStreamName"].split("/")
        if (prefix, container) != ("penstock", "main") or family not in self.logs:
            return 400, {"__type": "ResourceNotFoundException", "message": "The specified log stream does not exist."}
        lines = self.logs[family]
        if given.get("startFromHead"):
            seen = int(given.get("nextToken", "f/0").split("/")[1])
            chosen = lines[seen : seen + 3]  # in pages, as CloudWatch answers
        else:
            seen = max(0, len(lines) - given["limit"])
            chosen = lines[seen:]
        events = [{"timestamp": 1_700_000_000_000, "message": line} for line in chosen]
        token = f"f/{seen + len(chosen)}"
        return 200, {"events": events, "nextForwardToken": token, "nextBackwardToken": "b/0"}

    @staticmethod
    def _named(family: str) -> dict[str, Any]:
        return {"taskArn": f"arn:aws:ecs:eu-west-1:111122223333:task/acme-dev/{family}"}


@contextlib.contextmanager
def serving(fake: FakeEcs) -> Iterator[str]:
    """Serve it; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].rsplit(".", 1)[-1]
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = fake.answer(operation, given)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
