"""What a task runs on top of: one module per engine. Each turns a task's environment into a `Launch`.

An engine's process is started, bounded and reported by `container`; an engine only says what to start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass
class Counts:
    """What a run did, as far as the engine tells. None: it does not tell; never a guess."""

    records: int | None = None
    failures: int | None = None
    warnings: int | None = None


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


def version(package: str) -> str:
    """The version of an installed package, or `(version unknown)`."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed(package)
    except PackageNotFoundError:
        return "(version unknown)"
