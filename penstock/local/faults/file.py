"""Reading a file of faults, once and whenever it has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from penstock.local.faults.rules import Faults, check
from penstock.project.document.document import parse, read_text
from penstock.project.document.problems import Problems
from penstock.project.document.report import Report
from penstock.project.schema.explain import explain
from penstock_runtime.errors import InputError, InputErrors


def read(path: Path) -> Faults:
    """The faults of a file.

    Raises:
        InputError, InputErrors: all that is wrong with it, with places.
    """
    return from_text(read_text(path, str(path)), str(path))


def from_text(text: str, name: str) -> Faults:
    """The faults of YAML text, and so of JSON.

    Args:
        name: what errors call the text.

    Raises:
        InputError, InputErrors: all that is wrong with it, with places.
    """
    document, problems = parse(text, name), Problems()
    try:
        faults = Faults.model_validate(document.root.plain())
    except ValidationError as error:
        explain(error, Faults, document, document.root, problems)
        problems.raise_all()
        raise
    Report(document, problems).add_all(check(faults))
    problems.raise_all()
    return faults


class Watched:
    """A file of faults that is read again when it has changed."""

    def __init__(self, path: Path, take: Callable[[Faults], None], say: Callable[[str], None]) -> None:
        """Read the file.

        Args:
            take: gets the faults, now and after each change.
            say: gets a line about each change.

        Raises:
            InputError, InputErrors: the file is wrong at the start.
        """
        self._path, self._take, self._say = path, take, say
        self.problem: str | None = None
        """What is wrong with the file now, while older rules hold."""
        self._seen = self._state()
        take(read(path))

    def look(self) -> None:
        """Read the file if it has changed; a broken one changes no rule."""
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            faults = read(self._path)
        except (InputError, InputErrors) as error:
            self.problem = str(error)
            self._say(f"{error}\n  the rules from before still hold")
            return
        self.problem = None
        self._take(faults)
        self._say(f"{self._path} has changed: {len(faults.faults)} rules")

    def _state(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size
