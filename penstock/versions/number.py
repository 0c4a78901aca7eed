"""A version as Airflow and OpenMetadata number theirs, in three parts: read here, whoever compares it. Pure."""

from __future__ import annotations

import re

Version = tuple[int, ...]
"""`(3, 0, 6)`; compare it with a release line directly: `(2, 8, 9) < (2, 9) < (2, 9, 0)`."""

_THREE_PARTS = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})")
"""Of few digits: Python reads no number of more than 4,300 (`sys.get_int_max_str_digits`)."""


def parse(text: str) -> Version | None:
    """`(3, 0, 6)` of `3.0.6`; None: it is not a version of three parts."""
    match = _THREE_PARTS.fullmatch(text)
    return None if match is None else tuple(int(part) for part in match.groups())
