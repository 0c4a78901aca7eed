"""Keeps secrets out of logs: their values are replaced in everything that a container of ours prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from penstock_runtime.container import spellings
from penstock_runtime.container.secret_parts import SHORTEST, parts

MASK = "***"

_TELLING_CORE = 3
"""Characters. A shorter core is in nearly every line: then the text is looked for at once."""


class _Text:
    """One text to mask, and what its spellings have in common."""

    def __init__(self, text: str, rest: str = "") -> None:
        self.text, self._rest = text, rest
        self.core = spellings.core(text)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Made when it is first needed: most texts are in no line."""
        return re.compile(spellings.spelled(self.text) + self._rest)


class Redactor:
    """Masks values in text: each with its parts (`secret_parts`), in all `spellings`.

    One search tells of nearly every line that no secret is in it.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = [parts(secret) for secret in secrets]
        values = dict.fromkeys(text for one in found for text in one.masked)
        lines = dict.fromkeys(line for one in found for line in one.lines if line not in values)
        texts = [_Text(text) for text in (*values, *lines)]
        # Nobody writes one line of a key in base64.
        texts += [_Text(one, spellings.BASE64_REST) for text in values for one in spellings.in_base64(text)]
        # The longest first: a secret may begin with another one.
        self._texts = sorted(texts, key=lambda one: len(one.text), reverse=True)
        cores = {one.core for one in texts}
        self._hint = re.compile("" if any(len(one) < _TELLING_CORE for one in cores) else spellings.any_of(cores))

    def __call__(self, line: str) -> str:
        """The line with `***` for every value in it."""
        if self._texts and self._hint.search(line):
            for one in self._texts:
                if one.core in line:
                    line = one.pattern.sub(MASK, line)
        return line


def notices(secrets: Mapping[str, str]) -> list[str]:
    """What to know of how secrets are masked: which are not, and which hold what nobody sees. Names, never values.

    Args:
        secrets: name and value of each.
    """
    short = [name for name, value in secrets.items() if value and len(value.strip()) < SHORTEST]
    padded = [name for name, value in secrets.items() if value != value.strip() and not value.strip().count("\n")]
    told = []
    if short:
        told.append(f"not masked in this log, being shorter than {SHORTEST} characters: {', '.join(short)}")
    for name, value in secrets.items():
        if count := parts(value).shown:
            told.append(f"not masked in this log: {count} short or common values inside {name}")
    if padded:
        told.append(f"there is white space or a line end at the beginning or end of the value of {', '.join(padded)}")
    return told
