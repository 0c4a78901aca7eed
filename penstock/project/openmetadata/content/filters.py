"""Regular expressions of filter patterns: the package compiles one when it has the first name to compare it with."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.problems import shown
from penstock.project.openmetadata.workflow import Workflow
from penstock_runtime.fill import PLACEHOLDER

_ENDING = "FilterPattern"
_LATE_FLAGS = "global flags not at the start"
"""What Python says from 3.11 on; 3.10, which the stock image has, takes them."""


def check(workflow: Workflow, variables: Mapping[str, str]) -> Iterator[Problem]:
    """Each entry of `includes` and `excludes` below a key that ends in `FilterPattern`.

    Args:
        variables: fill `${NAME}`; a pattern with another name is left to the run.
    """
    for node in _patterns(workflow.document.root):
        text = PLACEHOLDER.sub(lambda match: variables.get(match[1], match[0]), node.value)
        if PLACEHOLDER.search(text):
            continue
        if wrong := _wrong(text):
            late = wrong.startswith(_LATE_FLAGS)
            fix = "correct it; to match a character such as ( or * itself, write \\ before it"
            if late:
                fix = "remove them: names are compared without regard to case anyway"
            elif text.startswith("*"):
                fix = "write .* for any text: this is a regular expression, not a file pattern"
            yield Problem(
                f"{shown(text)} is not a regular expression: {wrong}",
                fix,
                where=workflow.document.where(node),
                is_error=not late,
            )


def _patterns(node: Node, key: str = "") -> Iterator[Node]:
    if isinstance(node.value, list):
        for item in node.value:
            yield from _patterns(item)
    elif isinstance(node.value, dict):
        for name, value in node.value.items():
            if key.endswith(_ENDING) and name in ("includes", "excludes"):
                if isinstance(value.value, list):
                    yield from (item for item in value.value if isinstance(item.value, str))
            else:
                yield from _patterns(value, str(name))


def _wrong(text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)[:120] or type(error).__name__
    return ""
