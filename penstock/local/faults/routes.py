"""Which operation a request of a REST protocol calls: its method, path, query and headers against the model's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl

from botocore.model import OperationModel

from penstock.local.faults import services

_LABEL = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True)
class Route:
    """One operation's form of request."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: tuple[tuple[str, str], ...]
    """What its URI says itself; without a value the name alone counts."""
    needed: frozenset[str]
    """Members of the query that it cannot be called without."""
    headers: frozenset[str]
    """Headers that it cannot be called without, in lower case."""
    weight: tuple[int, int]
    """How much it asks for: where several fit, the one that asks for most is meant."""

    def fits(self, method: str, path: str, query: Mapping[str, str], headers: frozenset[str]) -> bool:
        """Whether a request is of this form; `headers` are the names of its own, in lower case."""
        return (
            method == self.method
            and self.path.fullmatch(path) is not None
            and all(name in query and value in ("", query[name]) for name, value in self.query)
            and self.needed <= query.keys()
            and self.headers <= headers
        )


def operation(service: str, method: str, target: str, headers: frozenset[str]) -> str | None:
    """The operation that a request calls; None: the model has none of its form.

    Args:
        service: boto3's name.
        target: path and query, as sent.
        headers: the names of the request's, in lower case.
    """
    path, _, query = target.partition("?")
    found = dict(parse_qsl(query, keep_blank_values=True))
    return next((one.operation for one in _routes(service) if one.fits(method, path, found, headers)), None)


@cache
def _routes(service: str) -> tuple[Route, ...]:
    """The routes of a service, those that ask for most first."""
    model = services.model(service)
    routes = [_route(model.operation_model(name)) for name in model.operation_names]
    return tuple(sorted(routes, key=lambda route: route.weight, reverse=True))


def _route(model: OperationModel) -> Route:
    path, _, query = model.http["requestUri"].partition("?")
    fixed = tuple(parse_qsl(query, keep_blank_values=True))
    needed: dict[str, set[str]] = {"querystring": set(), "header": set()}
    shape = model.input_shape
    for name in shape.required_members if shape else ():
        member = shape.members[name].serialization if shape else {}
        if member.get("location") in needed:
            needed[member["location"]].add(member["name"])
    literal = _LABEL.sub("", path)
    return Route(
        operation=model.name,
        method=model.http["method"],
        path=re.compile(_pattern(path)),
        query=fixed,
        needed=frozenset(needed["querystring"]),
        headers=frozenset(name.lower() for name in needed["header"]),
        weight=(len(literal), len(fixed) + len(needed["querystring"]) + len(needed["header"])),
    )


def _pattern(path: str) -> str:
    """A regular expression of a URI's path; `{Key+}` takes slashes, too."""
    parts, end = [], 0
    bare = path.rstrip("/")
    for label in _LABEL.finditer(bare):
        parts += [re.escape(bare[end : label.start()]), ".+" if label[2] else "[^/]+"]
        end = label.end()
    parts.append(re.escape(bare[end:]))
    return "".join(parts) + "/?"
