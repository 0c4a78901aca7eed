"""A requirements file as pip reads it: lines joined, comments off, options apart.

Source: pip, "Requirements File Format"; what it leaves open is as in pip's own `pip/_internal/req/req_file.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")


@dataclass(frozen=True)
class PipLine:
    """One line for pip, which a backslash at its end may have spread over several of the file."""

    number: int
    """Of its first line in the file, from 1."""
    column: int
    """Where that begins to say something, from 1."""
    text: str
    """Without comments and spaces around it; never empty."""

    @property
    def package(self) -> str:
        """What is to be installed, without options behind it (`--hash=…`); empty: the line is one of options."""
        words = self.text.split(" ")
        ends = next((index for index, word in enumerate(words) if word.startswith("-")), len(words))
        return " ".join(words[:ends]).strip()

    @property
    def is_filled(self) -> bool:
        """Whether pip puts environment variables in (`${NAME}` in capitals): then nobody knows the text yet."""
        return _VARIABLE.search(self.text) is not None


def read(text: str) -> Iterator[PipLine]:
    """The lines of a file that say something."""
    for number, joined in _joined(text.splitlines()):
        without = _COMMENT.sub("", joined)
        if without.strip():
            yield PipLine(number, len(without) - len(without.lstrip()) + 1, without.strip())


def _joined(lines: list[str]) -> Iterator[tuple[int, str]]:
    first, parts = 0, list[str]()
    for number, line in enumerate(lines, 1):
        if not parts:
            first = number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            parts.append(line.strip("\\"))
            continue
        # A comment ends what a backslash began, and stays a comment.
        yield first, "".join([*parts, f" {line}" if is_comment and parts else line])
        parts.clear()
    if parts:
        yield first, "".join(parts)
