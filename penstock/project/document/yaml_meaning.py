"""What a plain scalar means: in YAML 1.1, as `yaml.safe_load` has it, and in YAML 1.2, as Meltano has it.

OpenMetadata's engine reads files by PyYAML, Meltano by ruamel.yaml: `yes`, `on` and `12:30` are text there, `0123` is
123, `0o17` is 15, `1e3` is a number. Tried with Meltano 4.4.1 and ruamel.yaml 0.18, value by value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_PYYAML = yaml.constructor.SafeConstructor()


@dataclass(frozen=True)
class Meaning:
    """One version's rules."""

    resolvers: Mapping[str, list[tuple[str, re.Pattern[str]]]]
    """First character of a scalar → the tags that it may have, each with its pattern, in order."""
    construct: Mapping[str, Callable[[yaml.ScalarNode], Any]]
    """Tag → value. A scalar of any other tag is text."""


def _integer(node: yaml.ScalarNode) -> int:
    """An integer of YAML 1.2: a leading zero means nothing."""
    text = str(node.value).replace("_", "")
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2], 10)
    return sign * int(digits if base == 10 else digits[2:], base)


_PATTERNS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "float": (
        r"[-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.[0-9_]+([eE][-+][0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "int": (r"[-+]?0b[0-1_]+|[-+]?0o?[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+", "-+0123456789"),
}


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """Those of YAML 1.2 in place of 1.1's; null and timestamps are the same in both."""
    resolvers = {
        first: [(tag, pattern) for tag, pattern in tags if tag.removeprefix(_TAG) not in _PATTERNS]
        for first, tags in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for kind, (pattern, firsts) in _PATTERNS.items():
        for first in firsts:
            resolvers.setdefault(first, []).append((_TAG + kind, re.compile(rf"(?:{pattern})\Z")))
    return resolvers


YAML_1_1 = Meaning(
    yaml.SafeLoader.yaml_implicit_resolvers,
    {
        f"{_TAG}bool": _PYYAML.construct_yaml_bool,
        f"{_TAG}int": _PYYAML.construct_yaml_int,
        f"{_TAG}float": _PYYAML.construct_yaml_float,
        f"{_TAG}timestamp": _PYYAML.construct_yaml_timestamp,
    },
)
YAML_1_2 = Meaning(_resolvers(), {**YAML_1_1.construct, f"{_TAG}int": _integer})
