"""Keeps secrets out of logs: their values are replaced in everything that a container prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from penstock_runtime.container import spellings
from penstock_runtime.container.secret_parts import SHORTEST, parts

MASK = "***"

_TELLING_CORE = 3
"""Characters. A shorter core is in nearly every line: then the whole text is searched for at once."""


class _Text:
    """One text to mask, and what its spellings have in common."""

    def __init__(self, text: str, rest: str = "") -> None:
        self.text, self._rest = text, rest
        self.core = spellings.core(text)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when it is first needed: most texts are in no line."""
        return re.compile(spellings.spelled(self.text) + self._rest)


class Redactor:
    """Masks values in text: each with its parts (`secret_parts`), in all `spellings`.

    One search suffices to see that nearly every line has no secret in it.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        secret_parts = [parts(secret) for secret in secrets]
        values = dict.fromkeys(text for each in secret_parts for text in each.masked)
        lines = dict.fromkeys(line for each in secret_parts for line in each.lines if line not in values)
        texts = [_Text(text) for text in (*values, *lines)]
        # Not the lines: no program writes one line of a key in base64.
        texts += [_Text(encoded, spellings.BASE64_REST) for text in values for encoded in spellings.in_base64(text)]
        # The longest first: a secret may begin with another.
        self._texts = sorted(texts, key=lambda text: len(text.text), reverse=True)
        cores = {text.core for text in texts}
        self._hint = re.compile("" if any(len(core) < _TELLING_CORE for core in cores) else spellings.any_of(cores))

        self.longest = max((spellings.longest(text.text) for text in texts), default=0)
        """Characters that a value takes in its longest spelling, up to where an open end begins."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where values are in a text, from and to, in order; those that overlap are one. A cut belongs between them."""
        if not self._texts or not self._hint.search(text):
            return []
        found = [each.pattern.finditer(text) for each in self._texts if each.core in text]
        merged: list[tuple[int, int]] = []
        for start, end in sorted(match.span() for matches in found for match in matches):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def __call__(self, line: str) -> str:
        """The line with `***` for every value in it."""
        if self._texts and self._hint.search(line):
            for text in self._texts:
                if text.core in line:
                    line = text.pattern.sub(MASK, line)
        return line


def notices(secrets: Mapping[str, str]) -> list[str]:
    """How secrets are masked: which are not, and which have invisible characters. Names, never values.

    Args:
        secrets: name and value of each.
    """
    short = [name for name, value in secrets.items() if value and len(value.strip()) < SHORTEST]
    padded = [name for name, value in secrets.items() if value != value.strip() and not value.strip().count("\n")]
    texts = []
    if short:
        texts.append(f"not masked in this log, because they are shorter than {SHORTEST} characters: {', '.join(short)}")
    for name, value in secrets.items():
        if count := parts(value).shown:
            texts.append(f"not masked in this log: {count} short or common values inside {name}")
    if padded:
        texts.append(f"white space or a line end is at the beginning or end of the value of {', '.join(padded)}")
    return texts
