"""A custom resource that a Lambda function of ours answers. The function's own code runs, in a process of its own, with
a session of its role: what the role's policy does not grant fails here too.

The event and its answer are those of the AWS CloudFormation User Guide, "Custom resource reference".
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import uuid
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from penstock.local.aws import compat, iam
from penstock.local.aws.endpoint import Endpoint

Properties = dict[str, Any]
Made = tuple[str, Properties]

_RUN = """
import importlib, json, sys
getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(json.load(sys.stdin), None)
"""


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
        function = compat.lambda_svc._functions.get(token.rsplit(":", 1)[-1])
        if function is None or not function.get("code_zip"):
            raise ValueError(f"Function not found: {token}")
        config = function["config"]
        told: list[Properties] = []
        with _listening(told) as address, tempfile.TemporaryDirectory(prefix="penstock-lambda-") as folder:
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
            output = self._run(config, function["code_zip"], event, Path(folder))
        if not told:
            raise ValueError(f"{config['FunctionName']} did not answer: {output[-500:]}")
        if told[0]["Status"] != "SUCCESS":
            reason = told[0]["Reason"]
            raise ValueError(f"Received response status [FAILED] from custom resource. Message returned: {reason}")
        return told[0]["PhysicalResourceId"], told[0].get("Data") or {}

    def _run(self, config: Properties, code: bytes, event: Properties, folder: Path) -> str:
        with zipfile.ZipFile(BytesIO(code)) as archive:
            archive.extractall(folder)
        module, _, name = str(config["Handler"]).rpartition(".")
        seconds = int(config["Timeout"])
        keys = iam.session(config["Role"], "function", "lambda.amazonaws.com", 900)
        kept = {one: os.environ[one] for one in ("PATH", "LANG", "LC_ALL", "PENSTOCK_INSTANCE") if one in os.environ}
        variables = (config.get("Environment") or {}).get("Variables") or {}
        try:
            done = subprocess.run(
                [sys.executable, "-c", _RUN, module, name],
                cwd=folder,
                env={**kept, **self._endpoint.environ(keys), **variables, "PYTHONPATH": str(folder)},
                input=json.dumps(event).encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"Task timed out after {seconds} seconds"
        finally:
            iam.forget(keys)
        return done.stdout.decode(errors="replace")


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
        return {name: _text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_text(one) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value
