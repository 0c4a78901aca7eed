"""A value that may be of several shapes, and which of them was meant where it is of none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.project.document.composer import Node
from penstock.project.openmetadata.shapes.faults import (
    Fault,
    alike,
    merged_kinds,
    merged_tags,
    missing_tag,
    misspelt_tag,
    wrong_value,
)
from penstock.project.openmetadata.shapes.structures import Model
from penstock.project.openmetadata.shapes.values import Lookup, Shape


class Union(Shape):
    """Any of several shapes. Of models that one key tells apart, only those are looked at that the key names."""

    __slots__ = ("_branches", "_by_tag", "_others", "_tag")

    def __init__(self, raw: Mapping[str, Any], shapes: Lookup) -> None:
        super().__init__(raw, shapes)
        self._branches = [shapes.at(index) for index in raw["of"]]
        self._tag: str | None = None
        self._by_tag: dict[str, list[Shape]] = {}
        self._others: list[Shape] = []

    def _find_tag(self) -> str:
        """The key that tells most of the models apart, empty where none does. Looked for when first needed: a model may
        hold a union that it is in."""
        tags = [branch.tags() if isinstance(branch, Model) else {} for branch in self._branches]
        counted = Counter(key for keys in tags for key in keys)
        self._tag = next((key for key, count in counted.most_common(1) if count > 1), "")
        for branch, keys in zip(self._branches, tags, strict=True):
            for value in keys.get(self._tag, ()):
                self._by_tag.setdefault(value, []).append(branch)
            if self._tag not in keys:
                self._others.append(branch)
        return self._tag

    def fits(self, node: Node) -> bool:
        branches, _ = self._candidates(node)
        return any(branch.fits(node) for branch in branches)

    def _candidates(self, node: Node) -> tuple[Sequence[Shape], Node | None]:
        """The shapes that a value may have, and the node that names one."""
        key = self._find_tag() if self._tag is None else self._tag
        tag = node.value.get(key) if key and isinstance(node.value, dict) else None
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
            if self._tag and tag.value not in self._by_tag:
                tried.append([wrong_value(tag, self._tag, self._by_tag, tag=True)])
        elif self._tag and isinstance(node.value, dict) and self._tag not in node.value:
            tried.append([self._untagged(node, self._tag)])
            tried = tried[-1:] if len(self._by_tag) > len(self._others) else tried
        return _nearest(node, key, tried)

    def _untagged(self, node: Node, tag: str) -> Fault:
        misspelt = next((name for name in node.value if alike(str(name), [tag])), None)
        return missing_tag(node, tag, self._by_tag) if misspelt is None else misspelt_tag(node.keys[misspelt], tag)


def _nearest(node: Node, key: str, tried: list[Sequence[Fault]]) -> Sequence[Fault]:
    """The faults of the shape that was most likely meant."""
    of_kind = [faults for faults in tried if not (len(faults) == 1 and faults[0].expected and faults[0].node is node)]
    if not of_kind:
        return (merged_kinds(node, key, [faults[0] for faults in tried]),)
    untagged = [faults for faults in of_kind if not any(fault.tag for fault in faults)]
    if not untagged:
        named = [next(fault for fault in faults if fault.tag) for faults in of_kind]
        if all(fault.node is named[0].node for fault in named):
            return (merged_tags(named),)
    return min(untagged or of_kind, key=lambda faults: sum(fault.rank for fault in faults))
