"""Python literals and calls as text, laid out as Black lays them out: 88 columns, double quotes, trailing commas."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COLUMNS = 88
INDENT = 4

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Code(str):
    """A Python expression that is written unchanged: a name, `timedelta(minutes=5)`."""


@dataclass(frozen=True)
class Call:
    """A call with named arguments, and positional ones before them."""

    function: str
    named: Mapping[str, Any]
    positional: Sequence[Any] = field(default=())


def assignment(name: str, value: Any, *, indent: int = 0) -> str:
    """A line, or several, that give a name its value."""
    written = text(value, indent=indent, before=len(name) + 3)
    room = COLUMNS - indent
    if "\n" not in written and len(name) + 3 + len(written) > room >= INDENT + len(written):
        written = f"(\n{' ' * (indent + INDENT)}{written}\n{' ' * indent})"
    return f"{' ' * indent}{name} = {written}"


def text(value: Any, *, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """A value as a Python expression, in one line where it fits.

    Args:
        indent: columns before the line on which it begins.
        before: columns between these and the value.
        after: columns that its last line needs behind it.
    """
    flat = _flat(value)
    if indent + before + len(flat) + after <= COLUMNS or not _parts(value):
        return flat
    opening, parts, closing = _parts(value) or ("", [], "")
    inner = indent + INDENT
    lines = [f"{' ' * inner}{key}{text(item, indent=inner, before=len(key), after=1)}," for key, item in parts]
    return "\n".join([opening, *lines, f"{' ' * indent}{closing}"])


def multiline(value: str) -> str:
    """A text of several lines between triple quotes."""
    escaped = "".join(_escaped(character) if character != "\n" else "\n" for character in value)
    escaped = re.sub('"(?="")|"$', r'\\"', escaped)
    return f'"""\\\n{escaped}"""'


def string(value: str) -> str:
    """A text as a Python literal, in double quotes unless that would escape more."""
    quote = "'" if '"' in value and "'" not in value else '"'
    return quote + "".join("\\" + one if one == quote else _escaped(one) for one in value) + quote


def identifier(name: str, taken: Sequence[str]) -> str:
    """A name for a variable, from any text; another one than those taken."""
    plain = re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_") or "task"
    plain = plain if plain[0].isalpha() else f"task_{plain}"
    found, number = plain, 2
    while found in taken:
        found, number = f"{plain}_{number}", number + 1
    return found


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _flat(value: Any) -> str:
    if isinstance(value, Code):
        return value
    if isinstance(value, str):
        return string(value)
    if parts := _parts(value):
        opening, items, closing = parts
        return opening + ", ".join(f"{key}{_flat(item)}" for key, item in items) + closing
    return repr(value)


def _parts(value: Any) -> tuple[str, list[tuple[str, Any]], str] | None:
    """Opening bracket, (what stands before the item, item), closing bracket; None: it cannot be broken up."""
    if isinstance(value, Call):
        items = [("", item) for item in value.positional]
        return f"{value.function}(", [*items, *((f"{key}=", item) for key, item in value.named.items())], ")"
    if isinstance(value, Mapping) and value:
        return "{", [(f"{_flat(key)}: ", item) for key, item in value.items()], "}"
    if isinstance(value, list) and value:
        return "[", [("", item) for item in value], "]"
    return None
