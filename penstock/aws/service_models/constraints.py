"""One value against what one member takes; what is refused, in the words of AWS's services."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sized
from typing import Any

from penstock.aws.service_models.documented import Limit
from penstock.aws.service_models.models import Shape

_STAND_INS = {"L": "\ue000", "N": "\ue001", "Z": "\ue002"}
"""What stands for a letter, digit or separator beyond ASCII in a pattern that names their classes: Python has none."""
_PLAIN = {"L": "a-zA-Z", "N": "0-9", "Z": " "}
_WHOLE = ("integer", "long")


def constraints(shape: Shape, limit: Limit | None) -> list[str]:
    """What a member is held against, for a person to read; nothing: its type alone."""
    texts = []
    if shape.enum:
        texts.append(f"one of {len(shape.enum)}")
    if shape.pattern and shape.pattern not in (".*", "^.*$"):
        texts.append(f"pattern {shape.pattern}")
    if shape.least is not None or shape.most is not None:
        texts.append(f"{'' if shape.least is None else shape.least}..{'' if shape.most is None else shape.most}")
    if limit is not None:
        texts.append("documented limit")
    return texts


def refused(value: Any, shape: Shape, limit: Limit | None = None) -> Iterator[str]:
    """The constraints that a value does not satisfy. References, booleans of CloudFormation's and the like are no
    concern here: `value` is what the service would get."""
    if shape.type in _WHOLE:
        yield from _number(value, shape, limit)
        return
    if shape.type in ("double", "float"):
        if _as_number(value) is None:
            yield "Member must be a number"
        return
    if shape.type == "boolean":
        if str(value).lower() not in ("true", "false"):
            yield "Member must be a boolean"
        return
    if shape.type not in ("string", "list", "map") or (shape.type != "string" and not isinstance(value, Sized)):
        return
    if shape.type == "string":
        text = _text(value)
        if shape.enum and text not in shape.enum:
            yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        if shape.pattern and not _matches(shape.pattern, text):
            yield f"Member must satisfy regular expression pattern: {shape.pattern}"
        yield from _documented(text, limit)
    size = len(_text(value)) if shape.type == "string" else len(value)
    if shape.least is not None and size < shape.least:
        yield f"Member must have length greater than or equal to {shape.least}"
    if shape.most is not None and size > shape.most:
        yield f"Member must have length less than or equal to {shape.most}"


def _number(value: Any, shape: Shape, limit: Limit | None) -> Iterator[str]:
    number = _as_number(value)
    if number is None or number != int(number):
        yield "Member must be an integer"
        return
    if shape.least is not None and number < shape.least:
        yield f"Member must have value greater than or equal to {shape.least}"
    if shape.most is not None and number > shape.most:
        yield f"Member must have value less than or equal to {shape.most}"
    yield from _documented(str(int(number)), limit)


def _documented(text: str, limit: Limit | None) -> Iterator[str]:
    if limit is None:
        return
    long = limit.most is not None and len(text) > limit.most
    strange = limit.pattern is not None and not _matches(limit.pattern, text)
    if (long or strange) and limit.words:
        yield limit.words
    elif strange:
        yield f"Member must satisfy regular expression pattern: {limit.pattern}"
    elif long:
        yield f"Member must have length less than or equal to {limit.most}"


def _matches(pattern: str, text: str) -> bool:
    """Whether the whole text is of the pattern: AWS's services match so, anchored or not."""
    compiled, classes = _compiled(pattern)
    if classes and not text.isascii():
        text = "".join(
            _STAND_INS.get(unicodedata.category(character)[0], character) if character > "\x7f" else character
            for character in text
        )
    return compiled.fullmatch(text) is not None


@functools.cache
def _compiled(pattern: str) -> tuple[re.Pattern[str], bool]:
    """A pattern of Java's as Python has it, and whether it names classes of Unicode."""
    own = re.sub(r"\\p\{(?:Is)?([LNZ])\}", lambda classes: _PLAIN[classes[1]] + _STAND_INS[classes[1]], pattern)
    # Java's \w and \d are of ASCII.
    return re.compile(own, re.ASCII), own != pattern


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
