"""A YAML file that has been read: its text, its nodes, and where each of them stands."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from penstock.project.composer import MAX_NODES, Composer, Node
from penstock_runtime.errors import InputError

MAX_BYTES = 2 * 1024 * 1024
MAX_NAME = 200
"""Characters of a file's name that an error shows."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What counts as the end of a line in YAML 1.1, and so in the parser's marks."""


@dataclass(frozen=True, eq=False)
class Document:
    """A YAML file that has been read."""

    name: str
    """The file as errors show it: relative to the project's folder."""
    text: str
    root: Node

    def where(self, node: Node) -> str:
        """`file:line:column` of a node, counted from 1."""
        return f"{self.name}:{node.line + 1}:{node.column + 1}"

    def line(self, node: Node) -> str:
        """The line on which a node starts, with its comment."""
        return self._lines[node.line] if node.line < len(self._lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        return _LINE_BREAK.split(self.text)

    def source(self, node: Node) -> str:
        """A node's text as the user wrote it, without the indentation around it."""
        first, *rest = _LINE_BREAK.split(self.text[node.start : node.end].rstrip())
        outer = " " * node.column
        return "\n".join([first, *(line.removeprefix(outer) for line in rest)]) + "\n"


def at(root: Node, path: tuple[Any, ...], *, key: bool = False) -> Node:
    """The node at `path`, or the last one on the way that exists; with `key`, the last key itself."""
    node = root
    for depth, step in enumerate(path):
        if isinstance(node.value, dict) and step in node.value:
            if key and depth == len(path) - 1:
                return node.keys[step]
            node = node.value[step]
        elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            break
    return node


def read_text(path: Path, name: str, *, where: str = "") -> str:
    """The text of a UTF-8 file. `where` is the place that names it, for errors about the file as a whole.

    Raises:
        InputError: it is missing, no file, too large, unreadable or not UTF-8.
    """
    name = name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…"
    where = where or name
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise InputError(f"{name} is {kind}", fix="name a file", where=where)
        if status.st_size > MAX_BYTES:
            size = f"{status.st_size / 1024 / 1024:.1f} MiB"
            raise InputError(f"{name} is too large: {size}, and 2 MiB are the limit", fix="split it", where=where)
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise InputError(f"{name} does not exist", fix="check the path", where=where) from None
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise InputError(f"{name} cannot be read: {reason}", fix="check the path", where=where) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise InputError(
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            fix="save the file as UTF-8",
            where=f"{name}:{line}:{column}",
        ) from None


def read_document(
    path: Path, name: str, *, where: str = "", text_keys: bool = False, max_nodes: int = MAX_NODES
) -> Document:
    """Read a YAML file; `text_keys` takes every key as text (`on` is not true).

    Raises:
        InputError: see `read_text` and `parse`.
    """
    return parse(read_text(path, name, where=where), name, text_keys=text_keys, max_nodes=max_nodes)


def parse(text: str, name: str, *, text_keys: bool = False, max_nodes: int = MAX_NODES) -> Document:
    """Read YAML text.

    Raises:
        InputError: no YAML, empty, more than one document, or something that the module's head says is refused.
    """
    text = text.removeprefix("\ufeff")
    if bad := _UNPRINTABLE.search(text):
        before = _LINE_BREAK.split(text[: bad.start()])
        raise InputError(
            f"character U+{ord(bad[0]):04X} is not allowed in YAML",
            fix="remove it, or write it as an escape in double quotes",
            where=f"{name}:{len(before)}:{len(before[-1]) + 1}",
        )
    try:
        root = Composer(name, text_keys, max_nodes).compose(text)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, name, text) from None
    except yaml.YAMLError as error:
        raise InputError(f"not YAML: {error}", fix="correct the file", where=f"{name}:1:1") from None
    if root is None:
        raise InputError(f"{name} is empty", fix="write a mapping: `key: value` lines", where=f"{name}:1:1")
    return Document(name, text, root)


def _syntax(error: yaml.MarkedYAMLError, name: str, text: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else f"{name}:1:1"
    problem = error.problem or error.context or "cannot be parsed"
    fix = "correct the syntax here or on the line above"
    if mark and (text[mark.index : mark.index + 1] == "\t" or "tab" in problem):
        fix = "indent with spaces; YAML allows no tabs"
    elif mark and "${" in _LINE_BREAK.split(text)[min(mark.line, text.count("\n"))]:
        fix = "put the text that holds ${NAME} in quotes: inside {} and [] YAML wants them"
    elif "mapping values are not allowed" in problem:
        fix = "check the indentation, or quote the text that holds ': '"
    return InputError(f"not YAML: {problem}", fix=fix, where=where)
