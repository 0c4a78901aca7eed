"""JSON Patch (RFC 6902): add, replace, remove and test, which are the operations that the package sends."""

from __future__ import annotations

import copy
from typing import Any

from penstock.local.catalogue.entities import Refusal


def apply(document: Any, operations: list[dict[str, Any]]) -> Any:
    """A changed copy of `document`.

    Raises:
        Refusal: an operation is unknown, points nowhere, or a test fails.
    """
    result = copy.deepcopy(document)
    for operation in operations:
        try:
            result = _apply(result, operation["op"], _parse(operation["path"]), operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise Refusal(400, f"the patch operation {operation} does not fit the entity: {error!r}") from error
    return result


def _parse(pointer: str) -> list[str]:
    """The parts of a JSON pointer (RFC 6901)."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _apply(document: Any, verb: str, parts: list[str], operation: dict[str, Any]) -> Any:
    if not parts:
        if verb not in ("add", "replace"):
            raise ValueError(f"{verb} of the whole document")
        return operation["value"]
    inner = document
    for part in parts[:-1]:
        inner = inner[int(part)] if isinstance(inner, list) else inner[part]
    if isinstance(inner, list):
        _in_list(inner, verb, parts[-1], operation)
    else:
        _in_object(inner, verb, parts[-1], operation)
    return document


def _in_list(inner: list[Any], verb: str, key: str, operation: dict[str, Any]) -> None:
    index = len(inner) if key == "-" else int(key)
    if verb == "add":
        if not 0 <= index <= len(inner):
            raise IndexError(index)
        inner.insert(index, operation["value"])
    elif verb == "replace":
        inner[index] = operation["value"]
    elif verb == "remove":
        del inner[index]
    elif verb != "test" or inner[index] != operation["value"]:
        raise ValueError(verb)


def _in_object(inner: dict[str, Any], verb: str, key: str, operation: dict[str, Any]) -> None:
    if verb == "add":
        inner[key] = operation["value"]
    elif verb == "replace":
        # A real server's entity has every field; a field that was never set may be replaced there.
        inner[key] = operation["value"]
    elif verb == "remove":
        del inner[key]
    elif verb != "test" or inner[key] != operation["value"]:
        raise ValueError(verb)
