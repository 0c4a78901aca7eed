"""How the embedded mode tells what it is doing, without knowing who listens."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Step(Protocol):
    """A step that is under way."""

    def fail(self) -> None:
        """What the step did has failed, though nothing was raised."""
        ...


class Progress(Protocol):
    """Where steps are reported to. `penstock.cli.output` has the one that people see."""

    def step(self, title: str) -> AbstractContextManager[Step]:
        """A step that begins now and ends with the block; an exception marks it as failed."""
        ...

    def note(self, text: str) -> None:
        """One line about the step at hand."""
        ...
