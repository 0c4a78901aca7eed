"""A custom resource that a Lambda function of ours answers; see `penstock.local.aws.functions`.

The event and its answer are those of the AWS CloudFormation User Guide, "Custom resource reference".
"""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

from penstock.local.aws import compat, functions
from penstock.local.aws.endpoint import Endpoint

Properties = dict[str, Any]
Made = tuple[str, Properties]


class Function:
    """The handlers of one resource type."""

    def __init__(self, endpoint: Endpoint, kind: str) -> None:
        self._endpoint, self._kind = endpoint, kind

    def create(self, logical_id: str, properties: Properties, stack: str) -> Made:
        return self._answer("Create", properties, stack, logical_id)

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str) -> Made:
        more = {"PhysicalResourceId": physical_id, "OldResourceProperties": _text(old)}
        return self._answer("Update", new, stack, physical_id, **more)

    def delete(self, physical_id: str, properties: Properties) -> None:
        self._answer("Delete", properties, "", physical_id, PhysicalResourceId=physical_id)

    def _answer(self, request: str, properties: Properties, stack: str, logical_id: str, **more: Any) -> Made:
        """Run the function and wait for what it tells CloudFormation.

        Raises:
            ValueError: there is no such function, it said that it failed, or it said nothing.
            iam.RoleError: it cannot take its role.
        """
        token = str(properties["ServiceToken"])
        function = functions.find(token)
        if function is None:
            raise ValueError(f"Function not found: {token}")
        told: list[Properties] = []
        with _listening(told) as address:
            event = {
                "RequestType": request,
                "RequestId": str(uuid.uuid4()),
                "StackId": (compat.cloudformation._stacks.get(stack) or {}).get("StackId", stack),
                "ResponseURL": address,
                "ResourceType": self._kind,
                "LogicalResourceId": logical_id,
                "ResourceProperties": _text(properties),
                **more,
            }
            _, output = functions.run(self._endpoint, function, event)
        if not told:
            raise ValueError(f"{function.name} did not answer: {output[-500:]}")
        if told[0]["Status"] != "SUCCESS":
            reason = told[0]["Reason"]
            raise ValueError(f"Received response status [FAILED] from custom resource. Message returned: {reason}")
        return told[0]["PhysicalResourceId"], told[0].get("Data") or {}


@contextlib.contextmanager
def _listening(told: list[Properties]) -> Iterator[str]:
    """An address for a function's answer, which `told` then holds."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/{uuid.uuid4()}"
        finally:
            server.shutdown()


def _text(value: Any) -> Any:
    """CloudFormation hands numbers and booleans to functions as text."""
    if isinstance(value, dict):
        return {name: _text(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_text(member) for member in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value
