"""What a check finds: a value that says what is wrong, how to mend it, and which part of a document it is about.

Checks yield problems and know nothing of files and lines. `penstock.project.document.report` is the one place that
turns a path into `file:line:column` and collects errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from penstock_runtime.errors import InputError

DocumentPath = tuple[str | int, ...]
"""Keys and indexes that lead from a document's root to one of its values."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or that may be unintended."""

    what: str
    fix: str
    """The next thing to do about it."""
    path: DocumentPath = ()
    """The part of the project file that it is about."""
    at_key: bool = False
    """Whether it is about the key at the end of `path`, and not about the key's value."""
    where: str = ""
    """`file:line:column`, in the place of `path`: for what stands in another file that the project names."""
    is_error: bool = True
    """Whether nothing can be done before it is mended; otherwise it is a warning."""

    def error(self) -> InputError:
        """The problem as an error to raise; it has a place only if `where` says one."""
        return InputError(self.what, fix=self.fix, where=self.where)

    def at(self, *path: str | int, key: bool = False) -> Problem:
        """The same problem, at a path."""
        return replace(self, path=path, at_key=key)

    def below(self, *path: str | int) -> Problem:
        """The same problem, with `path` in front of its own."""
        return replace(self, path=(*path, *self.path))
