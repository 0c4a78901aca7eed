"""Lambda functions of ours: the function's own code, in a process of its own, with a session of its role.

What the role's policy does not grant fails here too.
"""

from __future__ import annotations

import contextvars
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from penstock.local.aws import compat, iam
from penstock.local.aws.endpoint import Endpoint

log = logging.getLogger(__name__)

_RUN = """
import importlib, json, sys
getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(json.load(sys.stdin), None)
"""


@dataclass(frozen=True)
class Deployed:
    """A deployed function."""

    config: Mapping[str, Any]
    code: bytes
    """The archive."""

    @property
    def name(self) -> str:
        return str(self.config["FunctionName"])


def find(arn: str) -> Deployed | None:
    """The function of an ARN; None: there is none, or it has no code."""
    found = compat.lambda_svc._functions.get(arn.rsplit(":", 1)[-1])
    if found is None or not found.get("code_zip"):
        return None
    return Deployed(found["config"], found["code_zip"])


def run(endpoint: Endpoint, function: Deployed, event: Mapping[str, Any]) -> tuple[int, str]:
    """Call it: exit code (0: its handler returned), and all that it printed.

    Raises:
        iam.RoleError: it cannot take its role.
    """
    config = function.config
    module, _, name = str(config["Handler"]).rpartition(".")
    seconds = int(config["Timeout"])
    keys = iam.session(config["Role"], "function", "lambda.amazonaws.com", 900)
    kept = {one: os.environ[one] for one in ("PATH", "LANG", "LC_ALL", "PENSTOCK_INSTANCE") if one in os.environ}
    variables = (config.get("Environment") or {}).get("Variables") or {}
    try:
        with tempfile.TemporaryDirectory(prefix="penstock-lambda-") as folder:
            with zipfile.ZipFile(BytesIO(function.code)) as archive:
                archive.extractall(folder)
            done = subprocess.run(
                [sys.executable, "-c", _RUN, module, name],
                cwd=folder,
                env={**kept, **endpoint.environ(keys), **variables, "PYTHONPATH": folder},
                input=json.dumps(event).encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return 1, f"Task timed out after {seconds} seconds"
    finally:
        iam.forget(keys)
    return done.returncode, done.stdout.decode(errors="replace")


def install(endpoint: Endpoint) -> None:
    """Let the event bus call functions in this way, and not in ministack's, which knows no role."""

    def dispatch(arn: str, payload: str) -> None:
        function = find(arn)
        if function is None:
            log.warning("EventBridge: there is no function %s", arn)
            return
        # Asynchronous, as EventBridge's calls are; in this account and region.
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(_called, endpoint, function, json.loads(payload)), daemon=True
        ).start()

    compat.eventbridge._dispatch_to_lambda = dispatch


def _called(endpoint: Endpoint, function: Deployed, event: Mapping[str, Any]) -> None:
    try:
        code, output = run(endpoint, function, event)
    except iam.RoleError as error:
        code, output = 1, str(error)
    for line in output.splitlines():
        log.log(logging.ERROR if code else logging.INFO, "%s: %s", function.name, line)
