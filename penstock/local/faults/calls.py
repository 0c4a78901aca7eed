"""Which call of which service a request is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from penstock.local.faults import routes, services

_SCOPE = re.compile(r"Credential=(?P<scope>[^,\s]+)")
_RPC = re.compile(r"/service/[^/]+/operation/(?P<operation>\w+)/?")
FORM = "application/x-www-form-urlencoded"
"""The content type of the query protocol, whose body names the operation."""


@dataclass(frozen=True)
class Call:
    """A call of AWS."""

    service: str
    """boto3's name; `unsigned` where the request carries no signature."""
    operation: str
    """By the service's model; the HTTP method where the model has none of the request's form."""

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True)
class Head:
    """A request without its body."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: Mapping[str, str]
    """By their names in lower case."""

    @property
    def is_form(self) -> bool:
        """Whether the operation is named in the body."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


def call(head: Head, form: bytes = b"") -> Call:
    """The call that a request makes; `form` is its body if `head.is_form`."""
    query = parse_qs(head.target.partition("?")[2], keep_blank_values=True)
    service = _service(head, query)
    return Call(service, _operation(service, head, {**query, **_fields(form)}) or head.method)


def _service(head: Head, query: Mapping[str, list[str]]) -> str:
    found = _SCOPE.search(head.headers.get("authorization", ""))
    scope = found["scope"] if found else query.get("X-Amz-Credential", [""])[0]
    # key/date/region/service/aws4_request; SigV4A has no region in it.
    parts = scope.split("/")
    return services.canonical(parts[-2]) if len(parts) >= 4 else "unsigned"


def _operation(service: str, head: Head, fields: Mapping[str, list[str]]) -> str | None:
    if target := head.headers.get("x-amz-target"):
        return target.rsplit(".", 1)[-1]
    if "smithy-protocol" in head.headers and (found := _RPC.fullmatch(head.target.partition("?")[0])):
        return found["operation"]
    if "Action" in fields:
        return fields["Action"][0]
    if service not in services.NAMES.values():
        return None
    return routes.operation(service, head.method, head.target, frozenset(head.headers))


def _fields(form: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(form.decode(), keep_blank_values=True)
    except (UnicodeDecodeError, ValueError):
        return {}
