"""A YAML file that has been read: its text, its nodes, and where each of them stands."""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from penstock.problem import Problem
from penstock.project.document import yaml_fixes
from penstock.project.document.composer import MAX_NODES, Composer, Node
from penstock.project.document.positions import Lines
from penstock.project.document.yaml_meaning import YAML_1_1, Meaning
from penstock_runtime.errors import InputError

MAX_BYTES = 2 * 1024 * 1024
MAX_NAME = 200
"""Characters of a file's name that an error shows."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile("\r\n|[\r\n]")
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)
"""What git leaves in a file where two changes met."""


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
        return self._lines.line(node.line)

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self.text)

    def source(self, node: Node) -> str:
        """A node's text as the user wrote it, without the indentation around it."""
        first, *rest = _LINE_END.split(self.text[node.start : node.end].rstrip())
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


def find(root: Node, path: tuple[Any, ...]) -> Node | None:
    """The node at `path`; None where there is none."""
    node = root
    for step in path:
        if not isinstance(node.value, dict) or step not in node.value:
            return None
        node = node.value[step]
    return node


def read_text(path: Path, name: str, *, where: str = "") -> str:
    """The text of a UTF-8 file. `where` is the place that names it, for errors about the file as a whole.

    Raises:
        InputError: it is missing, not a file, too large, unreadable or not UTF-8.
    """
    data = read_bytes(path, name, where=where, advice="split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        line, column = Lines(before).at(len(before))
        raise InputError(
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            fix="save the file as UTF-8",
            where=f"{_short(name)}:{line + 1}:{column + 1}",
        ) from None


def read_bytes(path: Path, name: str, *, where: str = "", max_bytes: int = MAX_BYTES, advice: str) -> bytes:
    """A file's bytes, for a file of `max_bytes` at most. `advice` is the fix for a larger one.

    Raises:
        InputError: it is missing, not a file, too large or unreadable.
    """
    name = _short(name)
    where = where or name
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise InputError(f"{name} is {kind}", fix="name a file", where=where)
        data = _read(path, max_bytes)
        if len(data) > max_bytes:
            size = f"{max(status.st_size, len(data)) / 1024 / 1024:.1f} MiB"
            limit = f"{max_bytes // 1024 // 1024} MiB are the limit"
            raise InputError(f"{name} is too large: {size}, and {limit}", fix=advice, where=where)
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise InputError(f"{name} does not exist", fix="check the path", where=where) from None
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise InputError(f"{name} cannot be read: {reason}", fix="check the path", where=where) from None
    return data


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…"


def _read(path: Path, max_bytes: int) -> bytes:
    """A file's bytes, one more than `max_bytes` at most.

    A kernel's file has no size and may make its reader wait for ever; `O_NONBLOCK` makes that an error.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
        data = b""
        while len(data) <= max_bytes and (more := file.read(max_bytes + 1 - len(data))):
            data += more
        if more is None:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return data


def read_document(
    path: Path,
    name: str,
    *,
    where: str = "",
    text_keys: bool = False,
    max_nodes: int = MAX_NODES,
    meaning: Meaning = YAML_1_1,
) -> Document:
    """Read a YAML file; `text_keys` takes every key as text (`on` is not true).

    Raises:
        InputError: see `read_text` and `parse`.
    """
    text = read_text(path, name, where=where)
    return parse(text, name, text_keys=text_keys, max_nodes=max_nodes, meaning=meaning)


def parse(
    text: str, name: str, *, text_keys: bool = False, max_nodes: int = MAX_NODES, meaning: Meaning = YAML_1_1
) -> Document:
    """Read YAML text.

    Raises:
        InputError: no YAML, empty, more than one document, or something that the module's head says is refused.
    """
    text = text.removeprefix("\ufeff")
    if bad := _UNPRINTABLE.search(text):
        line, column = Lines(text).at(bad.start())
        raise InputError(
            f"character U+{ord(bad[0]):04X} is not allowed in YAML",
            fix="remove it, or write it as an escape in double quotes",
            where=f"{name}:{line + 1}:{column + 1}",
        )
    try:
        root = Composer(name, text_keys, max_nodes, meaning).compose(text)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, name, text) from None
    except yaml.YAMLError as error:
        raise InputError(f"not YAML: {error}", fix="correct the file", where=f"{name}:1:1") from None
    if root is None:
        raise InputError(f"{name} is empty", fix="write a mapping: `key: value` lines", where=f"{name}:1:1")
    return Document(name, text, root)


def _in_our_words(error: yaml.MarkedYAMLError, lines: Lines, line: int, column: int) -> Problem | None:
    began = lines.place(error.context_mark) if error.context_mark else (line, column)
    start = began[1] if began[0] == line else column
    return yaml_fixes.advice(error.problem or "", error.context or "", lines.line(line), column, start)


def _syntax(error: yaml.MarkedYAMLError, name: str, text: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    lines = Lines(text)
    line, column = lines.place(mark) if mark else (0, 0)
    where = f"{name}:{line + 1}:{column + 1}"
    problem = error.problem or error.context or "cannot be parsed"
    fix = "correct the syntax here or on the line above"
    if mark and (text[mark.index : mark.index + 1] == "\t" or "tab" in problem):
        fix = "indent with spaces; YAML allows no tabs"
    elif conflict := _CONFLICT.search(text):
        fix = f"settle the merge conflict on line {lines.at(conflict.start())[0] + 1}"
    elif mark and (known := _in_our_words(error, lines, line, column)):
        return replace(known, where=where).error()
    elif mark and "${" in lines.line(line):
        fix = "put the text that holds ${NAME} in quotes: inside {} and [] YAML needs them"
    elif "mapping values are not allowed" in problem:
        fix = "check the indentation, or quote the text that holds ': '"
    return InputError(f"not YAML: {problem}", fix=fix, where=where)
