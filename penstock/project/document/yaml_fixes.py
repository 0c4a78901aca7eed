"""What to do about a YAML file that cannot be read, where the parser's own words do not say: quote it, mostly."""

from __future__ import annotations

import re
import unicodedata

from penstock.problem import Problem

_INVISIBLE = re.compile("[\x85\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]")
"""Spaces that YAML does not take for spaces, and characters of no width: they come with text copied from a page."""
_OPENING, _CLOSING = "\u201c\u201e\u00ab\u2018\u201a", "\u201d\u201c\u00bb\u2019\u2018"
"""Typographic quotation marks, as word processors and web pages have them."""
_CURLY_QUOTED = re.compile(f"[{_OPENING}](.*)[{_CLOSING}]")
_CURLY_AHEAD = re.compile(f"(?:[:\\[{{,-]\\s+|^\\s*)[{_OPENING}]")
_TEXT_AHEAD = re.compile(r"""(?:[^\s:#]+:\s+|-\s+)(?P<text>["'].*)""")
_END_IN_FLOW = re.compile(r"\s*[,\]}]")
_LONGEST = 60


def advice(problem: str, context: str, line: str, column: int, start: int) -> Problem | None:
    """What is wrong, in other words than the parser's, and the fix; None: the parser's words will do.

    Args:
        problem: what the parser says.
        context: what it was doing.
        line: the line that it stopped on.
        column: where it stopped, from 0.
        start: where what it was doing begins on that line, from 0; `column` where it began on another one.
    """
    if hidden := _INVISIBLE.search(line[: len(line) - len(line.lstrip()) + 1]):
        return invisible(hidden[0], "in the indentation")
    if "escape character" in problem or "hexdecimal" in problem:
        text = _double_quoted(line[start:])
        if text is not None and '\\"' not in text:
            return Problem(
                "a backslash in double quotes begins an escape", f"write it in single quotes: {_single(text)}"
            )
        return Problem(
            "a backslash in double quotes begins an escape", "write each backslash twice, or use single quotes"
        )
    if "cannot start any token" in problem and column < len(line):
        return Problem(f"text cannot begin with {line[column]!r} without quotes", _quote(line, column))
    if context in ("while scanning an alias", "while scanning an anchor"):
        return Problem(f"text cannot begin with {line[start : start + 1]!r} without quotes", _quote(line, start))
    if _CURLY_AHEAD.search(line):
        return Problem("typographic quotation marks are text to YAML", "type straight ones, \" or '")
    if "did not find expected key" in problem and (text_ahead := _TEXT_AHEAD.search(line)):
        return Problem("more text behind the closing quote", f"quote all of it: {_single(_plain(text_ahead['text']))}")
    return None


def invisible(character: str, where: str) -> Problem:
    """What to say of a character that nobody sees."""
    name = unicodedata.name(character, "control character").lower()
    return Problem(
        f"an invisible character U+{ord(character):04X} ({name}) {where}", "delete it, and type a space if need be"
    )


def hidden_at_the_start(text: str) -> str | None:
    """The invisible character that a text begins with; None: it begins with none."""
    match = _INVISIBLE.match(text)
    return match[0] if match else None


def without_curly_quotes(text: str) -> str | None:
    """What stands between typographic quotes; None: the text is not in such."""
    match = _CURLY_QUOTED.fullmatch(text)
    return match[1] if match else None


def _quote(line: str, start: int) -> str:
    text = line[start:]
    in_flow = _opened(line[:start])
    if in_flow and (end := _END_IN_FLOW.search(text)):
        text = text[: end.start()]
    text = re.split(r"\s+#", text)[0].strip()
    return f"quote it: {_single(text)}" if 0 < len(text) <= _LONGEST else "put the text in single quotes"


def _opened(text: str) -> bool:
    """Whether a `{` or `[` is open at the end of a text."""
    plain = re.sub(r"""'[^']*'|"[^"]*\"""", "", text)
    return sum(plain.count(bracket) for bracket in "{[") > sum(plain.count(bracket) for bracket in "}]")


def _double_quoted(text: str) -> str | None:
    match = re.match(r'"((?:[^"\\]|\\.)*)"', text)
    return match[1] if match else None


def _plain(text: str) -> str:
    return text[:_LONGEST].rstrip()


def _single(text: str) -> str:
    """A text as YAML has it in single quotes."""
    return "'" + text.replace("'", "''") + "'"
