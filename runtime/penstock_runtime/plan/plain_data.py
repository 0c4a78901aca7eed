"""Frozen dataclasses to JSON and back: deterministic, and strict about fields."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


def to_json(value: Any, indent: int | None = None) -> str:
    """A dataclass as JSON: sorted keys, `\\n` at the end, the same bytes for the same value."""
    data = dataclasses.asdict(value)
    separators = (",", ": ") if indent else (",", ":")
    return json.dumps(data, indent=indent, separators=separators, sort_keys=True, ensure_ascii=False) + "\n"


def from_data(kind: type[T], data: Any) -> T:
    """Build the dataclass `kind` from decoded JSON, nested dataclasses included.

    Raises:
        ValueError: a required field is missing or a field is unknown.
    """
    hints = typing.get_type_hints(kind)
    unknown = set(data) - set(hints)
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {sorted(unknown)[0]!r}")
    try:
        return kind(**{name: _value(hints[name], item) for name, item in data.items()})
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from error


def _value(hint: Any, item: Any) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_data(hint, item)
    origin = typing.get_origin(hint)
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, element) for element in item)
    if origin in (typing.Union, types.UnionType):
        kinds = [arg for arg in typing.get_args(hint) if dataclasses.is_dataclass(arg)]
        if kinds and isinstance(item, dict):
            # Plans are written with all fields, so the keys show which it is.
            fits = [kind for kind in kinds if {field.name for field in dataclasses.fields(kind)} == set(item)]
            return _value((fits or kinds)[0], item)
    return item
