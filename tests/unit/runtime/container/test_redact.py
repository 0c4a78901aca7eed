"""Secrets in a container's output."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_runtime.container.redact import Redactor, notices
from penstock_runtime.container.secret_parts import SHORTEST, parts
from tests import canaries


@pytest.mark.parametrize("form", canaries.forms(""))
@pytest.mark.parametrize(
    "secret", [canaries.PASSWORD, canaries.NESTED, "'quoted'", '"end-of-it', "\\\\server\\share", "50% off!"]
)
def test_masks_a_value_in_every_form(secret: str, form: str) -> None:
    """As URLs, JSON, Python, shells, SQL, XML and HTTP's login write it: none of it is left but quotes around it."""
    text = canaries.forms(secret)[form]
    masked = Redactor([secret])(text)

    assert "***" in masked
    # Left are the quotes, brackets and names that a form puts around the value, and base64's part of the user.
    rest = masked.replace("***", "").replace("connect failed: ", "").replace("password", "").replace("header", "")
    assert len(rest) <= 24
    assert not any(trace in rest for trace in (*canaries.TRACES, "uot", "erver", "hare", "off", "end"))


@pytest.mark.parametrize("secret", canaries.SECRETS.values(), ids=canaries.SECRETS)
def test_leaves_no_trace_line_by_line(secret: str) -> None:
    """In a log of lines, whatever form spreads over several: a JSON document, a key of many lines, an address."""
    mask = Redactor([secret])
    for form, text in canaries.forms(secret).items():
        masked = "\n".join(mask(line) for line in text.split("\n"))
        traces = [trace for trace in canaries.TRACES if trace.lower() in masked.lower()]

        assert traces == [], f"{form}: {masked}"


def test_masks_every_field_of_json() -> None:
    """Also nested, in JSON inside JSON, and numbers; but not what is in every other line."""
    mask = Redactor([canaries.JSON])

    assert mask(f"{canaries.NESTED} d33p-8e4f-token 83746152 loader-6c2d-user") == "*** *** *** ***"
    assert mask("tap-postgres reads from port 5432: true") == "tap-postgres reads from port 5432: true"


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("password", "root", True),
        ("api_key", "1234", True),
        ("password", "abc", False),
        ("has_password", True, False),
        ("needs_token", "true", False),
        ("port", 5432, False),
        ("engine", "postgres", False),
        ("engine", "sqlserver-ee", False),
        ("dbname", "warehouse_2", False),
        ("region", "eu-central-1", False),
        ("dbname", "9d2c7f3a91d2c4", True),
        ("username", "admin", False),
        ("username", "warehouse-loader", True),
        ("host", "db.acme.internal", True),
        ("stage", "prod", False),
        ("stage", "pr0d", True),
        ("retries", 12, False),
        ("account_id", 111122223333, True),
        ("nothing", None, False),
    ],
)
def test_decides_field_by_field(name: str, value: object, masked: bool) -> None:
    """By its name where that says what it is, otherwise from eight characters, or four of different kinds: to mask
    `prod` or `5432` would hide half a log."""
    document = json.dumps({name: value, "jwt": "correct-horse"})

    assert (str(value) in parts(document).masked) is masked


def test_masks_a_json_document_whole_where_nothing_in_it_is_telling() -> None:
    assert Redactor(['{"pin": 123}'])('it is {"pin": 123}') == "it is ***"


@pytest.mark.parametrize(
    "secret",
    [
        "postgresql://loader:hidden%2Fone@db/x",
        "Server=db;Uid=loader;Pwd=hidden/one;Encrypt=yes",
        "host=db password='hidden/one' user=loader",
        "[default]\naws_access_key_id = AKIAX\naws_secret_access_key = hidden/one\n",
        "apiVersion: v1\nusers:\n- user:\n    token: hidden/one\n",
        "https://hooks.acme.io/x?api_key=hidden%2Fone&v=1",
        '"hidden/one"',
    ],
)
def test_masks_what_a_program_takes_out_of_a_value(secret: str) -> None:
    """A connection string or a file given whole: its passwords are masked alone, too."""
    assert Redactor([secret])("with hidden/one and hidden%2fone") == "with *** and ***"


def test_masks_a_value_of_several_lines_line_by_line() -> None:
    """A private key is printed over several lines, or with \\n in one."""
    key = "-----BEGIN KEY-----\nabcdefgh\nijklmnop\n"
    mask = Redactor([key])

    assert [mask(line) for line in key.splitlines()] == ["***", "***", "***"]
    assert "abcdefgh" not in mask(repr(key))


def test_common_words_among_the_lines_of_a_value_stay() -> None:
    """A line such as `true` or `prod` of a file would be masked in all others."""
    assert Redactor(["token: abc12345\ntrue\nprod\n"])("it is true in prod") == "it is true in prod"


def test_the_longest_value_wins() -> None:
    """A secret that begins with another one leaves no rest."""
    assert Redactor(["secret", "secret-and-more"])("it is secret-and-more") == "it is ***"


def test_leaves_short_values_and_other_text() -> None:
    """A value of three characters would be found everywhere."""
    assert Redactor(["abc", ""])("abc def") == "abc def"
    assert Redactor([])("x") == "x"


def test_says_what_is_not_masked_by_name() -> None:
    """Names, never values: short secrets, common fields, and white space that nobody sees."""
    secrets = {
        "PIN": "q7x",
        "JWT": "abcdefgh\n",
        "DB": canaries.JSON,
        "KEY": canaries.KEY,
        "EMPTY": "",
        "OK": "correct",
    }

    said = notices(secrets)

    assert said == [
        "not masked in this log, because they are shorter than 4 characters: PIN",
        "not masked in this log: 2 short or common values inside DB",
        "white space or a line end is at the beginning or end of the value of JWT",
    ]


@pytest.mark.parametrize(
    "secret", ["a" * 70_000, "!" + "é$'\"\\x" * 10_000, "\ud800half", "\udcff\udcfe12", "\U0001f600" * 4]
)
def test_takes_whatever_a_secret_may_hold(secret: str) -> None:
    """64 KiB, signs only, bytes that are not text."""
    assert Redactor([secret])(f"<{secret}>").startswith("<***")


HARD = ['\\"\\"\\"\\"\\"\\"\\"\\"\\"\\"tail', "'\"'\"'\"'\"'\"'\"tail", "''''''''''''''''tail", "%%%%%%%%tail"]


@pytest.mark.parametrize("secret", HARD)
def test_no_line_takes_long(secret: str) -> None:
    """A line that is nearly the secret, very often: the search must not try all ways to read it. (It would not end.)"""
    mask = Redactor([secret])
    for part in ("\\", '\\\\\\"', "'\"'\"'", "'", "%25", "\"'", '\\"'):
        line = "tail" + part * 20_000

        assert mask(line) == line


@pytest.mark.parametrize(("prefix", "secret"), [("Basic ", "short"), ("", "1234567")])
def test_base64_of_a_short_value_stays(prefix: str, secret: str) -> None:
    """What is left of it between its neighbours would be found in hashes."""
    text = prefix + base64.b64encode(secret.encode()).decode()

    assert Redactor([secret])(text) == text


def plain(text: str) -> bool:
    """One line, without the mask's own character."""
    return text.strip() == text and text.isprintable() and "*" not in text


@given(st.text(min_size=SHORTEST).filter(plain), st.text())
def test_never_lets_a_value_through(secret: str, around: str) -> None:
    """Whatever the value and the line: the value is not in the result, quoted or not."""
    mask = Redactor([secret])

    if not parts(secret).shown:
        assert mask(f"{around}{secret}").count(secret) <= "***".count(secret)
        assert "***" in mask(quote(secret, safe=""))
