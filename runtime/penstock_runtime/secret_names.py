"""Which names say that their values are secrets."""

from __future__ import annotations

import re

_KEY_END = 100
"""Characters of a key that are considered, from its end: its last words say what it holds."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    {"password", "passwords", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets", "token", "tokens", "jwt"}
    | {"apikey"}
)
_PLAIN_KEYS = frozenset(
    {"primary", "foreign", "partition", "sort", "unique", "public", "natural", "surrogate", "business", "cluster"}
    | {"distribution", "object", "bucket", "kms"}
)


def is_secret_key(key: str) -> bool:
    """Whether the value of `key` counts as a secret: `password`, `jwtToken`, `secret_key`, `key`, …"""
    words = [word.lower() for word in _WORD.findall(key[-_KEY_END:])]
    if not words:
        return False
    if words[-1] == "key":
        return words[-2:-1] == [] or words[-2] not in _PLAIN_KEYS
    return words[-1] in _SECRET_WORDS
