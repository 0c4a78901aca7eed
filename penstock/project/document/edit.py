"""Edits of a YAML file as text: one part is written, every other byte stays as its author left it.

Round-trip libraries write the whole file again and change its layout here and there. The nodes of a `Document` know
where they stand, so a part can be replaced in place. What comes out is read again and compared with what was wanted,
so an edit that meets something unforeseen (an anchor, a merge key) is refused and never half right.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import yaml

from penstock.project.document.composer import Node
from penstock.project.document.document import Document, parse
from penstock_runtime.errors import InputError

_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./:@+=-]*(?: [A-Za-z0-9_/-][A-Za-z0-9_./:@+=-]*)*")
_STEP = 2
"""Columns that a block is indented by."""


def put(document: Document, path: tuple[str, ...], value: Mapping[str, Any], *, without: Collection[str] = ()) -> str:
    """The text of the file with `value` at `path`, and without what is at these keys beside it.

    Args:
        path: keys from the top; those that are not there yet are added.
        value: texts and lists of texts by key.

    Raises:
        InputError: the file is written in a way that this cannot edit; the fix holds what to write by hand.
    """
    before = document.root.plain()
    wanted = _set(before, path, value, without)
    if before == wanted:
        return document.text
    text = _Edit(document, path, value, without).text()
    try:
        done = parse(text, document.name, text_keys=True).root.plain() == wanted
    except InputError:
        done = False
    if not done:
        raise InputError(
            f"{'.'.join(path)} cannot be written into this file without changing something else",
            fix=f"write it by hand: {path[-1]}: {flow(value)}",
            where=document.where(document.root),
        )
    return text


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    text = str(value)
    plain = _PLAIN.fullmatch(text) and not re.search(r":(?: |$)", text) and yaml.safe_load(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)


class _Edit:
    def __init__(
        self, document: Document, path: tuple[str, ...], value: Mapping[str, Any], without: Collection[str]
    ) -> None:
        # Marks count from behind a byte order mark, which the document's text does not hold.
        self._text, self._root = document.text, document.root
        self._newline = "\r\n" if "\r\n" in document.text else "\n"
        self._path, self._value, self._without = path, value, without

    def text(self) -> str:
        """The edited text."""
        chain = [self._root]
        for step in self._path[:-1]:
            inner = chain[-1].value.get(step) if isinstance(chain[-1].value, dict) else None
            if inner is None:
                break
            chain.append(inner)
        depth = len(chain) - 1
        key, value = self._path[depth], self._nested(depth + 1)
        parent = chain[-1]
        if not isinstance(parent.value, dict) or not parent.value:
            # `airflow:` with nothing, `{}` or a single value behind it.
            return self._splice(parent.start, parent.end, self._glue(parent) + flow({key: value}))
        # Only at the end of the path there are others to take out.
        gone = {key, *self._without} if depth == len(self._path) - 1 else {key}
        old = sorted((key for key in parent.value if key in gone), key=lambda key: parent.keys[key].start)
        if not self._is_flow(parent):
            return self._block(parent, key, value, old)
        if depth > 0 and len(old) == len(parent.value) and not self._is_flow(chain[-2]):
            return self._unfold(chain[-2].keys[self._path[depth - 1]], parent, key, value)
        return self._flow(parent, key, value, old)

    def _nested(self, depth: int) -> Any:
        value: Any = dict(self._value)
        for step in reversed(self._path[depth:]):
            value = {step: value}
        return value

    def _block(self, parent: Node, key: str, value: Any, old: list[str]) -> str:
        """Into a mapping of one key a line."""
        column = min(node.column for node in parent.keys.values())
        if not old:
            if parent is self._root:
                lines = self._lines(key, value, column)
                return self._text.rstrip() + self._newline + self._newline.join(lines) + self._newline
            first = min(parent.keys.values(), key=lambda child: child.start)
            written = (self._newline + " " * column).join(self._relative(key, value))
            return self._splice(first.start, first.start, written + self._newline + " " * column)
        text = self._text
        # From the end, so that earlier marks stay right.
        for name in reversed(old):
            start, end = parent.keys[name].start, end_of(parent.value[name])
            stop = self._end_of_line(end)
            if name != old[0]:
                begin = text.rfind("\n", 0, start) + 1
                text = text[:begin] + text[stop:].removeprefix("\r").removeprefix("\n")
                continue
            one_line = parent.keys[name].line == self._line_of(end)
            head, *rest = self._relative(key, value)
            comment = self._text[end:stop].rstrip() if one_line else ""
            written = (self._newline + " " * column).join([head + comment, *rest])
            text = text[:start] + written + text[stop:]
        return text

    def _unfold(self, name: Node, parent: Node, key: str, value: Any) -> str:
        """In place of a `{…}` that holds nothing else: as a block, since it would be a very long line."""
        stop = self._end_of_line(parent.end)
        comment = self._text[parent.end : stop].rstrip()
        lines = [f"{comment}", *self._lines(key, value, name.column + _STEP)]
        colon = self._text.index(":", name.end)
        return self._splice(colon + 1, stop, self._newline.join(lines))

    def _flow(self, parent: Node, key: str, value: Any, old: list[str]) -> str:
        """Into a `{…}` with other keys in it."""
        written = f"{key}: {flow(value)}"
        if not old:
            return self._splice(parent.start + 1, parent.start + 1, f"{written}, ")
        text = self._text
        for name in reversed(old):
            start, end = parent.keys[name].start, parent.value[name].end
            if name == old[0]:
                text = text[:start] + written + text[end:]
            else:
                before = text[:start].rstrip()
                text = before.removesuffix(",") + text[end:]
        return text

    def _lines(self, key: str, value: Any, column: int) -> list[str]:
        return [" " * column + line for line in self._relative(key, value)]

    def _relative(self, key: str, value: Any) -> list[str]:
        """Lines of `key: value` in block style, the first at column 0."""
        if not isinstance(value, Mapping):
            return [f"{key}: {flow(value)}"]
        return [f"{key}:", *(" " * _STEP + line for name, item in value.items() for line in self._relative(name, item))]

    def _is_flow(self, node: Node) -> bool:
        return self._text[node.start : node.start + 1] == "{"

    def _glue(self, node: Node) -> str:
        """A space, where a value comes right behind its colon."""
        return " " if self._text[node.start - 1 : node.start] == ":" else ""

    def _splice(self, start: int, end: int, text: str) -> str:
        return self._text[:start] + text + self._text[end:]

    def _end_of_line(self, position: int) -> int:
        match = re.compile(r"\r?\n|\Z").search(self._text, position)
        assert match is not None
        return match.start()

    def _line_of(self, position: int) -> int:
        return self._text.count("\n", 0, position)


def end_of(node: Node) -> int:
    """Where a value ends in the text; a block's own mark is only at what comes next, behind comments."""
    children = list(node.value.values()) if isinstance(node.value, dict) else node.value
    if isinstance(children, list) and children:
        return max(node.end if _closes(node, children) else 0, *(end_of(child) for child in children))
    return node.end


def _closes(node: Node, children: list[Node]) -> bool:
    """Whether it is a `{…}` or `[…]`: it starts before its first key or entry."""
    first = min([*node.keys.values(), *children], key=lambda child: child.start)
    return node.start < first.start


def _set(data: Any, path: tuple[str, ...], value: Mapping[str, Any], without: Collection[str]) -> Any:
    """The file's data as it should be afterwards."""
    result = copy.deepcopy(data)
    inner = result
    for step in path[:-1]:
        if not isinstance(inner.get(step), dict):
            inner[step] = {}
        inner = inner[step]
    for name in without:
        inner.pop(name, None)
    inner[path[-1]] = {key: list(item) if isinstance(item, tuple) else item for key, item in value.items()}
    return result
