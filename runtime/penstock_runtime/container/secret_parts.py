"""What is masked of a secret: the value, and those of its parts that a program may print alone.

A secret may be a password, JSON with several fields, a connection string, or a key of many lines. Whether a part is
masked depends on its name if it has one, otherwise on its length and mixture: to mask `5432` or `postgres` everywhere
would hide half a log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

from penstock_runtime.secret_names import is_secret_key

SHORTEST = 4
"""Characters. A shorter value would be found in half of all words, and is hardly a secret."""
TELLING = 8
"""Characters from which any part is masked; a shorter one only if it mixes letters, digits and signs."""
_DEEPEST = 4
"""Values inside values: JSON in a string of JSON."""

_COMMON = frozenset({"true", "false", "null", "none"})
_PLAIN_FIELDS = frozenset(
    {"account", "authtype", "database", "databasename", "db", "dbname", "dialect", "domain", "driver", "engine", "env"}
    | {"environment", "port", "project", "projectid", "region", "role", "schema", "sslmode", "type", "universedomain"}
    | {"warehouse"}
)
"""Fields whose values are in every other line: names of databases, of engines, of places."""
_PLAIN_VALUE = re.compile(r"[A-Za-z]*[0-9]*(?:[ _.-][A-Za-z]*[0-9]*)*")
"""Words and numbers. A token is a mixture, also in a field with such a name."""
_LONGEST_PLAIN = 40

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PAIR = re.compile(
    r"""([A-Za-z_][\w.-]{0,99})['"]?[ \t]*[=:](?!//)[ \t]*("[^"\n]*"|'[^'\n]*'|\{[^}\n]*\}|[^\s;&,"']+)"""
)
"""`password=…` of a connection string, an ini, properties or YAML file, or a URL's query."""


@dataclass
class Parts:
    """The parts of one secret."""

    masked: list[str] = field(default_factory=list)
    """What to mask; each at least `SHORTEST` characters."""
    lines: list[str] = field(default_factory=list)
    """The lines of values with several, which are masked too: a log has a line for each."""
    shown: int = 0
    """How many scalars of JSON are too short or too common for that."""

    def add(self, value: str) -> None:
        """Add a value that is masked, its lines, and what it holds."""
        for text in _of_text(value):
            self.masked.append(text)
            lines = [line.strip() for line in text.splitlines()]
            if len(lines) > 1:
                self.lines += filter(_telling, lines)


def parts(value: str) -> Parts:
    """The parts of a secret's value. JSON objects and lists count by what is in them."""
    result = Parts()
    inner = _json(value)
    if isinstance(inner, (dict, list)):
        for name, scalar in _scalars(inner):
            if _worth(name, scalar):
                result.add(scalar)
            elif scalar.lower() not in _COMMON and scalar:
                result.shown += 1
    if not result.masked:
        result.shown = 0
        result.add(value)
    return result


def _of_text(value: str, depth: int = 0) -> Iterator[str]:
    """A value that is masked, and what it holds."""
    whole = value.strip()
    if len(whole) >= SHORTEST:
        yield whole
    if depth == _DEEPEST:
        return
    inner = _json(whole)
    if isinstance(inner, str):
        yield from _of_text(inner, depth + 1)
    elif inner is not None:
        for name, scalar in _scalars(inner):
            if _worth(name, scalar):
                yield from _of_text(scalar, depth + 1)
    else:
        yield from _login(whole)
        for name, text in _PAIR.findall(whole):
            bare = text[1:-1] if text[0] in "\"'{" else text
            if is_secret_key(name):
                yield from (spelling for spelling in (bare, unquote_plus(bare)) if _worth(name, spelling))


def _json(value: str) -> Any:
    """The value as JSON, numbers in their own spelling; None if it is not JSON, or too deep to be read."""
    if value.strip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(value, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _scalars(parsed: Any) -> Iterator[tuple[str, str]]:
    """Every text and number of parsed JSON with the name of its field. Not recursive: JSON may be deep."""
    waiting = [("", parsed)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [(str(key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(name, inner) for inner in value]
        elif isinstance(value, str):
            yield name, value


def _login(address: str) -> Iterator[str]:
    """The password of an address, as written and as a program reads it."""
    if not _ADDRESS.match(address):
        return
    try:
        password = urlsplit(address).password or ""
    except ValueError:
        return
    yield from (spelling for spelling in (password, unquote(password)) if len(spelling) >= SHORTEST)


def _worth(name: str, text: str) -> bool:
    """Whether a part with a name is masked."""
    text = text.strip()
    if text.lower() in _COMMON:
        return False
    if is_secret_key(name):
        return len(text) >= SHORTEST
    plain = len(text) <= _LONGEST_PLAIN and _PLAIN_VALUE.fullmatch(text)
    if plain and re.sub(r"[^a-z]", "", name.lower()) in _PLAIN_FIELDS:
        return False
    return _telling(text)


def _telling(text: str) -> bool:
    if len(text) >= TELLING:
        return True
    kinds = {"letter" if char.isalpha() else "digit" if char.isdigit() else "sign" for char in text}
    return len(text) >= SHORTEST and len(kinds) > 1
