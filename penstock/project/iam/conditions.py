"""The conditions of a permission: operators, keys and values that IAM can compare.

Source: AWS IAM User Guide, "IAM JSON policy elements: Condition operators". A value that an operator cannot read equals
nothing: the permission is then never given, or, with a `Not…` operator, always.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from penstock.problem import Problem
from penstock.project.document.literals import references
from penstock.project.document.problems import nearest, shown

_COMPARED = {
    "String": ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"),
    "Numeric": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
    "Date": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
    "Arn": ("Equals", "Like", "NotEquals", "NotLike"),
    "Bool": ("",),
    "BinaryEquals": ("",),
    "IpAddress": ("",),
    "NotIpAddress": ("",),
}
_OPERATORS: dict[str, str] = {"Null": "Bool"} | {
    f"{kind}{how}{missing}": kind for kind, hows in _COMPARED.items() for how in hows for missing in ("", "IfExists")
}
"""Operator → the kind of its values."""
_BEYOND_LATIN = re.compile("[^\t\n\r\x20-\xff]")
"""What a policy may not hold: IAM API Reference, PutRolePolicy, PolicyDocument."""
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_DATE = re.compile(
    r"[0-9]+|"
    r"[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-4]):[0-5][0-9](:[0-6][0-9]([.,][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?"
)
"""Seconds since 1970, or ISO 8601 as W3C's note on date and time formats has it, from the year down to the second."""


class _Values(NamedTuple):
    fits: Callable[[str], object]
    must_be: str
    fix: str


def _is_range(text: str) -> bool:
    """An address or a range in CIDR notation, IPv4 or IPv6."""
    _, slash, length = text.partition("/")
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "%" not in text and (not slash or length.isdecimal())


_ADDRESS = _Values(_is_range, "an address or a range", "write one such as 203.0.113.0/24")
_VALUES = {
    "Numeric": _Values(_NUMBER.fullmatch, "a number", "write one in quotes, such as '3600'"),
    "Date": _Values(_DATE.fullmatch, "a date", "write one in quotes, such as '2026-01-31T00:00:00Z'"),
    "Bool": _Values(re.compile("true|false", re.IGNORECASE).fullmatch, "true or false", "write 'true' or 'false'"),
    "IpAddress": _ADDRESS,
    "NotIpAddress": _ADDRESS,
}
"""IAM's own variables (`${aws:…}`) are none of these: IAM fills them for texts and ARNs only (IAM User Guide, "IAM
policy validation check reference", "Invalid variable for operator")."""


def wrong_conditions(
    conditions: Mapping[str, Mapping[str, list[str]]], variables: Mapping[str, str]
) -> Iterator[Problem]:
    """All that is wrong with conditions whose variables are filled."""
    for operator, keys in conditions.items():
        bare = re.sub(r"^(ForAllValues|ForAnyValue):", "", operator)
        if bare not in _OPERATORS:
            fix = nearest(bare, _OPERATORS, kind="operator")
            yield Problem(f"{operator[:60]!r} is not a condition operator", fix, ("conditions", operator))
        wanted = _VALUES.get(_OPERATORS.get(bare, ""))
        for key, values in keys.items():
            path = ("conditions", operator, key)
            if not re.fullmatch(r"[A-Za-z0-9-]+:\S+", key):
                yield Problem(f"{key[:60]!r} is not a condition key", "write one such as aws:RequestedRegion", path)
            elif wrong := beyond_latin(key):
                yield wrong.at(*path)
            for value in values:
                if names := references(value):
                    yield unknown_variable(names[0], variables, path)
                elif wrong := beyond_latin(value):
                    yield wrong.at(*path)
                elif wanted is not None and not wanted.fits(value):
                    yield Problem(f"{operator} needs {wanted.must_be}, not {shown(value)}", wanted.fix, path)


def beyond_latin(text: str) -> Problem | None:
    """Why IAM takes no policy with that text in it, and the fix; None where it does."""
    match = _BEYOND_LATIN.search(text)
    if match is None:
        return None
    what = f"{shown(text)} holds {match[0]!r} (U+{ord(match[0]):04X}), and IAM takes no policy with it"
    return Problem(what, "use characters up to ÿ (U+00FF); in a resource a * can stand for others")


def unknown_variable(name: str, variables: Mapping[str, str], path: tuple[str | int, ...]) -> Problem:
    """A `${NAME}` that nothing fills."""
    return Problem(f"there is no variable {name[:60]!r}", nearest(name, variables, kind="variable"), path)
