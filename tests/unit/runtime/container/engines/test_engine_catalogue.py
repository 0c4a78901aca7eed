"""Trouble with the OpenMetadata server, from exceptions as openmetadata-ingestion 1.12.14.2 raises them."""

from __future__ import annotations

import base64
import json
import sys
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from penstock_runtime.container.engines import catalogue
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

SERVER = "https://catalog.acme.io/api"
CLIENT = "metadata.ingestion.ometa.client"


def settings(token: str = "abc", server: str = SERVER) -> dict[str, Any]:
    security = {"jwtToken": token}
    return {"workflowConfig": {"openMetadataServerConfig": {"hostPort": server, "securityConfig": security}}}


def raised(module: str, name: str, text: str, status: int | None = None) -> Exception:
    """An exception of another package, by its module and name."""
    error = type(name, (Exception,), {"__module__": module})(text)
    if status is not None:
        error.response = SimpleNamespace(status_code=status)  # type: ignore[attr-defined]
    found: Exception = error
    return found


def chained(*errors: Exception) -> Exception:
    """The first, raised from the second, and so on."""
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def transport(*causes: Exception) -> Exception:
    """What the package raises where no answer came."""
    text = f"Transport failure on GET {SERVER}/v1/system/version: {causes[-1]}"
    return chained(ValueError(text), raised(CLIENT, "RestTransportError", text), *causes)


def answered(status: int, text: str) -> Exception:
    """What it raises for an answer that is an error."""
    return chained(
        ValueError(text),
        raised(CLIENT, "APIError", text),
        raised("requests.exceptions", "HTTPError", f"{status} Client Error: for url: {SERVER}", status),
    )


SSL = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
ROUND = [
    (transport(raised("requests.exceptions", "ConnectionError", "x"), ConnectionRefusedError(111, "refused")),
     "refuses the connection", "port"),
    (transport(raised("urllib3.exceptions", "NameResolutionError", "Failed to resolve 'x'"), OSError(-2, "Name or")),
     "name is not known", "resolves"),
    (transport(raised("requests.exceptions", "ConnectTimeout", "timed out"), TimeoutError("timed out")),
     "does not answer in time", "security groups"),
    (transport(raised("requests.exceptions", "ReadTimeout", "Read timed out. (read timeout=300)")),
     "does not answer in time", "security groups"),
    (transport(raised("requests.exceptions", "SSLError", SSL + "self-signed certificate (_ssl.c:1006)")),
     "certificate is not trusted (self-signed certificate)", "ca_certificate"),
    (transport(raised("requests.exceptions", "SSLError", SSL + "certificate has expired (_ssl.c:1006)")),
     "certificate has expired", "still valid"),
    (transport(raised("requests.exceptions", "SSLError", SSL + "Hostname mismatch, certificate is not valid for 'x'.")),
     "certificate is for another name", "in the certificate"),
    (transport(raised("requests.exceptions", "SSLError", "[SSL: WRONG_VERSION_NUMBER] wrong version number")),
     "does not answer with TLS", "http://"),
    (transport(raised("requests.exceptions", "ConnectionError", "('Connection aborted.', ConnectionResetError(104, "
                      "'Connection reset by peer'))")), "ends the connection without an answer", "https://"),
    (answered(401, "Expired token!"), "401 (Expired token!): the token has expired", "Bots"),
    (answered(401, "Not Authorized! Invalid token"), "it does not know the token", "Bots"),
    (answered(403, "Principal: x"), "may not do this", "IngestionBotRole"),
    (answered(301, "moved"), "another address (301)", "https://"),
    (answered(503, "503 Server Error"), "answers 503", "server's own log"),
    (chained(ValueError("x"), raised("metadata.ingestion.ometa.mixins.server_mixin", "VersionMismatchException",
                                     "Server version is 1.9.3 vs. Client version 1.12.14.2. Major and minor versions "
                                     "should match.")), "Server version is 1.9.3", "openmetadata.version"),
    (chained(ValueError("x"), raised("metadata.utils.ssl_registry", "InvalidSSLVerificationException",
                                     "You have Verify SSL but the SSL Config is missing.")), "TLS", "ca_certificate"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "says", "fix"), ROUND, ids=[says for _, says, _ in ROUND])
def test_tells_trouble_in_our_words(error: Exception, says: str, fix: str) -> None:
    """What happened, with whom, and what to do; the exit code of a run that failed."""
    message = catalogue.server_error(error, settings())

    assert message is not None
    assert says in message.what
    assert fix in message.fix
    assert SERVER in message.what
    assert message.exit_code == Exit.FAILED


def test_reads_in_the_token_when_it_expired() -> None:
    """The server may say only that it is not authorized."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_700_000_000}).encode()).decode().rstrip("=")

    message = catalogue.server_error(answered(401, "Not Authorized!"), settings(f"e30.{claims}.x"))

    assert message is not None
    assert "the token has expired on 2023-11-14 at 22:13 UTC" in message.what
    assert claims not in str(message)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("some fault"),
        raised("metadata.ingestion.source", "InvalidSourceException", "not a source"),
        # A source that is asked over HTTP has statuses of its own.
        chained(ValueError("x"), raised("requests.exceptions", "HTTPError", "401 for url: https://looker", 401)),
    ],
)
def test_leaves_other_trouble_alone(error: Exception) -> None:
    """What is not of the server's making is not put down to it."""
    assert catalogue.server_error(error, settings()) is None


ANSWERS = [
    ([(404, "<html>")], "does not know OpenMetadata's API (404)"),
    ([(200, "<html>")], "does not answer with OpenMetadata's version"),
    ([(200, '{"version": "1.12.14"}'), (401, "")], "refuses the token with 401"),
    ([(200, '{"version": "1.12.14"}'), (404, "")], None),
    ([(200, '{"version": "1.12.14"}'), (200, "{}")], None),
]


@pytest.mark.parametrize(("answers", "says"), ANSWERS)
@pytest.mark.parametrize(
    "error", [answered(404, "404 Client Error"), ValueError("'NoneType' object is not subscriptable")]
)
def test_asks_the_server_where_the_package_says_too_little(
    monkeypatch: pytest.MonkeyPatch, error: Exception, answers: list[tuple[int, str]], says: str | None
) -> None:
    """Something may be missing on a server that is well: then it is not the server's address."""
    left = iter(answers)

    def get(_: str, **options: Any) -> SimpleNamespace:
        assert (options["verify"], options["headers"]) == (True, {"Authorization": "Bearer abc"})
        status, text = next(left)
        return SimpleNamespace(status_code=status, text=text)

    requests = SimpleNamespace(get=get, exceptions=SimpleNamespace(RequestException=OSError))
    monkeypatch.setitem(sys.modules, "requests", requests)

    message = catalogue.server_error(error, settings())

    assert (message is None) if says is None else (message is not None and says in message.what)


@pytest.mark.parametrize("token", ["abc\n", "\r\n abc\t", "abc"])
def test_takes_line_ends_off_a_token(token: str) -> None:
    """An editor leaves one at the end of a file, `echo` at the end of a pipe."""
    given = settings(token)

    catalogue.clean_token(given)

    assert given == settings("abc")


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("Bearer canary", "begins with 'Bearer'"),
        ('"canary"', "is in quotes"),
        ('{"jwt": "canary"}', "is JSON"),
        ("canary\ncanary", "line end in it"),
        ("canary canary", "white space"),
        ("canaryü", "not ASCII"),
    ],
)
def test_refuses_what_is_no_token(token: str, says: str) -> None:
    """Says what is wrong with it, and never what it is."""
    with pytest.raises(RunError, match=says) as caught:
        catalogue.clean_token(settings(token))

    assert caught.value.exit_code == Exit.FAILED
    assert "canary" not in str(caught.value)
    assert "secret" in caught.value.fix


@pytest.mark.parametrize("given", [{}, {"workflowConfig": None}, {"workflowConfig": {"openMetadataServerConfig": []}}])
def test_a_config_without_a_server_is_the_packages_to_refuse(given: dict[str, Any]) -> None:
    catalogue.clean_token(given)

    assert catalogue.server_error(ValueError("x"), given) is None
