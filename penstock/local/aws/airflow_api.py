"""MWAA's InvokeRestApi, answered by the REST API of the Airflow that runs beside the embedded AWS.

IAM decides who the caller is in Airflow: `airflow:InvokeRestApi` is granted on `role/<environment>/<Airflow role>`, and
the call is made as a user who has that role. Limits: botocore's model of MWAA; MWAA User Guide, "Using the Apache
Airflow REST API" (10 seconds, 6 MB).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.aws.mwaa import MAX_REST_PATH
from penstock.local.aws import compat, iam
from penstock.local.aws.airflow_server import Server, Users
from penstock.local.aws.endpoint import Endpoint

MAX_ANSWER_BYTES = 6 * 1024 * 1024
_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")

Answer = tuple[int, dict[str, str], bytes]


def install(endpoint: Endpoint) -> None:
    """Put this answer in the place of ministack's, which knows an Airflow in Docker only."""
    users = Users()

    async def invoke(_method: str, path: str, _headers: Any, body: bytes, _query: Any) -> Answer:
        name = path.strip("/").rpartition("/")[2]
        call = json.loads(body) if body else {}
        role = iam.airflow_role(name)
        return await asyncio.to_thread(_answer, endpoint.state, users, name, call, role)

    compat.mwaa._invoke_rest_api = invoke


def _answer(state: Path, users: Users, name: str, call: Mapping[str, Any], role: str) -> Answer:
    wrong = problem(call)
    if wrong is not None:
        return _error("ValidationException", wrong)
    server = Server.load(state)
    if name not in compat.mwaa._environments:
        return _error("ResourceNotFoundException", f"Environment {name} not found", 404)
    if server is None or server.environment != name:
        return _error("InternalServerException", f"no Airflow runs here for the environment {name}", 500)
    try:
        status, answer = users.send(server, role, call)
    except (OSError, ValueError) as error:
        return _error("InternalServerException", f"Airflow does not answer: {error}", 500)
    if len(answer) > MAX_ANSWER_BYTES:
        return _error("ValidationException", "the response is larger than 6 MB")
    try:
        content = json.loads(answer) if answer else {}
    except ValueError:
        content = answer.decode(errors="replace")
    data = {"RestApiStatusCode": status, "RestApiResponse": content}
    if status >= 400:
        return _error("RestApiServerException" if status >= 500 else "RestApiClientException", "", 400, data)
    return 200, {"Content-Type": "application/json"}, json.dumps(data).encode()


def problem(call: Mapping[str, Any]) -> str | None:
    """What MWAA refuses of a call without asking Airflow, or None."""
    path, method = call.get("Path"), call.get("Method")
    if not isinstance(path, str) or not 1 <= len(path) <= MAX_REST_PATH:
        said = path if isinstance(path, str) else ""
        return (
            f"1 validation error detected: Value '{said}' at 'path' failed to satisfy constraint: Member must have "
            f"length less than or equal to {MAX_REST_PATH}, and greater than or equal to 1"
        )
    if method not in _METHODS:
        return f"Value '{method}' at 'method' failed to satisfy constraint: Member must satisfy enum value set"
    return None


def _error(code: str, message: str, status: int = 400, more: Mapping[str, Any] | None = None) -> Answer:
    body = json.dumps({"__type": code, "message": message, **(more or {})}).encode()
    return status, {"Content-Type": "application/json", "x-amzn-errortype": code}, body
