"""E-mail addresses, one rule for all: those that AWS and Airflow write to.

A dot-atom before the `@` and the name of a host behind it (RFC 5321, 4.1.2), in ASCII: what SNS mails goes through SES,
which takes no other local part, and needs Punycode for the domain (Amazon SES API Reference, Destination). The quoted
form of RFC 5321 is left out: it says itself that nobody should have such an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.document.problems import shown

_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_WORD}(?:\.{_WORD})*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_TOP = re.compile(r"[A-Za-z]{2,63}|xn--[A-Za-z0-9-]{1,59}", re.IGNORECASE)
_MAX_LOCAL, _MAX = 64, 254
"""Characters. RFC 5321, 4.5.3.1: 64 before the `@`, and 256 of a path, which has `<` and `>` around the address."""
_FIX = "write name@example.com"


def check_addresses(addresses: list[str], *path: str | int) -> Iterator[Problem]:
    """Report what is not an address, and what is listed twice; `path` is that of the list."""
    for index, address in enumerate(addresses):
        if wrong := wrong_address(address):
            yield wrong.at(*path, index)
        elif address in addresses[:index]:
            yield Problem(f"{shown(address)} is listed twice", "remove one", (*path, index))


def wrong_address(address: str) -> Problem | None:
    """What is wrong with an address, and its fix."""
    what = f"{shown(address)} is not an e-mail address"
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or " " in address.strip() or "," in address:
        return Problem(what, f"{_FIX}, one address an entry")
    if not local.isascii():
        return Problem(f"{what} for AWS: what stands before the @ has other letters than ASCII", _FIX)
    if not domain.isascii():
        return Problem(f"{what} for AWS: its domain has other letters than ASCII", _in_punycode(local, domain))
    if '"' in local:
        return Problem(f"{what} that all mail servers take: it has quotes", _FIX)
    labels = domain.split(".")
    is_host = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and _TOP.fullmatch(labels[-1])
    if not _LOCAL.fullmatch(local) or not is_host:
        return Problem(what, _FIX)
    if len(local) > _MAX_LOCAL or len(address) > _MAX:
        return Problem(f"{what}: it has more than {_MAX} characters, or {_MAX_LOCAL} before the @", _FIX)
    return None


def _in_punycode(local: str, domain: str) -> str:
    try:
        return f"write {local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return _FIX
