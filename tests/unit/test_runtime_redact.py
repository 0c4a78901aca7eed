"""Secrets in a container's output."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from penstock_runtime.redact import SHORTEST, redactor


def test_masks_a_value_in_all_its_forms() -> None:
    """As it is, in a URL, in JSON, in a Python repr."""
    secret = 'p@ss/w"rd'
    mask = redactor([secret])

    for line in (f"x {secret} y", "postgresql://u:p%40ss%2Fw%22rd@db", '{"password": "p@ss/w\\"rd"}'):
        assert "***" in mask(line)
        assert "rd" not in mask(line).replace("password", "")


def test_masks_a_value_of_several_lines_line_by_line() -> None:
    """A private key is printed over several lines, or with \\n in one."""
    key = "-----BEGIN KEY-----\nabcdefgh\nijklmnop\n"
    mask = redactor([key])

    assert [mask(line) for line in key.splitlines()] == ["***", "***", "***"]
    assert "abcdefgh" not in mask(repr(key))


def test_the_longest_value_wins() -> None:
    """A secret that begins with another one leaves no rest."""
    assert redactor(["secret", "secret-and-more"])("it is secret-and-more") == "it is ***"


def test_leaves_short_values_and_other_text() -> None:
    """A value of three characters would be found everywhere."""
    assert redactor(["abc", ""])("abc def") == "abc def"
    assert redactor([])("x") == "x"


def plain(text: str) -> bool:
    """One line, without the mask's own character."""
    return text.strip() == text and text.isprintable() and "*" not in text


@given(st.text(min_size=SHORTEST).filter(plain), st.text())
def test_never_lets_a_value_through(secret: str, around: str) -> None:
    """Whatever the value and the line: the value is not in the result, quoted or not."""
    mask = redactor([secret])

    assert mask(f"{around}{secret}").count(secret) <= "***".count(secret)
    assert mask(quote(secret, safe="")) == "***"
