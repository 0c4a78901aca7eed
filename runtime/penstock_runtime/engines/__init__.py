"""What a task runs on top of: one module per engine. Each turns a task's environment into a `Launch`.

An engine's process is started, bounded and reported by `container`; an engine only says what to start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields


@dataclass
class Counts:
    """What a run did, as far as the engine tells. None: it does not tell; never a guess."""

    records: int | None = None
    failures: int | None = None
    warnings: int | None = None

    @classmethod
    def from_json(cls, text: str) -> Counts:
        """Read an engine's report.

        Raises:
            ValueError: it is none.
        """
        data = json.loads(text)
        known = [one.name for one in fields(cls)]
        if not isinstance(data, dict) or not set(data) <= set(known):
            raise ValueError(f"it is no JSON object of {', '.join(known)}")
        for name, value in data.items():
            if value is not None and type(value) is not int:
                raise ValueError(f"{name} is no whole number")
        return cls(**data)


def _ignore(_line: str, _counts: Counts) -> None:
    return


@dataclass(frozen=True)
class Launch:
    """One process to start."""

    command: tuple[str, ...]
    title: str
    """What runs, with its version: for people."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Defaults of the engine, and what it insists on, on top of the container's environment."""
    count: Callable[[str, Counts], None] = _ignore
    """Reads one line of output, and adds to the counts what it tells."""
    reports: bool = False
    """Whether it writes its counts to the file that `contract.REPORT` names."""


def version(package: str) -> str:
    """The version of an installed package, or `(version unknown)`."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed(package)
    except PackageNotFoundError:
        return "(version unknown)"
