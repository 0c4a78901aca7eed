"""Values of templates, as a person reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """The same value, with its references and functions in words."""
    if _is_function(value):
        return text(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def text(value: Any) -> str:
    """A value of a template as a person reads it: `arn:aws:s3:::<Dags>/*`. Ids lose the hash that CDK puts behind."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref":
                return f"<{_short(str(argument))}>"
            if function == "Fn::GetAtt":
                return f"<{_short(str(argument[0]))}>"
            if function == "Fn::Join":
                return str(argument[0]).join(text(part) for part in argument[1])
            if function == "Fn::ImportValue":
                return f"<{_short(str(argument))}>"
            if function == "Fn::Sub" and isinstance(argument, str):
                return re.sub(r"\$\{([^}]+)\}", r"<\1>", argument)
        return json.dumps({key: json.loads(_json(item)) for key, item in value.items()}, sort_keys=True)
    if isinstance(value, list):
        return ", ".join(text(item) for item in value)
    return str(value)


def _json(value: Any) -> str:
    if _is_function(value):
        return json.dumps(text(value))
    if isinstance(value, Mapping):
        return json.dumps({key: json.loads(_json(item)) for key, item in value.items()})
    if isinstance(value, list):
        return json.dumps([json.loads(_json(item)) for item in value])
    return json.dumps(value)


def _short(logical_id: str) -> str:
    """Without the eight hex digits that CDK ends a logical id with, or has before its attribute."""
    return re.sub(r"(?<=[a-z0-9])[0-9A-F]{8}(?=$|[A-Z])", "", logical_id.rpartition(":ExportsOutput")[2] or logical_id)


def _is_function(value: Any) -> bool:
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    (function,) = value
    return function == "Ref" or str(function).startswith("Fn::")
