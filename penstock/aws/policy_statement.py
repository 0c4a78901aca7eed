"""What one statement of an IAM policy is about, whichever way it is written: `Action` or `NotAction`, and so on. Pure.

Source: IAM User Guide, "IAM JSON policy elements: NotAction" and "NotResource": all but what they list, together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

EVERYTHING_BUT = "everything but "
"""Begins the one action, or resource, of a statement that lists what it is not about."""


def actions(statement: Mapping[str, Any], text: Callable[[Any], str] = str) -> list[str]:
    """Its actions; of `NotAction` one: `everything but iam:*, account:*`.

    Args:
        text: a value as a person reads it; in a template it may be a function of CloudFormation.
    """
    return _said(statement, "Action", text)


def resources(statement: Mapping[str, Any], text: Callable[[Any], str] = str) -> list[str]:
    """Its resources, as `actions`; none: it says nothing of them, as the trust of a role."""
    return _said(statement, "Resource", text)


def listed(value: Any) -> list[Any]:
    """IAM takes one thing for a list of one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _said(statement: Mapping[str, Any], element: str, text: Callable[[Any], str]) -> list[str]:
    values = [text(value) for value in listed(statement.get(element))]
    but = [text(value) for value in listed(statement.get(f"Not{element}"))]
    return [*values, EVERYTHING_BUT + ", ".join(but)] if but else values
