"""The container's regular expressions take time in proportion to the text: it may be a line of any engine's output.

They are found in the source, so that a new one is held to this too. Two repeats without a bound that can share
characters, one in the other or with nothing between them that tells them apart, try all ways to share them out. And a
search that fails begins again: a repeat that can run over many beginnings is tried from each of them.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]  what a pattern means, in no public name
from re import _parser  # type: ignore[attr-defined]  the same
from typing import Any

import pytest

import penstock_runtime.container

FOLDER = Path(penstock_runtime.container.__file__).parent
SEARCHES = frozenset({"compile", "search", "match", "fullmatch", "sub", "findall", "finditer", "split"})
CHARACTERS = string.printable + "é✓\x1b"
REASONED = {
    # Of at most 40 characters: its only use looks at the length first.
    r"[A-Za-z]*[0-9]*(?:[ _.-][A-Za-z]*[0-9]*)*": "secret_parts.py",
    # Matched at the beginning of a text only.
    r"[A-Za-z][A-Za-z0-9+.-]*://": "secret_parts.py",
    # Searched for in the first `s3.MOST_OF_AN_ERROR` bytes of an answer.
    r"<{}>(.*?)</{}>": "s3.py",
}
"""Patterns that only look slow, by the way in which they are used."""

Set = frozenset[str]
ALL: Set = frozenset(CHARACTERS)


def patterns() -> Iterator[tuple[str, str]]:
    """Every pattern that is written out, with its file; `{}` stands for what an f-string fills in."""
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr in SEARCHES
                and (text := _text(node.args[0])) is not None
            ):
                yield path.name, text


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore[misc]
    return None


def first_fault(pattern: str) -> str:
    """Why a search for a pattern may take longer than its text is long; empty if it does not."""
    tree = list(_parser.parse(pattern))
    return _ambiguous(tree, frozenset(), False)[0] or _restarts(tree)


def _ambiguous(tree: list[Any], open_set: Set, inside: bool) -> tuple[str, Set]:
    """A fault in a sequence, and what the repeat at its end may go on to take.

    Args:
        open_set: what a repeat before it may take.
        inside: whether the sequence is itself repeated without a bound.
    """
    for code, value in tree:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            least, most, inner = value
            taken = _characters(list(inner))
            if most == codes.MAXREPEAT:
                if open_set & taken:
                    return f"two repeats share {sorted(open_set & taken)[:3]}", open_set
                fault = _ambiguous(list(inner), frozenset(), True)[0]
                if fault or (inside and len(tree) == 1):
                    return fault or "a repeat is repeated", open_set
                open_set = taken | (frozenset() if least else open_set)
            elif least and not open_set & taken:
                open_set = frozenset()
        elif code == codes.SUBPATTERN:
            fault, open_set = _ambiguous(list(value[3]), open_set, inside)
            if fault:
                return fault, open_set
        elif code == codes.BRANCH:
            faults = [_ambiguous(list(branch), open_set, inside) for branch in value[1]]
            if fault := next((fault for fault, _ in faults if fault), ""):
                return fault, open_set
            open_set = frozenset().union(*(left for _, left in faults))
        elif code not in (codes.AT, codes.ASSERT, codes.ASSERT_NOT) and not open_set & _characters([(code, value)]):
            open_set = frozenset()
    return "", open_set


def _restarts(tree: list[Any]) -> str:
    """A search begins anew behind each beginning that fails: a repeat that can hold the beginning starts over there."""
    begin: list[Any] = []
    items = list(_flat(tree))
    for number, (code, value) in enumerate(items):
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT) and value[1] == codes.MAXREPEAT:
            again = all(_characters([item]) & _characters(list(value[2])) for item in begin)
            return "a repeat may start over at each of its characters" if items[number + 1 :] and again else ""
        if code not in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
            begin.append((code, value))
    return ""


def _flat(tree: list[Any]) -> Iterator[Any]:
    """The items of a sequence, those of its groups in their place."""
    for code, value in tree:
        if code == codes.SUBPATTERN:
            yield from _flat(list(value[3]))
        else:
            yield code, value


def _characters(tree: list[Any]) -> Set:
    """The characters that may be in what a sequence matches."""
    found: set[str] = set()
    for code, value in tree:
        if code == codes.LITERAL:
            found |= {chr(value)}
        elif code == codes.NOT_LITERAL:
            found |= ALL - {chr(value)}
        elif code == codes.ANY:
            found |= ALL
        elif code == codes.IN:
            found |= _of_class(value)
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            found |= _characters(list(value[2]))
        elif code == codes.SUBPATTERN:
            found |= _characters(list(value[3]))
        elif code == codes.BRANCH:
            found |= {each for branch in value[1] for each in _characters(list(branch))}
    return frozenset(found)


def _of_class(items: list[Any]) -> Set:
    negated = items[0][0] == codes.NEGATE
    found: set[str] = set()
    for code, value in items[negated:]:
        if code == codes.LITERAL:
            found |= {chr(value)}
        elif code == codes.RANGE:
            found |= {each for each in ALL if value[0] <= ord(each) <= value[1]}
        elif code == codes.CATEGORY:
            letter = {
                codes.CATEGORY_DIGIT: r"\d",
                codes.CATEGORY_NOT_DIGIT: r"\D",
                codes.CATEGORY_SPACE: r"\s",
                codes.CATEGORY_NOT_SPACE: r"\S",
                codes.CATEGORY_WORD: r"\w",
                codes.CATEGORY_NOT_WORD: r"\W",
            }[value]
            found |= {each for each in ALL if re.match(letter, each)}
    return ALL - found if negated else frozenset(found)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\btap-\S+\s+(?:INFO )?METRIC: (\{.*\})\s*$",
        r"failed: ([^(]+?) *\(",
        r"(a+)+b",
        r"x.*y.*z",
        r"\s+$",
        r"tap-\S+ METRIC",
        r"failed: ([^(]+)\(",
    ],
)
def test_knows_a_slow_pattern(pattern: str) -> None:
    """The ones that it is about, among them what once read the lines of Meltano's taps."""
    assert first_fault(pattern)


@pytest.mark.parametrize("pattern", [r"\x1b\[[0-9;]*m", r"failed: ([^(f]+)\(", r"[a-z]+", r"a{1,5}b{1,5}"])
def test_knows_a_fast_pattern(pattern: str) -> None:
    assert not first_fault(pattern)


def test_no_pattern_takes_longer_than_its_text_is_long() -> None:
    found = list(patterns())

    slow = {pattern: (name, fault) for name, pattern in found if (fault := first_fault(pattern))}

    assert len(found) > 8
    assert {pattern: name for pattern, (name, _) in slow.items() if pattern not in REASONED} == {}
    assert {pattern: name for name, pattern in found if pattern in REASONED} == REASONED
