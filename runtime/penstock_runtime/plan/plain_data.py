"""Frozen dataclasses to JSON and back: deterministic, and strict about fields."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Mapping, Sequence
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
    readers = _readers(kind)
    unknown = set(data) - set(readers)
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {sorted(unknown)[0]!r}")
    try:
        return kind(**{name: readers[name](item) for name, item in data.items()})
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from error


Reader = Callable[[Any], Any]
"""From decoded JSON to a field's value."""


_known: dict[type, Mapping[str, Reader]] = {}
"""What `_readers` has worked out."""


def _readers(kind: type) -> Mapping[str, Reader]:
    """The fields of a dataclass. Kept: working out the types of a class takes longer than building an object of it."""
    if kind not in _known:
        _known[kind] = {name: _reader(hint) for name, hint in typing.get_type_hints(kind).items()}
    return _known[kind]


def _reader(hint: Any) -> Reader:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return functools.partial(from_data, hint)
    origin = typing.get_origin(hint)
    if origin is tuple:
        element = _reader(typing.get_args(hint)[0])
        return tuple if element is _as_is else lambda items: tuple(map(element, items))
    if origin in (typing.Union, types.UnionType):
        kinds = [arg for arg in typing.get_args(hint) if dataclasses.is_dataclass(arg)]
        if kinds:
            return lambda item: _one_of(kinds, item) if isinstance(item, dict) else item
    return _as_is


def _as_is(item: Any) -> Any:
    return item


def _one_of(kinds: Sequence[Any], item: Mapping[str, Any]) -> Any:
    # Plans are written with all fields, so the keys show which it is.
    fits = [kind for kind in kinds if set(_readers(kind)) == set(item)]
    return from_data((fits or kinds)[0], item)
