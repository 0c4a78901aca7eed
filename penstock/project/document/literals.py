"""`${NAME}` in texts, and secrets that stand in a file in plain text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from penstock.project.document.composer import Node
from penstock_runtime.fill import PLACEHOLDER
from penstock_runtime.secret_names import is_secret_key

ALLOW = "# penstock: allow-literal"
_LOGIN_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@$]*:[^/\s@$]+@", re.IGNORECASE)


_NO_NAME = re.compile(r"\$\{(?![A-Za-z_][A-Za-z0-9_]*\})[^}\n]{0,60}\}?")


def references(text: str) -> list[str]:
    """The names in `${NAME}`s of a text, in order."""
    return PLACEHOLDER.findall(text)


def no_reference(text: str) -> str | None:
    """The first part of a text that looks like `${NAME}` and that nothing would fill: `${my-host}`, `${HOST:-x}`."""
    match = _NO_NAME.search(text)
    return match[0] if match else None


Path = tuple[str, ...]
"""Keys from the top of a file to a value; entries of a list count for nothing."""


def scalars(node: Node, path: Path = (), *, skip: Callable[[Path], bool] | None = None) -> Iterator[tuple[str, Node]]:
    """Every scalar below a node with the key that it stands under; an anchor's once per use; not what is skipped."""
    if isinstance(node.value, dict):
        for name, value in node.value.items():
            below = (*path, str(name))
            if skip is None or not skip(below):
                yield from scalars(value, below, skip=skip)
    elif isinstance(node.value, list):
        for value in node.value:
            yield from scalars(value, path, skip=skip)
    else:
        yield path[-1] if path else "", node


def literal_secret(key: str, value: Any) -> str | None:
    """What is wrong where a secret stands in the file itself; None where none does.

    `secret:/…` is OpenMetadata's own way to name an entry of a secrets manager.
    """
    if value is None or isinstance(value, bool) or value == "":
        return None
    text = str(value)
    if PLACEHOLDER.search(text) or text.startswith("secret:"):
        return None
    if is_secret_key(key):
        return f"{key!r} is a secret in plain text"
    if _LOGIN_IN_URL.match(text):
        return f"{key!r} holds an address with a password in it"
    return None
