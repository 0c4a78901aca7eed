"""What a task runs on top of: one module per engine. Each turns a task's environment into a `Launch`.

An engine's process is started, bounded and reported by `container`; an engine only says what to start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path


@dataclass
class Counts:
    """What a run did, as far as the engine reports it. None: not reported; never a guess."""

    records: int | None = None
    failures: int | None = None
    warnings: int | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Counts:
        """Read the counts of a report.

        Raises:
            ValueError: they are not counts.
        """
        known = [field.name for field in fields(cls)]
        if not set(data) <= set(known):
            raise ValueError(f"it holds more than {', '.join(known)}")
        for name, value in data.items():
            if value is not None and type(value) is not int:
                raise ValueError(f"{name} is not a whole number")
        return cls(**data)  # type: ignore[arg-type]


@dataclass
class Report:
    """What an engine's process reports to the container, in a file."""

    counts: Counts = field(default_factory=Counts)
    own_error: bool = False
    """Whether the process ended with an error of Penstock, so that its exit code is one of `contract.Exit`."""

    def to_json(self) -> str:
        """The report's text."""
        return json.dumps({**vars(self.counts), "own_error": self.own_error})

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError("it is not a JSON object")
        own = data.pop("own_error", False)
        if not isinstance(own, bool):
            raise ValueError("own_error is neither true nor false")
        return cls(Counts.from_json(data), own)

    def write(self, path: Path) -> None:
        """Atomically: the process may be killed at any moment, and half a report would be worse than none."""
        part = path.with_name(f"{path.name}.part")
        part.write_text(self.to_json())
        part.replace(path)


def _ignore(_line: str, _counts: Counts) -> None:
    return


@dataclass(frozen=True)
class Launch:
    """One process to start."""

    command: tuple[str, ...]
    title: str
    """What runs, with its version: for people."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Defaults of the engine, and values that it requires, on top of the container's environment."""
    count: Callable[[str, Counts], None] = _ignore
    """Reads one line of output, and adds to the counts."""
    after_failure: tuple[str, ...] = ()
    """A process to start once the engine has failed or was killed: it gets the same environment, and the moment of the
    start, in milliseconds since 1970, as its last argument."""
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
