"""A value of a YAML file against a shape: what pydantic would take, with the place of every fault.

A shape takes what pydantic takes in its lax mode, in which OpenMetadata's parser works: `"10"` is a number, `"yes"` is
true. Scalars are left to pydantic's own core; what is built of them is walked here, because a fault must be reported
where it stands. Text with `${NAME}` in it is filled when the task runs, and may become anything that a text can stand
for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.project.document.composer import Node
from penstock.project.openmetadata.shapes.faults import Fault
from penstock.project.openmetadata.shapes.structures import DictOf, ListOf, Model, Optional
from penstock.project.openmetadata.shapes.unions import Union
from penstock.project.openmetadata.shapes.values import Enum, Lookup, Scalar, Shape

_KINDS: dict[str, Callable[[Mapping[str, Any], Lookup], Shape]] = {
    "any": Shape,
    "optional": Optional,
    "enum": Enum,
    "list": ListOf,
    "dict": DictOf,
    "model": Model,
    "union": Union,
}
"""Kind of a shape → its class; the others are scalars."""


class Shapes:
    """The shapes of one version, made of their data when they are first looked at."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.package: str = data["package"]
        """The version of the package that they come from."""
        self.holds: Mapping[str, Any] = {key: data.get(key, {}) for key in ("sources", "steps")}
        """What the package has to run: see `export.sources` and `export.steps`."""
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
            shape = self._made[index] = _KINDS.get(raw["kind"], Scalar)(raw, self)
        return shape
