"""Secrets as forms and connection strings write them, and as programs read them out of those."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest

from penstock_runtime.container.redact import Redactor


@pytest.mark.parametrize("secret", ["correct horse", "one two  three", "50% off now", "a+b c"])
def test_masks_what_quote_plus_makes_of_a_secret(secret: str) -> None:
    """A space becomes a plus: as in the body of a form, or SQLAlchemy's addresses."""
    assert Redactor([secret])(f"password={quote_plus(secret)}&x=1") == "password=***&x=1"


@pytest.mark.parametrize(
    "secret", ["Server=db;Uid=loader;Pwd=hidden+one;Encrypt=yes", "https://hooks.acme.io/x?api_key=hidden+one&v=1"]
)
def test_masks_what_unquote_plus_reads_out_of_a_secret(secret: str) -> None:
    """A program that decodes the value prints it with a space; one that does not, with the plus."""
    mask = Redactor([secret])

    assert mask("log in with hidden one") == "log in with ***"
    assert mask("log in with hidden+one") == "log in with ***"
