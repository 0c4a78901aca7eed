"""Lists, mappings and models against their shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.project.document.composer import Node
from penstock.project.openmetadata.shapes.faults import Fault, missing_key, misspelt_tag, unknown_key, wrong_kind
from penstock.project.openmetadata.shapes.values import Enum, Lookup, Shape


class Optional(Shape):
    """Empty, or of another shape."""

    __slots__ = ("inner",)

    def __init__(self, raw: Mapping[str, Any], shapes: Lookup) -> None:
        super().__init__(raw, shapes)
        self.inner = shapes.at(raw["of"])

    def fits(self, node: Node) -> bool:
        return node.value is None or self.inner.fits(node)

    def faults(self, node: Node, key: str) -> Sequence[Fault]:
        return () if node.value is None else self.inner.faults(node, key)

    def hint(self) -> str:
        return self.inner.hint()


class ListOf(Shape):
    """A list of one shape."""

    __slots__ = ("_items", "_least", "_most")

    def __init__(self, raw: Mapping[str, Any], shapes: Lookup) -> None:
        super().__init__(raw, shapes)
        self._items = shapes.at(raw["items"])
        self._least, self._most = raw.get("min_length", 0), raw.get("max_length", math.inf)

    def fits(self, node: Node) -> bool:
        value, fits = node.value, self._items.fits
        return isinstance(value, list) and self._least <= len(value) <= self._most and all(map(fits, value))

    def faults(self, node: Node, key: str) -> Sequence[Fault]:
        if not isinstance(node.value, list):
            return (wrong_kind(node, key, "list"),)
        if not self._least <= len(node.value) <= self._most:
            few = len(node.value) < self._least
            limits = f"of at {f'least {self._least}' if few else f'most {self._most}'} entries"
            return (wrong_kind(node, key, "list", limits=limits),)
        return [fault for item in node.value for fault in self._items.faults(item, key)]

    def hint(self) -> str:
        return "[…]"


class DictOf(Shape):
    """A mapping with any keys."""

    __slots__ = ("_keys", "_values")

    def __init__(self, raw: Mapping[str, Any], shapes: Lookup) -> None:
        super().__init__(raw, shapes)
        self._keys, self._values = shapes.at(raw["keys"]), shapes.at(raw["values"])

    def fits(self, node: Node) -> bool:
        return (
            isinstance(node.value, dict)
            and all(map(self._keys.fits, node.keys.values()))
            and all(map(self._values.fits, node.value.values()))
        )

    def faults(self, node: Node, key: str) -> Sequence[Fault]:
        if not isinstance(node.value, dict):
            return (wrong_kind(node, key, "dict"),)
        faults: list[Fault] = []
        for name, child in node.value.items():
            faults += self._keys.faults(node.keys[name], str(name))
            faults += self._values.faults(child, str(name))
        return faults

    def hint(self) -> str:
        return "{…}"


class Model(Shape):
    """A mapping with keys that are known."""

    __slots__ = ("_extra", "_fields", "_raw", "_required", "_shapes", "_strict", "name")

    def __init__(self, raw: Mapping[str, Any], shapes: Lookup) -> None:
        super().__init__(raw, shapes)
        self.name: str = raw["name"]
        self._raw: Mapping[str, tuple[int, bool]] = raw["fields"]
        self._strict, self._extra = raw["extra"] == "forbid", raw["extra"] == "allow"
        self._required = tuple(key for key, (_, required) in self._raw.items() if required)
        self._shapes = shapes
        # Made when first looked at: a model may hold itself.
        self._fields: dict[str, Shape] = {}

    def field(self, key: Any) -> Shape | None:
        """The shape of a key; None where it is not known."""
        shape = self._fields.get(key)
        if shape is None and key in self._raw:
            shape = self._fields[key] = self._shapes.at(self._raw[key][0])
        return shape

    def tags(self) -> dict[str, frozenset[str]]:
        """Its keys that take one text only."""
        tags = {}
        for key in self._raw:
            shape = self.field(key)
            inner = shape.inner if isinstance(shape, Optional) else shape
            if isinstance(inner, Enum) and len(inner.values) == 1:
                tags[key] = inner.values
        return tags

    def fits(self, node: Node) -> bool:
        value, fields = node.value, self._fields
        if not isinstance(value, dict):
            return False
        for name in self._required:
            if name not in value:
                return False
        for name, child in value.items():
            shape = fields.get(name) or self.field(name)
            if shape is None:
                if self._strict or (self._extra and not isinstance(name, str)):
                    return False
            elif not shape.fits(child):
                return False
        return True

    def faults(self, node: Node, key: str) -> Sequence[Fault]:
        value = node.value
        if not isinstance(value, dict):
            return (wrong_kind(node, key, "model"),)
        faults: list[Fault] = []
        meant: set[str] = set()
        missing = [name for name in self._required if name not in value]
        for name, child in value.items():
            shape = self._fields.get(name) or self.field(name)
            if shape is not None:
                wrong = shape.faults(child, name)
                if wrong:
                    faults += wrong
            elif self._strict:
                fault = unknown_key(node.keys[name], name, self.name, self._raw.keys() - value.keys(), missing)
                meant.add(fault.meant)
                faults.append(misspelt_tag(node.keys[name], fault.meant) if fault.meant in self.tags() else fault)
            elif self._extra and not isinstance(name, str):
                faults.append(wrong_kind(node.keys[name], str(name), "str"))
        for name in missing:
            if name not in meant:
                shape = self.field(name)
                faults.append(missing_key(node, name, self.name, shape.hint() if shape else "…"))
        if any(fault.tag for fault in faults) and self._is_named(node):
            # The value is of this model: what is at fault below it does not say otherwise.
            return [replace(fault, tag="") for fault in faults]
        return faults

    def _is_named(self, node: Node) -> bool:
        return any(key in node.value and node.value[key].value in values for key, values in self.tags().items())

    def hint(self) -> str:
        return "{…}"
