"""The address of the server's API, in the project file and in workflow files."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from penstock.problem import Problem
from penstock.project.document.problems import shown
from penstock_runtime.fill import PLACEHOLDER


def address_problem(server: str, variables: Mapping[str, str]) -> Problem | None:
    """That there is a host, and nothing behind the path."""
    fix = "write https://<host>/api, with :<port> behind the host where it is not 443"
    try:
        parts = urlsplit(_filled(server, variables))
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return Problem(f"{shown(server)} is not an address: {str(error)[:80]}", fix)
    if not host:
        return Problem(f"{shown(server)} names no host", fix)
    if parts.query or parts.fragment:
        return Problem(f"{shown(server)} has something behind its path, where /v1/… is to stand", fix)
    return None


def has_api(server: str, variables: Mapping[str, str]) -> bool:
    """Whether it ends in `/api`: the client puts `/v1/…` behind what stands here, unchanged. A proxy may have its API
    elsewhere. An address that a secret or an unknown name ends in may be right."""
    filled = _filled(server, variables)
    return urlsplit(filled).path.endswith("/api") or _ends_in_a_name(server, variables)


def _ends_in_a_name(server: str, variables: Mapping[str, str]) -> bool:
    matches = list(PLACEHOLDER.finditer(server))
    return bool(matches) and matches[-1].end() == len(server) and matches[-1][1] not in variables


def _filled(server: str, variables: Mapping[str, str]) -> str:
    """The address with its variables; a secret may be anything, a port among it."""
    return PLACEHOLDER.sub(lambda match: variables.get(match[1], "1"), server)
