"""Every spelling in which well-known programs print a text, as a regular expression.

A text is spelled character by character, because encoders differ in the characters that they leave alone:
`urllib.parse.quote` and `quote_plus`, SQLAlchemy, `encodeURIComponent` and Java's `URLEncoder` all differ.

Two rules keep the search linear: characters that no encoder touches are literal, and a run of one character is spelled
one way throughout, so that no line can be split into the same spelling in two ways.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Iterable, Iterator
from itertools import groupby

_UNTOUCHED = frozenset(string.ascii_letters + string.digits + "-_.")
"""No encoder of a URL, JSON, XML, SQL, a shell or Python writes these in another way."""
_WORD = re.compile(r"[A-Za-z0-9._-]+")

_BACKSLASH = r"\\|%(?:25){0,2}5[cC]"
"""The second: JSON in a URL."""
_LEAD = f"(?:{_BACKSLASH}){{1,8}}"
"""Backslashes before an escaped character: one, three or seven where JSON or a repr is in another, twice at most."""

_NAMED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\a": "a", "\0": "0"}
_ENTITIES = {'"': "quot", "'": "apos", "<": "lt", ">": "gt", "&": "amp"}
_SINGLE_QUOTES = ("'\"'\"'", r"'\\''")
"""A single quote in shlex.quote, and in a shell by hand."""
_DOUBLED = frozenset("'\"%")
"""SQL; CSV and SQL identifiers; a format string."""
_ESCAPED_FOR_HTML = frozenset("\"'&<>=+/`")
"""By JSON encoders of Go, Java and .NET, in hexadecimal."""

_MOST_SPELLED = 150
"""Runs of a text that are spelled: an expression for 10 KiB of YAML takes seconds to compile. Whatever follows that
much of a secret on its line counts as its rest."""

_LONGEST_SPELLING = 256
"""Characters that one may take: four bytes as `x..` each, with up to eight backslashes of seven characters in front."""

BASE64_FROM = 8
"""Bytes. What is left of a shorter value between its neighbours in base64 is found in many a hash."""
_BASE64_CORE = 32
"""Characters that are looked for; what follows them in base64 belongs to it."""
BASE64_REST = "(?:[A-Za-z0-9+/=_-]|%[0-9A-Fa-f]{2})*"


def spelled(text: str) -> str:
    """The expression for a text, in all spellings but base64."""
    runs = [(char, len(list(run))) for char, run in groupby(text)]
    parts, specials, after_backslash = [], 0, False
    for char, count in runs:
        if char in _UNTOUCHED:
            parts.append(re.escape(char * count))
        else:
            specials += 1
            if specials > _MOST_SPELLED:
                parts.append("(?s:.*)")
                break
            parts.append(_run(char, count, after_backslash))
        after_backslash = char == "\\"
    return "".join(parts)


def longest(text: str) -> int:
    """Characters that `spelled` matches at most, but for the open end of a text with very many signs."""
    total = specials = 0
    for char, run in groupby(text):
        specials += char not in _UNTOUCHED
        if specials > _MOST_SPELLED:
            break
        total += len(list(run)) * (1 if char in _UNTOUCHED else _LONGEST_SPELLING)
    return total


def core(text: str) -> str:
    """The longest part of a text that is in all its spellings; empty if there is none."""
    return max(_WORD.findall(text), key=len, default="")


def in_base64(text: str) -> Iterator[str]:
    """How a text begins in base64, also inside a longer one: `user:password` of HTTP's Basic login.

    Where it begins within a group of three bytes is not known, so there are three ways, and two alphabets. The
    character that it shares with what stands before it is left out.
    """
    data = _utf8(text)
    if len(data) < BASE64_FROM:
        return
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode()
        # Characters of six bits: from the first to the last that this text alone decides.
        part = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6][:_BASE64_CORE]
        yield from dict.fromkeys((part, part.translate(str.maketrans("+/", "-_"))))


def any_of(words: Iterable[str], *, depth: int = 3) -> str:
    """An expression for any of these words, as a tree by their first characters: fast for hundreds of them."""
    by_char: dict[str, list[str]] = {}
    for word in sorted(set(words)):
        by_char.setdefault(word[:1], []).append(word[1:])
    if "" in by_char:
        # The others begin with this one.
        return ""
    alternatives = []
    for char, rests in by_char.items():
        inner = any_of(rests, depth=depth - 1) if depth else "|".join(map(re.escape, rests))
        alternatives.append(re.escape(char) + (f"(?:{inner})" if len(rests) > 1 else inner))
    return "|".join(alternatives)


def _run(char: str, count: int, after_backslash: bool) -> str:
    """The expression for a run of one character, which no encoder leaves alone.

    Args:
        after_backslash: the backslashes before it are matched already, those of its own escape too.
    """
    if char == "\\":
        # With those that escape the next character: a second expression for them could split a run in many ways.
        return f"(?:{_BACKSLASH}){{{count},{8 * count + 7}}}"
    once, codes = _plain(char), "|".join(_codes(char))
    escaped = f"|(?:{_BACKSLASH}){{1,8}}(?:{codes})" if codes else ""
    unit = f"(?:(?:{_BACKSLASH}){{0,8}}(?:{once}){escaped})"
    if after_backslash:
        first = f"(?:{once}{'|' if codes else ''}{codes})"
        spelled = first + (f"{unit}{{{count - 1}}}" if count > 1 else "")
    else:
        spelled = unit + (f"{{{count}}}" if count > 1 else "")
    return f"(?:{'|'.join((*_doubled(char, count), spelled))})"


def _plain(char: str) -> str:
    """The alternatives for a character except those with backslashes, each with its own beginning."""
    codes = "".join(f"%(?:25){{0,2}}{_hex(byte, 2)}" for byte in _utf8(char))
    number = f"#0{{0,4}}{ord(char)}|#[xX]0{{0,4}}{_hex(ord(char))}"
    if char == "%":
        return r"%(?:25){0,3}"
    if char == "&":
        return f"&(?:amp;){{0,3}}|&(?:amp;)?(?:{number});|{codes}"
    alternatives = [re.escape(char), codes]
    if char == " ":
        alternatives.append(r"\+")
    if char == "\n":
        alternatives.append(r"\r\n")
    if char in _ENTITIES:
        alternatives.append(f"&(?:amp;){{0,2}}(?:{_ENTITIES[char]}|{number});")
    elif not (char.isascii() and char.isprintable()):
        alternatives.append(f"&(?:amp;){{0,2}}(?:{number});")
    return "|".join(alternatives)


def _doubled(char: str, count: int) -> Iterator[str]:
    """The spellings of a whole run in which a character becomes several."""
    if char == "'":
        yield from (f"(?:{quote}){{{count}}}" for quote in _SINGLE_QUOTES)
    if char in _DOUBLED:
        # JSON in CSV, a repr in SQL: escaped, then doubled.
        yield f"(?:(?:{_BACKSLASH}){{0,8}}{re.escape(char * 2)}){{{count}}}"
    if not char.isascii():
        # From a program that prints in another character set.
        yield rf"(?:\ufffd|\?){{{count},{4 * count}}}"


def _codes(char: str) -> Iterator[str]:
    """What follows the backslashes instead of the character itself: in JSON, or a repr of text or bytes."""
    if char in _NAMED:
        yield _NAMED[char]
    if char in _ESCAPED_FOR_HTML or not (char.isascii() and char.isprintable()):
        units = char.encode("utf-16-be", "surrogatepass")
        pairs = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
        yield _LEAD.join(f"u{_hex(pair, 4)}" for pair in pairs)
    if not (char.isascii() and char.isprintable()):
        yield _LEAD.join(f"x{_hex(byte, 2)}" for byte in _utf8(char))
    if 0x80 <= ord(char) < 0x100:
        yield f"x{_hex(ord(char), 2)}"
    if ord(char) > 0xFFFF:
        yield f"U{_hex(ord(char), 8)}"


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Half a character, as JSON may write one.
        return text.encode("utf-8", "surrogatepass")


def _hex(number: int, digits: int = 1) -> str:
    """A number in hexadecimal digits of either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{number:0{digits}x}")
