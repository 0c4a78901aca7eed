"""YAML events to nodes that know where they stand.

PyYAML's (libyaml's) parser gives events; the composer builds the nodes itself, without recursion, because it must keep
marks, refuse what `yaml.safe_load` lets through (duplicate keys, tags) and stop early at files that are deep, or small
but explode ("billion laughs"). Scalars mean what they mean to the tool that reads the file (`yaml_meaning`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from penstock.project.document.positions import Lines
from penstock.project.document.problems import shown
from penstock.project.document.yaml_fixes import hidden_at_the_start, invisible
from penstock.project.document.yaml_meaning import YAML_1_1, Meaning
from penstock_runtime.errors import InputError

MAX_NODES = 100_000
"""Nodes of a file, every alias counted as what it stands for."""
MAX_TEXT = 8 * 1024 * 1024
"""Characters of a file's scalars, every alias counted as what it stands for."""
MAX_DEPTH = 64
MAX_NUMBER = 1000
"""Characters of a number. `1:1:1:…` of YAML 1.1 takes time that grows with the square of its length."""

_MERGE = object()
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TooManyValuesError(InputError):
    """A file holds more values than it may."""


@dataclass(slots=True, eq=False)
class Node:
    """One value of the file. `value` is a scalar's meaning, a list of nodes, or a dict of nodes."""

    line: int
    column: int
    start: int
    end: int
    value: Any
    text: str | None = None
    """A scalar as written, without quotes; None for lists and mappings."""
    keys: dict[Any, Node] = field(default_factory=dict)
    """Of a mapping: where each key stands."""
    weight: int = 1
    """Nodes in it and itself, every alias counted as what it stands for."""
    height: int = 1
    size: int = 0
    """Characters of the scalars in it, every alias counted as what it stands for."""

    def plain(self) -> Any:
        """The value as Python data."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is still open."""

    node: Node
    key: Node | None = None
    """The key that waits for its value."""
    merged: list[Node] = field(default_factory=list)
    """What `<<` names, the first wins."""


class Composer:
    """Builds the nodes of one file."""

    def __init__(self, name: str, text_keys: bool, max_nodes: int = MAX_NODES, meaning: Meaning = YAML_1_1) -> None:
        self._name, self._text_keys, self._max_nodes = name, text_keys, max_nodes
        self._scalars = meaning
        self._anchors: dict[str, Node] = {}
        self._open: list[_Frame] = []
        self._nodes = self._text = 0
        self._root: Node | None = None

    def compose(self, text: str) -> Node | None:
        """The root node, or None where the file holds nothing.

        Raises:
            InputError: something that this module refuses.
            yaml.YAMLError: the text is not YAML.
        """
        self._lines = Lines(text)
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._start(event)
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self._end(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                if self._root is not None:
                    raise self._error(event, "a second document starts here", "keep one document in a file")
                if event.version == (1, 1):
                    self._scalars = YAML_1_1
        return None if self._root is None or self._root.value is None else self._root

    def _error(self, place: Any, what: str, fix: str) -> InputError:
        line, column = self._lines.place(place.start_mark)
        return InputError(what, fix=fix, where=f"{self._name}:{line + 1}:{column + 1}")

    def _new(self, event: Any, value: Any, text: str | None = None) -> Node:
        if event.tag is not None:
            what = f"the YAML tag {event.tag[:60]} is not allowed"
            raise self._error(event, what, "remove the tag, or quote the text if it begins with !")
        line, column = self._lines.place(event.start_mark)
        node = Node(line, column, event.start_mark.index, event.end_mark.index, value, text)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any) -> None:
        if "\0" in event.value:
            raise self._error(event, "a text with the character U+0000 in it is not allowed", "remove the escape")
        node = self._new(event, event.value, event.value)
        node.size = len(event.value)
        plain = event.implicit[0]
        if plain and (hidden := hidden_at_the_start(event.value)):
            problem = invisible(hidden, "before the text")
            raise self._error(event, problem.what, problem.fix)
        frame = self._open[-1] if self._open else None
        is_key = frame is not None and isinstance(frame.node.value, dict) and frame.key is None
        if plain and is_key and event.value == "<<":
            node.value = _MERGE
        elif plain and not (is_key and self._text_keys):
            node.value = self._meaning(event)
        self._attach(node, event)

    def _meaning(self, event: Any) -> Any:
        text: str = event.value
        resolvers = self._scalars.resolvers.get(text[:1], ())
        tag = next((tag for tag, pattern in resolvers if pattern.match(text)), "")
        if tag == "tag:yaml.org,2002:null":
            return None
        if tag not in self._scalars.construct:
            return text
        try:
            if len(text) > MAX_NUMBER:
                raise ValueError
            return self._scalars.construct[tag](yaml.ScalarNode(tag, text))
        except (ValueError, OverflowError):
            kind = {"timestamp": "date", "int": "number", "float": "number"}[tag.rsplit(":", 1)[-1]]
            raise self._error(
                event, f"{text[:40]!r} is not a valid {kind}", "correct it, or quote it to make it text"
            ) from None

    def _start(self, event: Any) -> None:
        node = self._new(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
        if len(self._open) >= MAX_DEPTH:
            raise self._too_deep(event)
        self._open.append(_Frame(node))

    def _end(self, event: Any) -> None:
        frame = self._open.pop()
        node = frame.node
        inner = node.value.values() if isinstance(node.value, dict) else node.value
        if event.end_mark.index > event.start_mark.index:
            node.end = event.end_mark.index
        else:
            # A block ends where the next token starts; its last value says where its text ends.
            ends = [child.end for child in inner if child.end <= event.end_mark.index]
            node.end = max([node.end, *ends])
        for merged in frame.merged:
            for key, value in merged.value.items():
                if key not in node.value:
                    node.value[key], node.keys[key] = value, merged.keys[key]
        self._attach(node, event)

    def _alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            what = f"there is no anchor &{event.anchor[:60]}"
            raise self._error(event, what, f"define it above, or quote the text: '*{event.anchor[:60]}'")
        if any(node is frame.node for frame in self._open):
            raise self._error(event, f"*{event.anchor[:60]} stands inside what it stands for", "write it out")
        self._attach(node, event)

    def _attach(self, node: Node, event: Any) -> None:
        self._nodes += node.weight if isinstance(event, yaml.AliasEvent) else 1
        if self._nodes > self._max_nodes:
            error = self._error(event, f"the file holds more than {self._max_nodes} values", "")
            raise TooManyValuesError(error.what, fix="split it, or use fewer aliases", where=error.where)
        self._text += node.size if isinstance(event, yaml.AliasEvent) or node.text is not None else 0
        if self._text > MAX_TEXT:
            what = f"the file's texts are longer than {MAX_TEXT} characters, each alias written out"
            raise self._error(event, what, "use fewer aliases, or shorter texts")
        if not self._open:
            self._root = node
            return
        frame = self._open[-1]
        parent = frame.node
        parent.weight += node.weight
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if len(self._open) + node.height > MAX_DEPTH:
            raise self._too_deep(event)
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif frame.key is None:
            self._key(frame, node, event)
        else:
            self._value(frame, node, event)

    def _key(self, frame: _Frame, key: Node, event: Any) -> None:
        if isinstance(key.value, dict | list):
            raise self._error(event, "a key is a list or a mapping", "use text as the key")
        if key.value is None:
            raise self._error(event, "a key is missing before ':'", "write the key")
        if key.value is not _MERGE and key.value in frame.node.keys:
            first = frame.node.keys[key.value].line + 1
            raise self._error(event, f"{shown(key.text)} is defined twice; first on line {first}", "keep one of them")
        frame.key = key
        if key.value is not _MERGE:
            frame.node.keys[key.value] = key

    def _value(self, frame: _Frame, value: Node, event: Any) -> None:
        key, frame.key = frame.key, None
        if key is None or key.value is not _MERGE:
            frame.node.value[key.value if key else None] = value
            return
        sources = value.value if isinstance(value.value, list) else [value]
        if not all(isinstance(source.value, dict) for source in sources):
            raise self._error(event, "<< must have a mapping, or a list of them", "name an anchor: <<: *name")
        frame.merged.extend(sources)

    def _too_deep(self, event: Any) -> InputError:
        return self._error(event, f"nested more than {MAX_DEPTH} levels deep", "make it flatter")
