"""Keeps secrets out of logs: their values are replaced in everything that a container of ours prints."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

MASK = "***"

SHORTEST = 4
"""Characters. A shorter value would be found in half of all words; it is no secret worth the name."""


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that masks these values in a line of text.

    A value of several lines (a private key) is masked line by line. Each is also masked as it looks in a URL and in
    JSON or a Python repr, which is how connection strings and error messages show it.
    """
    found: set[str] = set()
    for secret in secrets:
        for line in (secret, *secret.splitlines()):
            for form in (
                line,
                line.strip(),
                quote(line, safe=""),
                quote_plus(line),
                json.dumps(line)[1:-1],
                repr(line)[1:-1],
            ):
                if len(form) >= SHORTEST:
                    found.add(form)
    if not found:
        return lambda line: line
    # The longest first: a secret may begin with another one.
    pattern = re.compile("|".join(re.escape(form) for form in sorted(found, key=len, reverse=True)))
    return lambda line: pattern.sub(MASK, line)
