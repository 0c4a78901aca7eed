"""A field that changed, wherever it stands: its path, what it was and what it will be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 80
"""Characters of a value on a screen."""
_KEYS = ("name", "Name", "Key", "kind", "family", "architecture", "prefix", "path")
"""What tells the members of a list from each other, in plans and in templates."""
_DIGEST = re.compile(r"(?<!mrk-)\b[0-9a-f]{32}")
"""And no id of a KMS key of several regions."""


@dataclass(frozen=True)
class Field:
    """One field that changed."""

    path: str
    """`interval`, `tasks.load.memory_mib`, `ecs.stop_timeout_seconds`."""
    before: Any
    after: Any

    def __str__(self) -> str:
        if not self.readable:
            return f"{self.path} changed"
        texts = [text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}…" for text in self._texts()]
        return f"{self.path}: {texts[0]} → {texts[1]}"

    @property
    def readable(self) -> bool:
        """Whether its values say anything to a person: hashes and whole files do not."""
        return not any("\n" in text or _DIGEST.search(text) for text in self._texts())

    @property
    def short(self) -> bool:
        """Whether its values fit on a screen whole."""
        return all(len(text) <= LONGEST for text in self._texts())

    def _texts(self) -> list[str]:
        return [_text(value) or "nothing" for value in (self.before, self.after)]


def between(path: str, before: Any, after: Any) -> Iterator[Field]:
    """What differs, as deep as both sides have the same shape; members of lists by their names."""
    old, new = _members(before), _members(after)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from between(f"{path}.{key}" if path else key, old.get(key), new.get(key))
    elif before != after and not (_empty(before) and _empty(after)):
        yield Field(path, before, after)


def _members(value: Any) -> Any:
    """A list whose members have names, as name → the rest; where that is a single value, that one."""
    if not isinstance(value, list | tuple) or not all(isinstance(member, Mapping) for member in value):
        return value
    for key in _KEYS:
        names = [member.get(key) for member in value]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return {member[key]: _rest(member, key) for member in value}
    return value


def _empty(value: Any) -> bool:
    """Another version of Penstock may write nothing at all for it."""
    return value is None or value in ("", [], (), {})


def _rest(member: Mapping[str, Any], key: str) -> Any:
    rest = {name: value for name, value in member.items() if name != key}
    (only,) = rest.values() if len(rest) == 1 else (rest,)
    return only


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items() if item is not None)
    return str(value)
