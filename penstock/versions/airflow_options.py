"""Airflow's own configuration options: which version has which, by what name, and which modules a class may be in.

`airflow_options.json` is written by `make tables` from the packages of the versions in `project.versions.AIRFLOW`. Of a
version between two of these, what either of them has counts as its own; of a newer one, what the newest has. Options of
providers are not in it: their sections are free.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.versions.number import parse

_SUFFIXES = ("_cmd", "_secret")
"""Behind an option's name: where its value comes from. Airflow, "Setting Configuration Options"."""
_ALIKE = 0.85
"""How alike two sections must be for one to be a slip of the other; below it, it is some provider's."""


@functools.cache
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text())
    return tables


def exists(option: str, airflow_version: str) -> bool:
    """Whether an Airflow reads an option by this name."""
    return any(_spans("options", name, airflow_version) for name in _names(option))


@functools.cache
def sections() -> frozenset[str]:
    """The sections of Airflow itself, in any version."""
    return frozenset(name.partition(".")[0] for name in _tables()["options"])


def is_own(section: str) -> bool:
    """Whether a section is of Airflow itself, in any version; the others are of providers."""
    return section in sections()


def new_name(option: str, airflow_version: str) -> str | None:
    """What an option that an Airflow no longer has is called there; None: it is gone, or never was."""
    renamed, name = _tables()["renamed"], option
    for _ in range(4):
        name = renamed.get(name)
        if name is None:
            return None
        if exists(name, airflow_version) or not is_own(name.partition(".")[0]):
            return str(name)
    return None


def is_still_read(option: str, airflow_version: str) -> bool:
    """Whether an Airflow takes an option by its old name too."""
    return _spans("still_read", option, airflow_version)


def versions_with(option: str) -> tuple[str, str] | None:
    """The first and the last version that have an option; None: none has."""
    for name in _names(option):
        if (span := _tables()["options"].get(name)) is not None:
            ends = span.split()
            return ends[0], ends[-1]
    return None


def kind(option: str) -> str:
    """`boolean`, `integer` or `float`; `text`: any, as far as Airflow says."""
    return str(_tables()["types"].get(option, "text"))


def nearest(option: str, airflow_version: str) -> str | None:
    """The option that was probably meant; None: it resembles none."""
    known = [option for option in _tables()["options"] if exists(option, airflow_version)]
    return next(iter(difflib.get_close_matches(option, known, n=1, cutoff=_ALIKE)), None)


def has_module(name: str, airflow_version: str) -> bool:
    """Whether an Airflow has a module of its own, as far as two levels deep: `airflow.utils.email`."""
    return _spans("modules", ".".join(name.split(".")[:3]), airflow_version)


def _names(option: str) -> Iterator[str]:
    yield option
    for suffix in _SUFFIXES:
        if option.endswith(suffix):
            yield option.removesuffix(suffix)


def _spans(table: str, name: str, airflow_version: str) -> bool:
    """Whether a table has a name for a version, or for one of its neighbours."""
    span = _tables()[table].get(name)
    if span is None:
        return False
    ends = [_place(end) for end in span.split()]
    near = _neighbours(airflow_version)
    return any(first <= place <= last for first, last in zip(ends[::2], ends[1::2], strict=True) for place in near)


def _place(version: str) -> int:
    return int(_tables()["versions"].index(version))


@functools.cache
def _neighbours(airflow_version: str) -> tuple[int, ...]:
    """The place of a version among those of the table; of one that it does not have, those around it."""
    known, wanted = _tables()["versions"], parse(airflow_version)
    if airflow_version in known:
        return (_place(airflow_version),)
    older = [place for place, version in enumerate(known) if wanted is None or (parse(version) or ()) < wanted]
    return tuple({older[-1] if older else 0, min(len(older), len(known) - 1)})
