"""A single value against a shape: pydantic's own core says whether it is taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

from pydantic_core import SchemaValidator

from penstock.project.document.composer import Node
from penstock.project.openmetadata.shapes.faults import Fault, wrong_kind, wrong_value
from penstock_runtime.fill import PLACEHOLDER

_LIMITS = frozenset({"min_length", "max_length", "ge", "gt", "le", "lt", "pattern"})


class Lookup(Protocol):
    """Where a shape finds those that it is made of."""

    def at(self, index: int) -> Shape:
        """One shape."""


class Shape:
    """What a value may be. This one: anything.

    `fits` and `faults` say the same: most values fit, and `fits` is several times faster.
    """

    __slots__ = ("kind",)

    def __init__(self, raw: Mapping[str, Any], shapes: Lookup) -> None:
        self.kind: str = raw["kind"]

    def fits(self, node: Node) -> bool:
        """Whether a value is taken."""
        return True

    def faults(self, node: Node, key: str) -> Sequence[Fault]:
        """What is wrong with a value; `key` is what it stands under."""
        return ()

    def hint(self) -> str:
        """What to write for it."""
        return "…"


class Scalar(Shape):
    __slots__ = ("_raw", "_takes")

    def __init__(self, raw: Mapping[str, Any], shapes: Lookup) -> None:
        super().__init__(raw, shapes)
        self._raw = raw
        schema: dict[str, Any] = {name: value for name, value in raw.items() if name not in ("kind", "secret")}
        schema["type"] = raw["kind"]
        self._takes: Callable[[Any], bool] = SchemaValidator(cast(Any, schema)).isinstance_python

    def fits(self, node: Node) -> bool:
        value = node.value
        if isinstance(value, str):
            return ("${" in value and PLACEHOLDER.search(value) is not None) or self._takes(value)
        return not isinstance(value, dict | list) and self._takes(value)

    def faults(self, node: Node, key: str) -> Sequence[Fault]:
        if self.fits(node):
            return ()
        value = node.value
        wrong_type = self.kind == "str" and not isinstance(value, str)
        limits = "" if wrong_type or value is None or isinstance(value, dict | list) else self._limits()
        return (wrong_kind(node, key, self.kind, secret="secret" in self._raw, limits=limits),)

    def _limits(self) -> str:
        raw = self._raw
        if not _LIMITS & raw.keys():
            return ""
        if "pattern" in raw:
            return f"that matches {raw['pattern'][:80]}"
        least, most = (
            raw.get("min_length", raw.get("ge", raw.get("gt"))),
            raw.get("max_length", raw.get("le", raw.get("lt"))),
        )
        unit = " characters" if self.kind == "str" else ""
        if most is None:
            return f"of at least {least}{unit}"
        return f"of at most {most}{unit}" if least is None else f"of {least} to {most}{unit}"

    def hint(self) -> str:
        return {"int": "10", "float": "0.5", "bool": "true", "url": "https://…"}.get(self.kind, "…")


class Enum(Shape):
    """One of some texts."""

    __slots__ = ("values",)

    def __init__(self, raw: Mapping[str, Any], shapes: Lookup) -> None:
        super().__init__(raw, shapes)
        self.values = frozenset(raw["values"])

    def fits(self, node: Node) -> bool:
        value = node.value
        return isinstance(value, str) and (value in self.values or ("${" in value and may_become(value, self.values)))

    def faults(self, node: Node, key: str) -> Sequence[Fault]:
        if self.fits(node):
            return ()
        if node.value is None or isinstance(node.value, dict | list):
            return (wrong_kind(node, key, "str"),)
        return (wrong_value(node, key, self.values, tag=len(self.values) == 1),)

    def hint(self) -> str:
        return next(iter(self.values)) if len(self.values) == 1 else f"one of: {', '.join(sorted(self.values)[:20])}"


def may_become(text: str, values: Iterable[str]) -> bool:
    """Whether a text with `${NAME}`s may be one of `values` when they are filled."""
    parts = PLACEHOLDER.split(text)[::2]
    pattern = re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL)
    return len(parts) > 1 and any(pattern.fullmatch(value) for value in values)
