"""One mistake in a workflow, of the kinds that people make: a seed gives the same mistakes every time."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

WORDS: list[Any] = [
    *(
        "",
        "x",
        "yes",
        "true",
        "TRUE",
        "10",
        "1.0",
        " 7 ",
        "1e3",
        "0.5",
        "-1",
        "1_000",
        "INFO",
        "DEBG",
        "no-auth",
        "openmetadata",
    ),
    *(
        "http://localhost:8585/api",
        "https://",
        "localhost:8585",
        "//host",
        "redis://h:1",
        "2024-01-31",
        "2024-01-31T06:00:00Z",
    ),
    *(
        "01234567-89ab-cdef-0123-456789abcdef",
        "DatabaseMetadata",
        "Profiler",
        "Postgres",
        "postgres",
        "Airflow",
        "Backend",
    ),
    *(None, True, False, 0, 1, 2, -5, 10**20, 0.5, 1.0, float("inf")),
    *([], [1], ["a"], [None], {}, {"a": 1}, {"type": "Postgres"}, {"config": {}}, [[]], [{}]),
]
"""What may stand in the place of another value."""

Path = tuple[Any, ...]


def mistake(data: dict[str, Any], random_: random.Random) -> tuple[dict[str, Any], str, Path]:
    """A copy of a workflow with one mistake, its kind, and the path that it is at."""
    changed = copy.deepcopy(data)
    places = list(_places(changed))
    parent, key, path = random_.choice(places)
    kinds = (
        ["value", "wrap"]
        if isinstance(key, int)
        else ["value", "value", "misspelt", "misspelt", "missing", "extra", "wrap"]
    )
    kind = random_.choice(kinds)
    if kind == "value":
        value = parent[key]
        parent[key] = (
            misspell(value, random_)
            if isinstance(value, str) and value and random_.random() < 0.4
            else copy.deepcopy(random_.choice(WORDS))
        )
    elif kind == "wrap":
        parent[key] = [parent[key]] if random_.random() < 0.5 else {"value": parent[key]}
    elif kind == "missing":
        del parent[key]
    elif kind == "extra":
        parent[random_.choice(["enabled", "name", "type", "password", "database", "option"])] = random_.choice(WORDS)
    else:
        value = parent.pop(key)
        parent[misspell(key, random_)] = value
    return changed, kind, path


def misspell(word: str, random_: random.Random) -> str:
    """A word as a hand in a hurry types it."""
    at = random_.randrange(len(word))
    ways = [
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
        word.lower(),
        word[:1].swapcase() + word[1:],
        "".join(f"_{one.lower()}" if one.isupper() else one for one in word),
        word + "s",
    ]
    return random_.choice(ways)


def _places(value: Any, path: Path = ()) -> Iterator[tuple[Any, Any, Path]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key, (*path, key)
        yield from _places(inner, (*path, key))
