"""The container's log, line by line: nothing that goes wrong with one ends it, or shows what it must not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import pytest

from penstock_runtime.container import log as module
from penstock_runtime.container.log import Log
from penstock_runtime.container.output import Output
from penstock_runtime.container.redact import Redactor


class Deaf(Redactor):
    """Fails at a line that holds a certain word."""

    def __call__(self, line: str) -> str:
        if "unmaskable" in line:
            raise RecursionError(line)
        return super().__call__(line)


def shown(chunks: list[bytes], redactor: Redactor | None = None, count: Callable[[str], object] = len) -> list[str]:
    """What the log holds of an engine's output."""
    with tempfile.TemporaryFile() as file:
        log = Log(Output(file.fileno()), redactor or Redactor([]), count=lambda line: void(count(line)))
        for chunk in chunks:
            log.feed(chunk)
        log.feed(b"", last=True)
        file.seek(0)
        return file.read().decode().splitlines()


def void(_: object) -> None:
    return


def test_characters_may_be_cut_anywhere() -> None:
    """The engine's output comes in parts of any size; what is not UTF-8 is replaced."""
    text = "größe ✓\n".encode()

    assert shown([text[at : at + 1] for at in range(len(text))]) == ["größe ✓"]
    assert shown([b"\xff\xfe\n", b"half \xe2\x9c"]) == ["\ufffd\ufffd", "half \ufffd"]


def test_colours_are_left_out_before_secrets_are_looked_for() -> None:
    assert shown([b"\x1b[32mcorrect\x1b[0m-horse\n"], Redactor(["correct-horse"])) == ["***"]


def test_a_line_that_cannot_be_counted_is_shown_masked() -> None:
    """With one notice, which names no value; the lines after it are counted."""
    counted: list[str] = []

    def count(line: str) -> None:
        if "trouble" in line:
            raise ValueError(line)
        counted.append(line)

    lines = shown([b"one\ntrouble correct-horse\ntwo\ntrouble\n"], Redactor(["correct-horse"]), count)

    notice = "penstock: the line before this one could not be counted, nor may others be (ValueError)"
    assert lines == ["one", "trouble ***", notice, "two", "trouble"]
    assert counted == ["one", "two"]


def test_a_line_that_cannot_be_masked_is_left_out() -> None:
    """Never shown as it came; the lines after it are shown."""
    lines = shown([b"one\nunmaskable correct-horse\ntwo\n"], Deaf(["correct-horse"]))

    notice = "penstock: a line of 24 characters is left out: it could not be masked (RecursionError)"
    assert lines == ["one", notice, "two"]


def test_output_that_cannot_be_cut_into_lines_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """So are the rest of its line, which may end a secret, and what waited for that; what comes later is shown."""

    def trouble(text: str) -> str:
        if "trouble" in text:
            raise MemoryError(text)
        return text

    monkeypatch.setattr(module, "_without_colours", trouble)

    lines = shown([b"one\ntrou", b"ble\ncorrect-", b"horse\ntwo\n"])

    assert lines == ["one", "penstock: 12 bytes of output are left out: they could not be read (MemoryError)", "two"]


def test_a_line_that_comes_in_pieces_is_not_counted() -> None:
    """What looks like a count in its last piece would be one by chance; those after it are counted."""
    counted: list[str] = []
    line = b"x" * 300_000 + b" tap-a METRIC: {}"

    shown([line[at : at + 65536] for at in range(0, len(line), 65536)] + [b"\nnext\n"], count=counted.append)

    assert counted == ["next"]
