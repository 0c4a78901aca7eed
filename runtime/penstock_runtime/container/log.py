"""The container's log: the engine's lines, masked, and the container's own, on standard output.

Nothing that a line holds ends the log, and no line gets into it unmasked.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from penstock_runtime.container.lines import Lines
from penstock_runtime.container.output import Output, encoded
from penstock_runtime.container.redact import Redactor

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""CloudWatch and Airflow show the escape sequences instead of colours."""


def _count_nothing(_line: str) -> None:
    return


class Log:
    """Written by one thread at a time: first the main one, then the engine's reader, then the main one again."""

    def __init__(self, output: Output, redactor: Redactor, count: Callable[[str], None] = _count_nothing) -> None:
        """
        Args:
            count: gets each line of the engine before it is masked. A line that is so long that it comes in pieces is
                not one of those that report a count.
        """
        self.output, self.redactor, self.count = output, redactor, count
        self.lost_lines = 0
        """Lines of the engine that nobody has taken."""
        self._chunk, self._left, self._uncounted = b"", False, False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines: Lines | None = None

    def say(self, text: str, *, masked: bool = True) -> None:
        """A line of the container's own. What is not taken before `output.until` is left out."""
        self.output.write_line(self._masked(text) if masked else text)

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        """More of the engine's output; with `last`, its end."""
        self._chunk = chunk
        try:
            # Made at the first of them: by then all secrets are known.
            cut = self._lines = self._lines or Lines(_without_colours, self.redactor)
            text = self._decoder.decode(chunk, last)
            lines = [*cut.feed(text), *(cut.end() if last else ())]
            data = encoded("".join(self._shown(line, whole) + "\n" for line, whole in lines))
        except Exception as error:  # noqa: BLE001  the lines after these are still worth having
            self._lines = Lines(_without_colours, self.redactor)
            if not chunk.endswith(b"\n"):
                self._lines.hide_the_rest()
            notice = f"penstock: {len(chunk)} bytes of output are left out: they could not be read ({_kind(error)})"
            data = encoded(f"{notice}\n")
        if not self._left and (left := self.output.write(data)):
            self.lost_lines += data[-left:].count(b"\n")
        self._chunk = b""

    def leave(self) -> None:
        """Nothing of the engine is written from here on, though another thread is still busy with some of it."""
        self._left = True
        self.lost_lines += max(1, self._chunk.count(b"\n"))

    def _shown(self, line: str, whole: bool) -> str:
        if whole:
            try:
                self.count(line)
            except Exception as error:  # noqa: BLE001  a count too few does less harm than a log that ends here
                if not self._uncounted:
                    self._uncounted = True
                    told = (
                        f"penstock: the line before this one could not be counted, nor may others be ({_kind(error)})"
                    )
                    return f"{self._masked(line)}\n{told}"
        return self._masked(line)

    def _masked(self, line: str) -> str:
        try:
            return self.redactor(line)
        except Exception as error:  # noqa: BLE001  better a line too few than a secret in the log
            return f"penstock: a line of {len(line)} characters is left out: it could not be masked ({_kind(error)})"


def _without_colours(text: str) -> str:
    return _COLOUR.sub("", text)


def _kind(error: Exception) -> str:
    """Not its text, which may quote the line."""
    return type(error).__name__
