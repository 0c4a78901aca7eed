"""Calls that define something, held against the models of their services when they come by the API: what AWS refuses
with a validation error, ministack would store."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from penstock.aws.service_models import call_refusals
from penstock.aws.service_models.resources import CALLS
from penstock.local.aws import compat

Handler = Callable[..., Awaitable[Any]]

_ERRORS = {"ecs": "InvalidParameterException", "logs": "InvalidParameterException"}
"""Service → the code of the error; of the others it is ValidationException."""


def install() -> None:
    """Put the check in front of ministack's services."""
    compat.ecs.handle_request = _checked("ecs", compat.ecs.handle_request)
    compat.eventbridge.handle_request = _checked("events", compat.eventbridge.handle_request)
    compat.cloudwatch_logs.handle_request = _checked("logs", compat.cloudwatch_logs.handle_request)
    compat.secretsmanager.handle_request = _checked("secretsmanager", compat.secretsmanager.handle_request)


def _checked(service: str, handle: Handler) -> Handler:
    async def checked(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]) -> Any:
        target = headers.get("x-amz-target") or headers.get("X-Amz-Target") or ""
        wrong = problem(service, target.rpartition(".")[2], body)
        if wrong is not None:
            return compat.responses.error_response_json(_ERRORS.get(service, "ValidationException"), wrong, 400)
        return await handle(method, path, headers, body, query)

    return checked


def problem(service: str, operation: str, body: bytes) -> str | None:
    """What the service refuses of a call, or None; of a call that is not in `CALLS`, nothing."""
    if operation not in CALLS[service]:
        return None
    try:
        arguments = json.loads(body)
    except ValueError:
        return None
    return next(iter(call_refusals(service, operation, arguments)), None) if isinstance(arguments, dict) else None
