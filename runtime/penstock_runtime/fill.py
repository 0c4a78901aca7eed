"""`${NAME}` in a workflow config: filled after parsing, in any string value, also inside a longer one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def names(value: Any) -> Iterator[str]:
    """Every NAME that a parsed YAML or JSON value holds as `${NAME}`, in order, repeated if it is repeated."""
    if isinstance(value, str):
        yield from PLACEHOLDER.findall(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from names(item)
    elif isinstance(value, list):
        for item in value:
            yield from names(item)


def fill(value: Any, known: Iterable[str], environ: Mapping[str, str]) -> Any:
    """A copy of the value with every `${NAME}` replaced by its environment variable. Filled values stay strings.

    Raises:
        RunError: a name is not among `known`, or not in the environment.
    """
    allowed = frozenset(known)

    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if name not in allowed:
            raise RunError(
                f"the config names ${{{name}}}, which the task was not given",
                fix=f"declare {name} under secrets or variables in penstock.yaml, and deploy again",
                exit_code=Exit.WRONG_INPUT,
            )
        if name not in environ:
            raise RunError(
                f"the environment variable {name}, which the config names, is not set",
                fix="deploy again: the task definition and the bundle are of different releases",
                exit_code=Exit.WRONG_INPUT,
            )
        return environ[name]

    def walk(item: Any) -> Any:
        if isinstance(item, str):
            return PLACEHOLDER.sub(value_of, item)
        if isinstance(item, Mapping):
            return {key: walk(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [walk(inner) for inner in item]
        return item

    return walk(value)
