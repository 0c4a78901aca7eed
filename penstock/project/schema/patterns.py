"""Patterns of values, each with words: an error says what to write, and no regular expression."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What an error says about a value that does not fit."""

    must_be: str
    """What the value must be, behind "must be "."""
    fix: str


_WORDS: dict[str, Words] = {}


def worded_pattern(pattern: str, must_be: str, fix: str) -> str:
    """The pattern, for `Field(pattern=…)`; pydantic's errors name it, and `words_of` finds its words again.

    Raises:
        ValueError: the same pattern has other words already.
    """
    words = Words(must_be, fix)
    if _WORDS.setdefault(pattern, words) != words:
        raise ValueError(f"{pattern} has other words already")
    return pattern


def words_of(pattern: str) -> Words:
    """The words of a pattern that `worded_pattern` has made; a test looks that each field's is one."""
    return _WORDS[pattern]
