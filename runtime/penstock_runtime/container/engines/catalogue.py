"""Problems with the OpenMetadata server, as errors with a fix.

The package raises whatever its HTTP client raised, or `'NoneType' object is not subscriptable`. If the exception says
what is wrong it is translated; otherwise the server is asked once more, in the same way.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from penstock_runtime.container.engines import server
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

_PROTECTED = "/v1/services/databaseServices?limit=1"
"""Answered only with a valid token; the version is answered to anybody."""
_CLIENT = "metadata.ingestion.ometa."
_SILENT = "is not subscriptable"
"""What the package raises when it treats a missing answer as one."""


def clean_token(settings: Mapping[str, Any]) -> None:
    """Take white space off the ends of the server's token, in place: an editor or `echo` may have left it there.

    Raises:
        RunError: it cannot be a token. Says why, without showing it.
    """
    security = server.block(settings).get("securityConfig")
    if not isinstance(security, dict) or not isinstance(security.get("jwtToken"), str):
        return
    token = security["jwtToken"].strip()
    security["jwtToken"] = token
    if not token:
        return
    if token.lower().startswith("bearer "):
        wrong = "begins with 'Bearer', which the client adds itself"
    elif token[0] in "\"'" or token[-1] in "\"'":
        wrong = "is in quotes"
    elif token[0] == "{":
        wrong = "is JSON; name its field after # in the secret's reference"
    elif re.search(r"\s", token):
        wrong = "has white space or a line end in it"
    elif not token.isascii():
        wrong = "holds characters that are not ASCII"
    else:
        return
    raise _error(
        f"the token of the OpenMetadata server {wrong}", "store the token alone in the secret, as the bot shows it"
    )


def server_error(error: BaseException, settings: Mapping[str, Any]) -> RunError | None:
    """The problem with the server behind an exception of the package; None if it is about something else."""
    address = str(server.block(settings).get("hostPort", ""))
    chain = list(_chain(error))
    for each in chain:
        name, text = type(each).__name__, str(each)
        if name == "VersionMismatchException":
            return _error(
                f"{text.rstrip('.')} (server {address})",
                "set openmetadata.version in penstock.yaml to the server's, and deploy",
            )
        if name == "InvalidSSLVerificationException":
            return _error(
                f"the settings for TLS of {address} are not complete: {text}",
                "with verifySSL: validate, name the certificate authority's file in openmetadata.ca_certificate of "
                "penstock.yaml; leave verifySSL out for a public one",
            )
    if not any(_is_of_server(each, address) for each in chain):
        return ask_server(settings) if _SILENT in str(error) else None
    for each in chain:
        status = getattr(getattr(each, "response", None), "status_code", None)
        if status == 404:
            # The server lacks something, or it is another server.
            return ask_server(settings)
        if status:
            return _status_error(settings, status, str(error))
    if any(type(each).__module__.partition(".")[0] in ("requests", "urllib3") for each in chain):
        return _connection_error(address, chain)
    return ask_server(settings)


def ask_server(settings: Mapping[str, Any]) -> RunError | None:
    """Ask the server for its version, and for something that needs the token; None if both answers are good."""
    try:
        import requests  # type: ignore[import-untyped]
    except ImportError:
        # Not OpenMetadata's client, then: what failed is said by its own error.
        return None

    address = str(server.block(settings).get("hostPort", "")).rstrip("/")
    try:
        for path in (server.VERSION, _PROTECTED):
            answer = server.get(settings, path)
            if answer.status_code >= 300:
                # An older server may lack this; each has the version.
                if answer.status_code == 404 and path == _PROTECTED:
                    return None
                return _status_error(settings, answer.status_code, "")
            if path == server.VERSION and server.version_in(answer.text) is None:
                return _no_api(address, "does not answer with OpenMetadata's version")
    except (requests.exceptions.RequestException, OSError, ValueError) as error:
        return _connection_error(address, list(_chain(error)))
    return None


def _status_error(settings: Mapping[str, Any], status: int, text: str) -> RunError:
    """The error for an HTTP status that is not a success."""
    block = server.block(settings)
    address = block.get("hostPort", "")
    if status == 401:
        detail = f" ({text})" if text and "Client Error" not in text else ""
        expired = _expired(str((block.get("securityConfig") or {}).get("jwtToken", "")))
        what = (
            f"the token has expired{expired}" if expired or "expired" in text.lower() else "it does not know the token"
        )
        return _error(
            f"the OpenMetadata server {address} refuses the token with 401{detail}: {what}",
            "take the token of the ingestion bot from this server (Settings, Bots), and store it in the secret that "
            "openmetadata.auth names",
        )
    if status == 403:
        return _error(
            f"the OpenMetadata server {address} answers 403: the token's bot may not do this",
            "give the bot the role IngestionBotRole, or use the ingestion bot's token",
        )
    if 300 <= status < 400:
        return _error(
            f"the OpenMetadata server {address} sends the client to another address ({status})",
            "set openmetadata.server to the address that it leads to, https:// where the server has TLS",
        )
    if status in (404, 405):
        return _no_api(str(address), f"does not know OpenMetadata's API ({status})")
    if status == 429 or status >= 500:
        return _error(
            f"the OpenMetadata server {address} answers {status}: it is overloaded, starting, or faulty",
            "read the server's own log; run the task again when the server is healthy",
        )
    return _error(
        f"the OpenMetadata server {address} answers {status}: {text}", "read the server's own log for this request"
    )


def _no_api(address: str, what: str) -> RunError:
    hint = "" if address.rstrip("/").endswith("/api") else f": {address.rstrip('/')}/api"
    return _error(
        f"{address or 'the OpenMetadata server'} {what}",
        f"set openmetadata.server to the address of its API, which ends in /api{hint}; check that no login page or "
        "other server answers there",
    )


def _connection_error(address: str, chain: list[BaseException]) -> RunError:
    """The error for a request without an answer."""
    names = {type(each).__name__ for each in chain}
    text = " ".join(str(each) for each in chain)
    if "gaierror" in names or "NameResolutionError" in names or "Failed to resolve" in text:
        why, fix = (
            "its name is not known",
            ("correct openmetadata.server; check that the task's VPC resolves the name (a private zone, DNS settings)"),
        )
    elif "ostname mismatch" in text or "doesn't match" in text or "IP address mismatch" in text:
        why, fix = (
            "its certificate is for another name",
            ("set openmetadata.server to a name that is in the certificate"),
        )
    elif "CERTIFICATE_VERIFY_FAILED" in text:
        detail, found, _ = text.partition("certificate verify failed: ")[2].partition("(")
        why, fix = (
            f"its certificate is not trusted ({detail.strip() if found else 'it cannot be verified'})",
            (
                "give openmetadata.ca_certificate of penstock.yaml the certificate authority's file; check that the "
                "server's certificate is still valid"
            ),
        )
    elif names & {"SSLError", "SSLZeroReturnError", "SSLEOFError"} or "SSL" in text:
        why, fix = "it does not answer with TLS", "check whether the server has TLS there; otherwise write http://"
    elif "ConnectionRefusedError" in names or "Connection refused" in text:
        why, fix = "it refuses the connection", "check the port in openmetadata.server, and that the server is up"
    elif names & {"ConnectTimeout", "ConnectTimeoutError", "ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        why, fix = (
            "it does not answer in time",
            (
                "check the network: the subnets' routes, security groups of both sides, a VPN or peering; and that the "
                "server is up"
            ),
        )
    elif "Connection reset" in text or "RemoteDisconnected" in text or "BadStatusLine" in text:
        why, fix = (
            "it ends the connection without an answer",
            ("write https:// in openmetadata.server if the server has TLS; check the proxy or load balancer before it"),
        )
    else:
        why, fix = str(chain[-1]), "check openmetadata.server and the network"
    return _error(f"cannot reach the OpenMetadata server {address}: {why}", fix)


def _is_of_server(error: BaseException, address: str) -> bool:
    """Whether an exception comes from a request to the server: from its client, or from `requests` with its address."""
    if type(error).__module__.startswith(_CLIENT):
        return True
    url = str(getattr(getattr(error, "request", None), "url", "") or "")
    return bool(address) and url.startswith(address.rstrip("/"))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and its causes, the latest first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _expired(token: str) -> str:
    """` on <date>` if the token names its end, and that is past; otherwise empty."""
    fields = token.split(".")
    with contextlib.suppress(ValueError, TypeError, AttributeError, IndexError, OverflowError, OSError):
        ends = json.loads(base64.urlsafe_b64decode(fields[1] + "=" * (-len(fields[1]) % 4))).get("exp")
        if ends < time.time():
            return time.strftime(" on %Y-%m-%d at %H:%M UTC", time.gmtime(ends))
    return ""


def _error(what: str, fix: str) -> RunError:
    return RunError(what, fix=fix, exit_code=Exit.FAILED)
