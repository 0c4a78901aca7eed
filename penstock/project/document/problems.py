"""Collecting what is wrong, so that one pass reports all of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from penstock.problem import Problem
from penstock_runtime.errors import InputError, InputErrors

MOST = 50
"""More errors than this help nobody, and a broken file can have thousands: the pass stops at them."""
_MISTYPED = 4
"""Characters that a name may be longer or shorter than what was meant."""
_COMPARED = 500
"""Names that are looked at for the nearest; comparing takes about 20 µs for each."""
_COMPARABLE = 200
"""Characters of a name that is compared at all: the time grows with the square of its length."""


class Problems:
    """The errors found so far. The same error at the same place counts once: environments share most of a file."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], InputError] = {}

    def add(self, what: str, *, fix: str, where: str) -> None:
        """Note an error and go on."""
        self.take(InputError(what, fix=fix, where=where))

    def add_all(self, problems: Iterable[Problem]) -> None:
        """Note problems that say themselves where they are, and go on."""
        for problem in problems:
            self.take(problem.error())

    def take(self, error: InputError) -> None:
        """Note an error that was raised; one that holds several counts as those.

        Raises:
            InputErrors: `MOST` have been found; it holds them all.
        """
        for problem in error.errors if isinstance(error, InputErrors) else (error,):
            self._found.setdefault((problem.where, problem.what), problem)
        if len(self._found) >= MOST:
            self.raise_all()

    def places(self) -> frozenset[str]:
        """Where something is wrong, as `file:line:column`."""
        return frozenset(where for where, _ in self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_all(self) -> None:
        """Raise what was found, if anything was.

        Raises:
            InputErrors: at least one error was noted; they are in the order found.
        """
        if self._found:
            raise InputErrors(list(self._found.values()))


def nearest(name: str, known: Iterable[str], *, kind: str) -> str:
    """The fix for a name that is not known: the nearest one that is, or all of them."""
    names = sorted(known)
    short = len(name) <= _COMPARABLE
    alike = [candidate for candidate in names if short and abs(len(candidate) - len(name)) <= _MISTYPED][:_COMPARED]
    close = difflib.get_close_matches(name, alike, n=1) or [
        candidate for candidate in names if len(name) > 1 and candidate.startswith(name)
    ]
    if close:
        return f"did you mean {shown(close[0])}?"
    if not names:
        return f"there is no {kind} yet: add one"
    listed = ", ".join(candidate[:60] for candidate in names[:20]) + (", …" if len(names) > 20 else "")
    return f"use one of: {listed}"


def shown(value: object) -> str:
    """A value of the user's in an error: short, on one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
