"""What is wrong with a value that a shape does not take, and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from penstock.project.document.composer import Node
from penstock.project.document.problems import shown
from penstock.project.openmetadata.content import renamed
from penstock_runtime.secret_names import is_secret_key

WORDS: dict[str, tuple[str, str]] = {
    "str": ("text", "put it in quotes"),
    "int": ("a whole number", "write a whole number, such as 10"),
    "float": ("a number", "write a number, such as 0.5"),
    "decimal": ("a number", "write a number, such as 0.5"),
    "bool": ("true or false", "write true or false"),
    "url": ("an address", "write it with its scheme, such as https://host:443/path"),
    "multi-host-url": ("an address", "write it with its scheme, such as https://host:443/path"),
    "uuid": ("a UUID", "write one, such as 01234567-89ab-cdef-0123-456789abcdef"),
    "date": ("a date", "write one, such as 2026-01-31"),
    "datetime": ("a date with a time", "write one, such as 2026-01-31T06:00:00Z"),
    "time": ("a time", "write one, such as 06:00:00"),
    "timedelta": ("a duration", "write one, such as PT1H"),
    "list": ("a list", "write its entries in [ ], or one a line behind `- `"),
    "dict": ("a mapping", "indent its keys below it"),
    "model": ("a mapping", "indent its keys below it"),
    "none": ("empty", "remove the value"),
}
"""Kind of a shape → what a value of it is, and how to write one."""
_LIKE = 0.75
"""How alike a key and the one that was meant must be, as `difflib` has it, where nothing else says so."""
_LISTED = 20
"""Names that a fix lists."""


@dataclass(frozen=True)
class Fault:
    """Something in a workflow that the package does not take."""

    node: Node
    """Where it stands."""
    what: str
    fix: str
    rank: int = 1
    """How far it is from what was meant: of the shapes that a value may have, the nearest was meant."""
    meant: str = ""
    """The key that an unknown one was meant for."""
    expected: str = ""
    """What a value of another kind was to be."""
    tag: str = ""
    """The key that says which of several shapes is meant, where that is at fault."""
    tags: frozenset[str] = frozenset()
    """What may stand under `tag`."""
    absent: bool = False
    """Whether `tag` is not there."""


def unknown_key(node: Node, key: Any, owner: str, fields: Collection[str], missing: Iterable[str]) -> Fault:
    """A key that a mapping does not take. `missing`: those that it lacks, of which this may be one."""
    if (new := renamed.current(key, fields)) is not None:
        return Fault(node, f"{owner} has no key {shown(key)}", renamed.advice(key), rank=2, meant=new)
    meant = alike(str(key), missing) or alike(str(key), fields) or ""
    fix = "remove it: it takes no keys" if not fields else f"remove it, or use one of: {_listed(fields)}"
    what = f"{owner} has no key {shown(key)}"
    return Fault(node, what, f"did you mean {meant!r}?" if meant else fix, rank=2 if meant else 8, meant=meant)


def alike(name: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant; None where none is near."""
    names = sorted(known)
    folded = name.casefold().replace("_", "").replace("-", "")
    for candidate in names:
        if candidate.casefold() == folded:
            return candidate
    if len(name) > 200:
        return None
    close = difflib.get_close_matches(name, names, n=1, cutoff=_LIKE)
    return close[0] if close else None


def missing_key(node: Node, key: str, owner: str, hint: str) -> Fault:
    """A key that a mapping must have."""
    return Fault(node, f"{owner} needs {key!r}, which is missing", f"add {key}: {hint}", rank=4)


def wrong_value(node: Node, key: str, values: Iterable[str], *, tag: bool = False) -> Fault:
    """A text that is not one of those that may stand there."""
    known = frozenset(values)
    meant = alike(str(node.value), known)
    fix = f"did you mean {meant!r}?" if meant else f"use one of: {_listed(known)}"
    return Fault(node, f"{key!r} cannot be {_shown(key, node)}", fix, rank=3, tag=key if tag else "", tags=known)


def missing_tag(node: Node, key: str, values: Iterable[str]) -> Fault:
    """The key that says which of several shapes is meant is not there."""
    known = frozenset(values)
    what, fix = f"{key!r} is missing, which says what this is", f"add {key}: with one of: {_listed(known)}"
    return Fault(node, what, fix, rank=3, tag=key, tags=known, absent=True)


def misspelt_tag(node: Node, key: str) -> Fault:
    """The same, and another key looks like it."""
    what = f"there is no key {shown(node.value)}, and {key!r} is missing"
    return Fault(node, what, f"did you mean {key!r}?", rank=3, tag=key)


def wrong_kind(node: Node, key: str, kind: str, *, secret: bool = False, limits: str = "") -> Fault:
    """A value of another kind than what must stand there, or outside its limits."""
    expected, fix = WORDS.get(kind, ("something else", "correct it"))
    if limits:
        expected, fix = f"{expected} {limits}", "write such a value"
    elif node.value is None:
        fix = f"write {expected} behind it, or remove the key"
    elif isinstance(node.value, list) and kind in ("dict", "model"):
        fix = "remove the `- ` or the [ ] around its keys"
    elif isinstance(node.value, dict | list) and kind not in ("dict", "model", "list"):
        fix = f"write {expected}"
    elif kind == "list" and node.text is not None and not is_secret_key(key):
        fix = f"write [{node.text[:40]}]"
    return Fault(node, f"{key!r} must be {expected}, not {_shown(key, node, secret)}", fix, rank=2, expected=expected)


def merged_kinds(node: Node, key: str, faults: list[Fault]) -> Fault:
    """A value that is of none of the kinds that may stand there."""
    names = list(dict.fromkeys(fault.expected for fault in faults))
    if len(names) == 1:
        return faults[0]
    expected = " or ".join(names)
    return replace(faults[0], what=f"{key!r} must be {expected}, not {_shown(key, node)}", fix=f"write {expected}")


def merged_tags(faults: list[Fault]) -> Fault:
    """The same key at fault in several shapes that a value may have: what any of them takes may stand there."""
    first = faults[0]
    tags: frozenset[str] = frozenset().union(*(fault.tags for fault in faults))
    if not tags:
        return first
    return (
        missing_tag(first.node, first.tag, tags) if first.absent else wrong_value(first.node, first.tag, tags, tag=True)
    )


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:_LISTED]) + (", …" if len(names) > _LISTED else "")


def _shown(key: str, node: Node, secret: bool = False) -> str:
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    if node.value is None:
        return "empty"
    return "what stands here" if secret or is_secret_key(key) else shown(node.value)
