"""The one exception tree.

    PenstockError          exit code 1: something failed
    ├── InputError         exit code 2: what the user wrote is wrong; says where
    │   └── InputErrors    several of them, reported together
    ├── FailedForGood      a task failed, and would again: what the user wrote or made is at fault
    └── RunError           a run in the container failed; carries a documented exit code (see `contract.Exit`)

Every error says what happened and what to do about it; `where` is `file:line:column` when a file is to blame.
"""

from __future__ import annotations

MAX_LINE = 1000
"""Characters of a line of an error: enough for all own texts, but not for whatever a user's file puts into it."""


class PenstockError(Exception):
    """What went wrong, where, and the next thing to do."""

    exit_code = 1

    def __init__(self, what: str, *, fix: str, where: str = "") -> None:
        super().__init__(what)
        self.what, self.fix, self.where = what, fix, where

    def __str__(self) -> str:
        where = f"{plain(self.where)}: " if self.where else ""
        return f"{where}{self._shown(self.what)}\n  fix: {self._shown(self.fix)}"

    def _shown(self, text: str) -> str:
        """Line ends stay: an error may quote the last lines of a log."""
        return "\n".join(map(plain, text.split("\n")))


def plain(text: str) -> str:
    """A text on one line that a terminal only shows: control, invisible and half characters as escapes, shortened.

    A file's name or a value may hold an escape sequence that repaints the screen, or turns the reading direction.
    """
    return visible(text if len(text) <= MAX_LINE else text[: MAX_LINE - 1] + "…")


def visible(text: str, keep: str = "") -> str:
    """A text whose control, invisible and half characters are escapes, but for those in `keep`."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode() for char in text
    )


class InputError(PenstockError):
    """The user's file or command line is wrong. Nothing has been changed."""

    exit_code = 2

    def _shown(self, text: str) -> str:
        """On one line: a line end can only come from what the user wrote."""
        return plain(text)


class InputErrors(InputError):
    """All errors of a project, found in one pass; at least one."""

    def __init__(self, errors: list[InputError]) -> None:
        first = errors[0]
        super().__init__(first.what, fix=first.fix, where=first.where)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class FailedForGood(PenstockError):
    """A task failed, and another try would fail in the same way: what the user wrote or made is at fault."""


class RunError(PenstockError):
    """A run in the container cannot go on. `exit_code` is one of `contract.Exit`."""

    def __init__(self, what: str, *, fix: str, exit_code: int, where: str = "") -> None:
        super().__init__(what, fix=fix, where=where)
        self.exit_code = exit_code
