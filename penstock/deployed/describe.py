"""What differs between two facts of a deploy, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def title(name: str) -> str:
    """A field's name as a sentence has it."""
    own = {
        "image_content": "what the image is built from",
        "runtime": "Penstock's runtime in the container",
        "files": "the right to read files of the project",
    }
    return own.get(name, name.replace("_", " "))


def differences(before: Any, after: Any) -> str:
    """Two values in words; of mappings only the keys that differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        return ", ".join(f"{name} {differences(before.get(name), after.get(name))}" for name in names)
    if isinstance(before, str) and isinstance(after, str) and len(before) == len(after) == 64:
        return "changed"
    return f"{short(before)} → {short(after)}"


def short(value: Any) -> str:
    """A value in a few words."""
    if value is None:
        return "nothing"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(short(member) for member in value) + "]"
    if isinstance(value, Mapping):
        if "actions" in value:
            return permission(value)
        reference = "#".join(str(value[key]) for key in ("id", "key") if value.get(key))
        return f"{value['name']} ({reference})" if "name" in value else str(dict(value))
    return str(value)


def permission(value: Mapping[str, Any]) -> str:
    """A permission by its first action and resource."""
    words = f"{_first(value['actions'])} on {_first(value['resources'])}"
    return f"{words} under conditions" if value.get("conditions") else words


def _first(names: list[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
