"""Lines out of an engine's output, in bounded memory: a very long one comes in pieces, none of which cuts a secret."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

from penstock_runtime.container.redact import Redactor

LINE_BYTES = 256 * 1024 - 26
"""The longest line, in UTF-8; a longer one becomes several. The log driver makes one event of as much (Docker's awslogs
driver and Fargate's amazon-ecs-shim-loggers-for-containerd: maximumBytesPerEvent); CloudWatch Logs itself takes 1 MB
(API Reference, PutLogEvents)."""
_MOST_BYTES_PER_CHARACTER = 4


class Lines:
    """Cuts text into lines."""

    def __init__(self, clean: Callable[[str], str], redactor: Redactor) -> None:
        """
        Args:
            clean: what is done to text before secrets are looked for.
            redactor: knows where a line must not be cut.
        """
        self._clean, self._redactor = clean, redactor
        self._held = io.StringIO()
        self._split = self._hiding = False

    def feed(self, text: str) -> Iterator[tuple[str, bool]]:
        """The lines that end in the text, and pieces of one that is too long: each with whether it is a whole line."""
        *ended, rest = text.split("\n")
        for line in ended:
            if self._held.tell() or self._split or len(line) > LINE_BYTES // _MOST_BYTES_PER_CHARACTER:
                yield from self._end(line)
            else:
                yield self._clean(line.rstrip("\r")), True
        if rest and not self._hiding:
            self._held.write(rest)
            if self._held.tell() > LINE_BYTES + self._redactor.longest:
                yield from self._pieces(ends=False)

    def hide_the_rest(self) -> None:
        """Leave out what comes up to the next end of a line: its beginning is not known, which may be a secret's."""
        self._hiding = self._split = True

    def end(self) -> Iterator[tuple[str, bool]]:
        """The last line, if it has no end."""
        if self._held.tell():
            yield from self._end("")

    def _end(self, rest: str) -> Iterator[tuple[str, bool]]:
        if not self._hiding:
            self._held.write(rest)
            yield from self._pieces(ends=True)
        self._split = self._hiding = False

    def _pieces(self, *, ends: bool) -> Iterator[tuple[str, bool]]:
        text = self._take()
        text = self._clean(text.rstrip("\r") if ends else text)
        while (at := _fitting(text)) < len(text):
            if not ends and len(text) - at < self._redactor.longest:
                # The end of a secret that begins before the cut may not be here yet.
                break
            at = self._cut(text, at)
            # A secret whose end is open, at the end of what is here: all that follows may belong to it.
            self._hiding = not ends and at == len(text)
            self._split = True
            yield text[:at], False
            text = text[at:]
        if not ends:
            self._held.write(text)
        elif text or not self._split:
            yield text, not self._split

    def _cut(self, text: str, at: int) -> int:
        """The last place up to `at` that is in no secret; if there is none, the first one behind it."""
        for start, end in self._redactor.spans(text):
            if start < at < end:
                return start or end
        return at

    def _take(self) -> str:
        text = self._held.getvalue()
        self._held = io.StringIO()
        return text


def _fitting(text: str) -> int:
    """How many of the first characters fit into `LINE_BYTES`."""
    head = text[:LINE_BYTES]
    return len(head) if head.isascii() else len(head.encode("utf-8", "replace")[:LINE_BYTES].decode("utf-8", "ignore"))
