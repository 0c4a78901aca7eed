"""A secret that is hard to mask, and every form in which well-known programs print one.

Standard library only, and alone: engines run `forms` in their own environments.
"""

from __future__ import annotations

import base64
import html
import json
import os
import shlex
import urllib.parse
from xml.sax import saxutils

PASSWORD = "c4n4ry-7f3a'q\"d$s%p{{j/@:+\\b\nl1ne2-9d2cü€😀 &<x>~z8k3"
"""Quotes, `$`, `%`, `{{`, what a URL must quote, a backslash, a line end, characters of two, three and four bytes."""
NESTED = "n3sted-5b1e/w@q"
JSON = json.dumps(
    {
        "username": "loader-6c2d-user",
        "engine": "postgres",
        "port": 5432,
        "password": PASSWORD,
        "more": [{"api_key": NESTED, "inside": json.dumps({"token": "d33p-8e4f-token"}), "pin": 83746152}],
    }
)
KEY = (
    "-----BEGIN PRIVATE KEY-----\nM11Evq1bADAN/Bgkqhk+G9w0\nBAQEFAASCBKcwggSjAgEAAoIB/9x\nQ7c=\n"
    "-----END PRIVATE KEY-----\n"
)
ADDRESS = (
    "postgresql://loader:"
    + urllib.parse.quote_plus("4ddr-2a9c/p@w")
    + "@db.acme.internal:5432/warehouse?sslmode=require"
)

SECRETS = {"CANARY": PASSWORD, "CANARY_JSON": JSON, "CANARY_KEY": KEY, "CANARY_ADDRESS": ADDRESS, "CANARY_PIN": "q7"}
TRACES = (
    *("c4n4ry", "7f3a", "l1ne2", "9d2c", "z8k3", "n3sted", "5b1e", "6c2d", "d33p", "8e4f", "83746152", "M11Evq1b"),
    *("G9w0", "BAQEFAA", "oIB/9x", "4ddr", "2a9c"),
)
"""Parts of them that must be in no log, in whatever case."""


def forms(secret: str) -> dict[str, str]:
    """The forms of one secret by name; each on one line, but for those that keep its line ends."""
    data = secret.encode()
    quoted = urllib.parse.quote(secret, safe="")
    return {
        "plain": secret,
        "URL": urllib.parse.quote(secret),
        "URL, all": quoted,
        "URL, form": urllib.parse.quote_plus(secret),
        "URL, lower case": "".join(part.lower() if part.startswith("%") else part for part in _codes(quoted)),
        "URL, SQLAlchemy 1.4": "".join(f"%{ord(char):02X}" if char in ":@/" else char for char in secret),
        "URL, SQLAlchemy 2": urllib.parse.quote(secret, safe=" +"),
        "URL, encodeURI": urllib.parse.quote(secret, safe=";,/?:@&=+$-_.!~*'()#"),
        "URL in a URL": urllib.parse.quote(quoted, safe=""),
        "JSON": json.dumps(secret),
        "JSON, UTF-8": json.dumps(secret, ensure_ascii=False),
        "JSON, for HTML": json.dumps(secret).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003E"),
        "JSON in JSON": json.dumps(json.dumps({"password": secret})),
        "JSON in JSON, UTF-8": json.dumps(json.dumps([secret], ensure_ascii=False), ensure_ascii=False),
        "repr": repr(secret),
        "repr in repr": repr(f"connect failed: {{'password': {secret!r}}}"),
        "ascii": ascii(secret),
        "bytes": repr(data),
        "bytes in repr": repr({"header": data}),
        "base64": base64.b64encode(data).decode(),
        "base64, for URLs": base64.urlsafe_b64encode(data).decode(),
        **{f"Basic, {name}": base64.b64encode(f"{name}:".encode() + data).decode() for name in ("me", "you", "user")},
        "shell": shlex.quote(secret),
        "shell, by hand": "'" + secret.replace("'", "'\\''") + "'",
        "shell, double quotes": '"' + "".join(f"\\{char}" if char in '"$`\\' else char for char in secret) + '"',
        "XML": saxutils.escape(secret),
        "XML attribute": saxutils.quoteattr(secret),
        "HTML": html.escape(secret),
        "SQL": secret.replace("'", "''"),
        "SQL, MySQL": secret.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"').replace("\n", "\\n"),
        "CSV": '"' + secret.replace('"', '""') + '"',
    }


def _codes(quoted: str) -> list[str]:
    """A quoted text, cut at its percent codes."""
    found, at = [], 0
    while at < len(quoted):
        step = 3 if quoted[at] == "%" else 1
        found.append(quoted[at : at + step])
        at += step
    return found


def print_all() -> None:
    """Print every form of every secret of this process's environment, as a program would that logs too much."""
    for name in sorted(SECRETS):
        if name == "CANARY_PIN":
            continue
        for form, text in forms(os.environ[name]).items():
            print(f"{name}, {form}: {text}", flush=True)
    document = json.loads(os.environ["CANARY_JSON"])
    print("a field:", document["more"][0]["pin"], document["username"], repr(document["password"]))
    print("a field, nested:", json.loads(document["more"][0]["inside"])["token"], document["more"][0]["api_key"])
    print("the password of the address:", urllib.parse.unquote_plus("4ddr-2a9c%2Fp%40w"), flush=True)


if __name__ == "__main__":
    print_all()
