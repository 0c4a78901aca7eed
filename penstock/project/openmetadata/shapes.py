"""A value of a YAML file against a shape: what pydantic would take, with the place of every fault.

A shape takes what pydantic takes in its lax mode, in which OpenMetadata's parser works: `"10"` is a number, `"yes"` is
true. Scalars are left to pydantic's own core; what is built of them is walked here, because a fault must be reported
where it stands. Text with `${NAME}` in it is filled when the task runs, and may become anything that a text can stand
for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from pydantic_core import SchemaValidator

from penstock.project.composer import Node
from penstock.project.openmetadata.faults import (
    Fault,
    alike,
    merged_kinds,
    merged_tags,
    missing_key,
    missing_tag,
    unknown_key,
    wrong_kind,
    wrong_value,
)
from penstock_runtime.fill import PLACEHOLDER

_LIMITS = frozenset({"min_length", "max_length", "ge", "gt", "le", "lt", "pattern"})


class Shapes:
    """The shapes of one version, made of their data when they are first looked at."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.package: str = data["package"]
        """The version of the package that they come from."""
        self._raw: list[dict[str, Any]] = data["shapes"]
        self._roots: dict[str, int] = data["roots"]
        self._made: dict[int, Shape] = {}

    def faults(self, root: str, node: Node) -> Sequence[Fault]:
        """All that is wrong with a value as the root shape of that name."""
        shape = self.at(self._roots[root])
        return () if shape.fits(node) else shape.faults(node, "the file")

    def at(self, index: int) -> Shape:
        """One shape."""
        shape = self._made.get(index)
        if shape is None:
            raw = self._raw[index]
            shape = self._made[index] = _KINDS.get(raw["kind"], _Scalar)(raw, self)
        return shape


class Shape:
    """What a value may be. This one: anything.

    `fits` and `faults` say the same: most values fit, and `fits` is several times faster.
    """

    __slots__ = ("kind",)

    def __init__(self, raw: Mapping[str, Any], shapes: Shapes) -> None:
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


class _Scalar(Shape):
    __slots__ = ("_raw", "_takes")

    def __init__(self, raw: Mapping[str, Any], shapes: Shapes) -> None:
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

    def __init__(self, raw: Mapping[str, Any], shapes: Shapes) -> None:
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
        return (wrong_value(node, key, self.values),)

    def hint(self) -> str:
        return next(iter(self.values)) if len(self.values) == 1 else f"one of: {', '.join(sorted(self.values)[:20])}"


def may_become(text: str, values: Iterable[str]) -> bool:
    """Whether a text with `${NAME}`s may be one of `values` when they are filled."""
    parts = PLACEHOLDER.split(text)[::2]
    pattern = re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL)
    return len(parts) > 1 and any(pattern.fullmatch(value) for value in values)


class _Optional(Shape):
    __slots__ = ("inner",)

    def __init__(self, raw: Mapping[str, Any], shapes: Shapes) -> None:
        super().__init__(raw, shapes)
        self.inner = shapes.at(raw["of"])

    def fits(self, node: Node) -> bool:
        return node.value is None or self.inner.fits(node)

    def faults(self, node: Node, key: str) -> Sequence[Fault]:
        return () if node.value is None else self.inner.faults(node, key)

    def hint(self) -> str:
        return self.inner.hint()


class _List(Shape):
    __slots__ = ("_items", "_least", "_most")

    def __init__(self, raw: Mapping[str, Any], shapes: Shapes) -> None:
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


class _Dict(Shape):
    __slots__ = ("_keys", "_values")

    def __init__(self, raw: Mapping[str, Any], shapes: Shapes) -> None:
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
        found: list[Fault] = []
        for name, child in node.value.items():
            found += self._keys.faults(node.keys[name], str(name))
            found += self._values.faults(child, str(name))
        return found

    def hint(self) -> str:
        return "{…}"


class Model(Shape):
    """A mapping with keys that are known."""

    __slots__ = ("_extra", "_fields", "_raw", "_required", "_shapes", "_strict", "name")

    def __init__(self, raw: Mapping[str, Any], shapes: Shapes) -> None:
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
        found = {}
        for key in self._raw:
            shape = self.field(key)
            inner = shape.inner if isinstance(shape, _Optional) else shape
            if isinstance(inner, Enum) and len(inner.values) == 1:
                found[key] = inner.values
        return found

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
        found: list[Fault] = []
        meant: set[str] = set()
        missing = [name for name in self._required if name not in value]
        for name, child in value.items():
            shape = self._fields.get(name) or self.field(name)
            if shape is not None:
                wrong = shape.faults(child, name)
                if wrong:
                    found += wrong
            elif self._strict:
                fault = unknown_key(node.keys[name], name, self.name, self._raw.keys() - value.keys(), missing)
                found.append(fault)
                meant |= fault.known
            elif self._extra and not isinstance(name, str):
                found.append(wrong_kind(node.keys[name], str(name), "str"))
        for name in missing:
            if name not in meant:
                shape = self.field(name)
                found.append(missing_key(node, name, self.name, shape.hint() if shape else "…"))
        return found

    def hint(self) -> str:
        return "{…}"


class _Union(Shape):
    """Any of several shapes. Of models that one key tells apart, only those are looked at that the key names."""

    __slots__ = ("_branches", "_by_tag", "_others", "_tag")

    def __init__(self, raw: Mapping[str, Any], shapes: Shapes) -> None:
        super().__init__(raw, shapes)
        self._branches = [shapes.at(index) for index in raw["of"]]
        tags = {index: one.tags() for index, one in enumerate(self._branches) if isinstance(one, Model)}
        counted: dict[str, int] = {}
        for keys in tags.values():
            for key in keys:
                counted[key] = counted.get(key, 0) + 1
        tag = max(counted, key=lambda key: counted[key], default="")
        self._tag = tag if counted.get(tag, 0) > 1 else ""
        self._by_tag: dict[str, list[Shape]] = {}
        self._others: list[Shape] = []
        for index, branch in enumerate(self._branches):
            values = tags.get(index, {}).get(self._tag)
            if values is None:
                self._others.append(branch)
            for value in values or ():
                self._by_tag.setdefault(value, []).append(branch)

    def fits(self, node: Node) -> bool:
        branches, _ = self._candidates(node)
        return any(branch.fits(node) for branch in branches)

    def _candidates(self, node: Node) -> tuple[Sequence[Shape], Node | None]:
        """The shapes that a value may have, and the node that names one."""
        tag = node.value.get(self._tag) if self._tag and isinstance(node.value, dict) else None
        if tag is None or not isinstance(tag.value, str) or "${" in tag.value:
            return self._branches, None
        named = self._by_tag.get(tag.value, ())
        return (named if not self._others else [*named, *self._others]), tag

    def faults(self, node: Node, key: str) -> Sequence[Fault]:
        branches, tag = self._candidates(node)
        tried: list[Sequence[Fault]] = []
        for branch in branches:
            faults = branch.faults(node, key)
            if not faults:
                return ()
            tried.append(faults)
        if tag is not None:
            if tag.value not in self._by_tag:
                tried.append([wrong_value(tag, self._tag, self._by_tag, tag=True)])
        elif self._tag and isinstance(node.value, dict) and self._tag not in node.value:
            tried.append([self._untagged(node)])
            tried = tried[-1:] if len(self._by_tag) > len(self._others) else tried
        return _nearest(node, key, tried)

    def _untagged(self, node: Node) -> Fault:
        misspelt = next((one for one in node.value if alike(str(one), [self._tag])), None)
        return missing_tag(node, self._tag, self._by_tag, node.keys.get(misspelt))


def _nearest(node: Node, key: str, tried: list[Sequence[Fault]]) -> Sequence[Fault]:
    """The faults of the shape that was most likely meant."""
    of_kind = [faults for faults in tried if not (len(faults) == 1 and faults[0].expected and faults[0].node is node)]
    if not of_kind:
        return (merged_kinds(node, key, [faults[0] for faults in tried]),)
    untagged = [faults for faults in of_kind if not any(fault.tag for fault in faults)]
    if not untagged:
        places = [faults[0] for faults in of_kind if len(faults) == 1]
        if places and all(one.node is places[0].node for one in places):
            return (merged_tags(places),)
    return min(untagged or of_kind, key=lambda faults: sum(fault.rank for fault in faults))


_KINDS: dict[str, Callable[[Mapping[str, Any], Shapes], Shape]] = {
    "any": Shape,
    "optional": _Optional,
    "enum": Enum,
    "list": _List,
    "dict": _Dict,
    "model": Model,
    "union": _Union,
}
