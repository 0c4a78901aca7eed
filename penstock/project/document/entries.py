"""Edits of lists and mappings in a YAML file as text: an entry more, one less, one value changed.

As in `edit`, every byte outside of the edited part stays, and what comes out is read again: an edit that would change
anything else is refused, with what to write by hand. A comment stands where it stood, unless it is inside an entry
that is removed.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from penstock.project.document.composer import Node
from penstock.project.document.document import Document, parse
from penstock.project.document.edit import end_of, flow
from penstock.project.document.yaml_meaning import YAML_1_1, Meaning
from penstock_runtime.errors import InputError

_STEP = 2
"""Columns that a block is indented by."""
_COMMA = re.compile(r"\s*,[ \t]*")

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Entries:
    """A file whose entries are edited. Each method gives the text of the file after the edit.

    Every method raises `InputError` where the file is written in a way that this cannot edit; its fix holds what to
    write by hand.
    """

    document: Document
    meaning: Meaning = YAML_1_1
    text_keys: bool = True

    def append(self, key: str, entry: Mapping[str, Any]) -> str:
        """With an entry more at the end of the list `key` at the top of the file, which need not be there yet."""

        def change(data: dict[str, Any]) -> None:
            data[key] = [*(data.get(key) or []), _plain(entry)]

        return self._checked(self._appended(key, entry), change, f"add this to {key}: {flow(entry)}")

    def assign(self, path: Path, value: Any) -> str:
        """With `value` at `path`: a key of a mapping that is there, or that is missing at the top of the file."""

        def change(data: dict[str, Any]) -> None:
            inner: Any = data
            for step in path[:-1]:
                if isinstance(inner, dict) and inner.get(step) is None:
                    inner[step] = {}
                inner = inner[step]
            inner[path[-1]] = _plain(value)

        return self._checked(self._assigned(path, value), change, f"write it: {path[-1]}: {flow(value)}")

    def remove(self, path: Path) -> str:
        """Without the entry of a list, or of a mapping, at `path`."""

        def change(data: dict[str, Any]) -> None:
            inner: Any = data
            for step in path[:-1]:
                inner = inner[step]
            del inner[path[-1]]

        return self._checked(self._removed(path), change, "remove it")

    def _checked(self, text: str, change: Callable[[dict[str, Any]], None], fix: str) -> str:
        wanted = copy.deepcopy(self.document.root.plain())
        change(wanted)
        try:
            after = parse(text, self.document.name, text_keys=self.text_keys, meaning=self.meaning).root.plain()
        except InputError:
            after = None
        if after != wanted:
            raise InputError(
                "this cannot be edited without changing something else in the file",
                fix=f"edit it by hand: {fix}",
                where=self.document.where(self.document.root),
            )
        return text

    def _appended(self, key: str, entry: Mapping[str, Any]) -> str:
        text, root = self.document.text, self.document.root
        node = root.value.get(key)
        if node is None or not node.value:
            return self._begun(key, node, [" " * self._indent + line for line in self._item(entry)])
        last = node.value[-1]
        if text[node.start] == "[":
            return _splice(text, last.end, last.end, f", {flow(entry)}")
        column = self._column(_dash(text, last))
        written = [" " * column + line for line in self._item(entry)]
        stop = _last_line_end(text, last, column)
        return _splice(text, stop, stop, self._newline + self._newline.join(written))

    def _begun(self, key: str, node: Node | None, lines: list[str]) -> str:
        """The first entries of a list or mapping at the top of the file, in place of nothing, `null`, `[]` or `{}`."""
        text, root = self.document.text, self.document.root
        if node is None:
            written = self._newline.join([f"{key}:", *lines])
            return text.rstrip() + self._newline + written + self._newline
        name = root.keys[key]
        colon = text.index(":", name.end)
        stop = _line_end(text, max(node.end, colon + 1))
        comment = text[max(node.end, colon + 1) : stop].rstrip()
        return _splice(text, colon + 1, stop, self._newline.join([comment and f"  {comment.lstrip()}", *lines]))

    def _assigned(self, path: Path, value: Any) -> str:
        text = self.document.text
        parent = self._at(path[:-1])
        key = str(path[-1])
        if parent is None or not parent.value:
            return self._begun(str(path[0]), parent, [" " * _STEP + line for line in self._pair(key, value)])
        if not isinstance(parent.value, dict):
            return text
        old = parent.value.get(key)
        if text[parent.start] == "{":
            if old is not None:
                return _splice(text, old.start, old.end, flow(value))
            last = max(parent.value.values(), key=lambda node: node.end)
            return _splice(text, last.end, last.end, f", {key}: {flow(value)}")
        column = min(node.column for node in parent.keys.values())
        if old is None:
            last = max(parent.value.values(), key=end_of)
            stop = _last_line_end(text, last, column)
            lines = [" " * column + line for line in self._pair(key, value)]
            return _splice(text, stop, stop, self._newline + self._newline.join(lines))
        return self._replaced(parent.keys[key], old, column, value)

    def _replaced(self, name: Node, old: Node, column: int, value: Any) -> str:
        """Another value behind a key of a block mapping."""
        text = self.document.text
        if old.value is None or not isinstance(value, list | Mapping):
            colon = text.index(":", name.end)
            nothing = old.end <= colon + 1 or (old.value is None and not (old.text or ""))
            start, end = (colon + 1, colon + 1) if nothing else (old.start, _content_end(text, old))
            return _splice(text, start, end, (" " if nothing else "") + flow(value))
        if text[old.start] in "[{":
            return _splice(text, old.start, old.end, flow(value))
        first = _dash(text, old.value[0]) if isinstance(old.value, list) else old.start
        inner = self._column(first) if isinstance(old.value, list) else column + _STEP
        lines = [line for item in value for line in self._item(item)] if isinstance(value, list) else self._pairs(value)
        written = (self._newline + " " * inner).join(lines)
        if isinstance(old.value, list | dict):
            return _splice(text, first, _line_end(text, _content_end(text, old)), written)
        return _splice(text, old.start, old.end, flow(value))

    def _removed(self, path: Path) -> str:
        text = self.document.text
        parent = self._at(path[:-1])
        assert parent is not None
        entries = parent.value
        node: Node = entries[path[-1]]
        start = node.start if isinstance(entries, list) else parent.keys[path[-1]].start
        if text[parent.start] in "[{":
            return self._removed_in_line(parent, start, node.end)
        begin = _dash(text, node) if isinstance(entries, list) else start
        line = text.rfind("\n", 0, begin) + 1
        stop = _last_line_end(text, node, self._column(begin))
        after = text[:line] + _without_line_end(text[stop:])
        if len(entries) > 1 or len(path) < 2:
            return after
        outer = self._at(path[:-2])
        assert outer is not None
        colon = text.index(":", outer.keys[path[-2]].end)
        return _splice(after, colon + 1, colon + 1, " []" if isinstance(entries, list) else " {}")

    def _removed_in_line(self, parent: Node, start: int, end: int) -> str:
        """Out of a `[…]` or `{…}`, with one comma."""
        text = self.document.text
        if comma := _COMMA.match(text, end):
            return _splice(text, start, comma.end(), "")
        before = text[parent.start + 1 : start]
        kept = re.sub(r",\s*\Z", "", before)
        return text[: parent.start + 1] + kept + text[end:]

    def _at(self, path: Path) -> Node | None:
        node: Node | None = self.document.root
        for step in path:
            entries = node.value if node is not None else None
            if isinstance(entries, list) and isinstance(step, int):
                node = entries[step]
            else:
                node = entries.get(step) if isinstance(entries, dict) else None
        return node

    @cached_property
    def _indent(self) -> int:
        """How far the file's lists are indented below their keys: as the first one is; otherwise not at all."""
        level = [self.document.root]
        while level:
            for parent in level:
                for key, node in parent.value.items():
                    if isinstance(node.value, list) and node.value and self.document.text[node.start] != "[":
                        return self._column(_dash(self.document.text, node.value[0])) - parent.keys[key].column
            level = [node for parent in level for node in parent.value.values() if isinstance(node.value, dict)]
        return 0

    def _pairs(self, value: Mapping[str, Any]) -> list[str]:
        return [line for key, item in value.items() for line in self._pair(key, item)]

    def _pair(self, key: str, value: Any) -> list[str]:
        """Lines of `key: value`, in block style but for what is empty."""
        if isinstance(value, Mapping) and value:
            return [f"{key}:", *(" " * _STEP + line for line in self._pairs(value))]
        if isinstance(value, list) and value:
            return [f"{key}:", *(" " * self._indent + line for item in value for line in self._item(item))]
        return [f"{key}: {flow(value)}"]

    def _item(self, value: Any) -> list[str]:
        """Lines of one entry of a list."""
        lines = self._pairs(value) if isinstance(value, Mapping) and value else [flow(value)]
        return [f"- {lines[0]}", *(f"  {line}" for line in lines[1:])]

    def _column(self, position: int) -> int:
        return position - (self.document.text.rfind("\n", 0, position) + 1)

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.document.text else "\n"


def _plain(value: Any) -> Any:
    """Data as the file will hold it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _splice(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


def _without_line_end(text: str) -> str:
    """A text that begins with a line's end, without that."""
    return text.removeprefix("\r").removeprefix("\n")


def _dash(text: str, node: Node) -> int:
    """Where the `-` of a block list's entry stands."""
    return len(text[: node.start].rstrip()) - 1


def _content_end(text: str, node: Node) -> int:
    """Where what a node holds ends: a block scalar's mark is behind its line."""
    end = end_of(node)
    return len(text[:end].rstrip()) if text[end - 1 : end] in ("\n", "\r") else end


def _last_line_end(text: str, node: Node, column: int) -> int:
    """Where the last line of an entry ends, whose `-` or key is at `column`."""
    stop = _line_end(text, _content_end(text, node))
    # `<<: *other` leaves no node of its own.
    more = re.compile(rf"\r?\n {{{column + 1},}}[^\s#][^\r\n]*")
    while match := more.match(text, stop):
        stop = match.end()
    return stop


def _line_end(text: str, position: int) -> int:
    match = re.compile(r"\r?\n|\Z").search(text, position)
    assert match is not None
    return match.start()
