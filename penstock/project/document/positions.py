"""Where something stands in a text, as editors count: from YAML's marks, which count otherwise.

For YAML 1.1 a line also ends at U+0085, U+2028 and U+2029. Editors, `grep -n` and `git diff` show those as characters
within the line, and a person who looks for line 40 looks there.
"""

from __future__ import annotations

import bisect
import re
from functools import cached_property
from typing import Any

_END = re.compile("\r\n|\r|\n")
_OTHER_ENDS = re.compile("[\x85\u2028\u2029]")


class Lines:
    """The lines of one text, counted from 0."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._counted_alike = _OTHER_ENDS.search(text) is None

    def place(self, mark: Any) -> tuple[int, int]:
        """Line and column of a mark of the YAML parser's."""
        if self._counted_alike and mark.index < len(self._text):
            return mark.line, mark.column
        # The parser puts the end of a text that ends within a line on the line below, which is not there.
        return self.at(min(mark.index, len(self._text)))

    def at(self, index: int) -> tuple[int, int]:
        """Line and column of a character."""
        line = bisect.bisect_right(self._starts, index) - 1
        return line, index - self._starts[line]

    def line(self, number: int) -> str:
        """A line, with its comment, without its end; empty behind the last one."""
        if number >= len(self._starts):
            return ""
        end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self._text)
        return self._text[self._starts[number] : end].rstrip("\r\n")

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _END.finditer(self._text))]
