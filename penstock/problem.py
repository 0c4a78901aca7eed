"""What a check finds: a value that says what is wrong, how to mend it, and which part of a document it is about.

Checks yield problems and know nothing of files and lines. `penstock.project.document.report` is the one place that
turns a path into `file:line:column` and collects errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

Path = tuple[str | int, ...]
"""Keys and indexes that lead from a document's root to one of its values."""


class Positioned(Protocol):
    """A part of a document that knows where it stands: a node."""

    line: int
    """Counted from 0."""
    column: int
    """Counted from 0."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or that may not be meant."""

    what: str
    fix: str
    """The next thing to do about it."""
    path: Path = ()
    """The part of the document that it is about."""
    at_key: bool = False
    """Whether it is about the key at the end of `path`, and not about the key's value."""
    node: Positioned | None = None
    """In the place of `path`, where the check has the part itself at hand."""
    is_error: bool = True
    """Whether nothing can be done before it is mended; otherwise it is a warning."""

    def at(self, *path: str | int, key: bool = False) -> Problem:
        """The same problem, at a path."""
        return replace(self, path=path, at_key=key)

    def below(self, *path: str | int) -> Problem:
        """The same problem, with `path` in front of its own."""
        return replace(self, path=(*path, *self.path))
