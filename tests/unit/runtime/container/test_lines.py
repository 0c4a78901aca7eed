"""How the engine's output becomes lines, and where a very long one is cut."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from re import _parser  # type: ignore[attr-defined]  what a pattern means, in no public name

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_runtime.container import lines as module
from penstock_runtime.container import spellings
from penstock_runtime.container.lines import LINE_BYTES, Lines
from penstock_runtime.container.redact import Redactor
from tests import canaries

SHORT = 40
"""Bytes of a line in tests, so that there are many cuts."""


def cut(text: str, redactor: Redactor, parts: int = 7) -> Iterator[tuple[str, bool]]:
    """The lines of a text that comes in parts."""
    lines = Lines(str, redactor)
    for at in range(0, len(text), parts):
        yield from lines.feed(text[at : at + parts])
    yield from lines.end()


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_BYTES", SHORT)


def test_lines_are_as_they_were_written() -> None:
    """Without their ends, of Windows too; empty ones, and a last one without an end."""
    lines = cut("one\r\n\ntwo\nthree \r\r\nlast", Redactor([]), 3)

    assert list(lines) == [("one", True), ("", True), ("two", True), ("three ", True), ("last", True)]


def test_a_line_as_long_as_the_log_takes_is_one() -> None:
    """One byte more, and it is two, neither of which is a whole line."""
    text = "x" * LINE_BYTES

    assert list(cut(f"{text}\nnext\n", Redactor([]), 65536)) == [(text, True), ("next", True)]
    assert list(cut(f"{text}y\nnext\n", Redactor([]), 65536)) == [(text, False), ("y", False), ("next", True)]
    assert list(cut(f"{text}{text}", Redactor([]), 65536)) == [(text, False), (text, False)]


@pytest.mark.parametrize("character", ["é", "✓", "\U0001f600"])
def test_the_bound_is_of_bytes(character: str) -> None:
    """As many characters as fit, none of them cut."""
    pieces = [text for text, _ in cut(character * LINE_BYTES, Redactor([]), 65536)]

    assert "".join(pieces) == character * LINE_BYTES
    assert all(LINE_BYTES - 4 < len(text.encode()) <= LINE_BYTES for text in pieces[:-1])


@pytest.mark.usefixtures("_short")
@given(
    before=st.integers(0, 3 * SHORT),
    after=st.integers(0, 3 * SHORT),
    form=st.sampled_from(sorted(canaries.forms(""))),
    parts=st.integers(1, 2 * SHORT),
    ends=st.booleans(),
)
def test_no_cut_goes_through_a_secret(before: int, after: int, form: str, parts: int, ends: bool) -> None:
    """Wherever it is, in each of its forms, however the output comes: masked piece by piece, nothing is left of it."""
    redactor = Redactor([canaries.PASSWORD])
    text = " " * before + canaries.forms(canaries.PASSWORD)[form].replace("\n", " ") + " " * after + "\n" * ends

    masked = "".join(redactor(piece) for piece, _ in cut(text, redactor, parts))

    assert "***" in masked
    assert [trace for trace in canaries.TRACES if trace.lower() in masked.lower()] == []
    assert masked.count(" ") >= before


@pytest.mark.usefixtures("_short")
@given(
    words=st.lists(st.sampled_from(["secret-one", "one-secret", "x", "secre", "-", "one"]), max_size=40),
    parts=st.integers(1, SHORT),
)
def test_pieces_are_masked_as_the_whole_line_would_be(words: list[str], parts: int) -> None:
    """With secrets that overlap, follow each other, and nearly are there."""
    redactor, line = Redactor(["secret-one", "one-secret"]), "".join(words)

    pieces = [piece for piece, _ in cut(line, redactor, parts)]

    assert "".join(pieces) == line
    assert "".join(map(redactor, pieces)) == redactor(line)


@pytest.mark.usefixtures("_short")
def test_what_may_belong_to_a_secret_stays_hidden_up_to_the_end_of_the_line() -> None:
    """Base64 of a secret may go on for longer than the bound: none of it is shown, and the next line is."""
    text = base64.b64encode(("user:correct-horse" + "!" * 3000).encode()).decode()

    pieces = list(cut(f"login {text}\nnext\n", Redactor(["correct-horse"]), 16))

    masked = [Redactor(["correct-horse"])(piece) for piece, _ in pieces]
    assert text[40:] not in "".join(masked)
    assert len("".join(masked)) < 100
    assert pieces[-1] == ("next", True)


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=20) | st.text("\\'\"%& \n\U0001f600é+", min_size=1, max_size=20))
def test_no_spelling_is_longer_than_what_is_held_back(text: str) -> None:
    """The widest match of the expression, as Python counts it."""
    tree = _parser.parse(spellings.spelled(text))

    assert tree.getwidth()[1] <= spellings.longest(text)


def test_what_is_held_back_is_as_long_as_the_longest() -> None:
    """Of all secrets of the task; nothing without any."""
    assert Redactor([]).longest == 0
    assert Redactor(["correct-horse", "x" * 500]).longest == 500
    # From there on such a secret counts as open.
    assert Redactor(["!é" * 10_000]).longest == Redactor(["!é" * 100]).longest


def test_finds_where_values_are() -> None:
    """In order; those that overlap are one."""
    redactor = Redactor(["secret-one", "one-secret"])

    assert redactor.spans("a secret-one-secret b one-secret") == [(2, 19), (22, 32)]
    assert redactor.spans("nothing") == []
