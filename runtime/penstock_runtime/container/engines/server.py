"""The OpenMetadata server that a workflow's config names, asked as the package's client asks it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

VERSION = "/v1/system/version"
_ANSWER_SECONDS = (10, 30)
"""To connect, and to answer."""


def block(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The config's `openMetadataServerConfig`; empty where it has none."""
    workflow = settings.get("workflowConfig")
    server = workflow.get("openMetadataServerConfig") if isinstance(workflow, dict) else None
    return server if isinstance(server, dict) else {}


def version(settings: Mapping[str, Any]) -> str | None:
    """The server's version as it says it; None where it does not answer, or not with a version."""
    import requests  # type: ignore[import-untyped]

    try:
        answer = get(settings, VERSION)
        return version_in(answer.text) if answer.status_code < 300 else None
    except (requests.exceptions.RequestException, OSError, ValueError):
        return None


def get(settings: Mapping[str, Any], path: str) -> Any:
    """One request as the package's client makes it: the same address, token and TLS."""
    import requests

    server = block(settings)
    config = server.get("sslConfig") or {}
    verify: Any = {"ignore": False, "validate": config.get("caCertificate")}.get(str(server.get("verifySSL")), True)
    return requests.get(
        str(server.get("hostPort", "")).rstrip("/") + path,
        headers={"Authorization": f"Bearer {(server.get('securityConfig') or {}).get('jwtToken', '')}"},
        verify=verify,
        timeout=_ANSWER_SECONDS,
        allow_redirects=False,
    )


def version_in(text: str) -> str | None:
    """The version in an answer; None if it holds none."""
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return str(data["version"]) if isinstance(data, dict) and "version" in data else None
