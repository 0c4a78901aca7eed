"""The variables that Meltano's files name, and those that its `.env` sets."""

from __future__ import annotations

import re
from pathlib import Path

from penstock.project.document.document import read_text
from penstock.project.document.files import is_file
from penstock_runtime.errors import InputError

REFERENCE = re.compile(r"(?P<escaped>\\)?\$(?:\{(?P<braced>\w+)\}|(?P<bare>[A-Z][A-Z0-9_]*))")
"""What Meltano fills: `${name}` and `$NAME`; not `$name`, and not what has a backslash before it (Meltano 4.4.1,
`ENV_VAR_PATTERN`)."""
_DOTENV_NAME = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=", re.MULTILINE)


def names_in(text: str) -> list[str]:
    """The names that Meltano fills in a text, in order."""
    return [match["braced"] or match["bare"] for match in REFERENCE.finditer(text) if not match["escaped"]]


def names_set_in(path: Path) -> frozenset[str]:
    """The names in a `.env`, and none of its values."""
    if not is_file(path):
        return frozenset()
    try:
        return frozenset(_DOTENV_NAME.findall(read_text(path, ".env")))
    except InputError:
        return frozenset()  # Meltano reports it where it is read at all
