"""The list of mutants, and where each of them applies."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("mutants.yaml")


@dataclass(frozen=True)
class Mutant:
    """One planted mistake."""

    name: str
    file: str
    """Path in the repository."""
    old: str
    """Text that the file has exactly once."""
    new: str
    why: str
    """What goes wrong for a user with this change."""
    tests: tuple[str, ...]
    """The smallest folders or files of unit tests of which one test must fail."""

    def problem(self, root: Path = ROOT) -> str | None:
        """Why the mutant cannot be planted in this tree, and what to correct in the list; None if it can be."""
        path = root / self.file
        if not path.is_file():
            return f"{self.file} does not exist{_elsewhere(self.old, root)}: correct file"
        text = path.read_text()
        if (count := text.count(self.old)) > 1:
            return f"{self.file} has the old text {count} times: make old longer"
        if count == 0:
            near = difflib.get_close_matches(self.old.strip(), [line.strip() for line in text.splitlines()], 1, 0.4)
            nearest = f"; the nearest line is {near[0]!r}" if near else ""
            return (
                f"{self.file} does not have the old text {self.old!r}{_elsewhere(self.old, root)}{nearest}: correct old"
            )
        if missing := [test for test in self.tests if not (root / test).exists()]:
            return f"{missing[0]} does not exist: correct tests"
        return None

    def planted(self, text: str) -> str:
        """The file's text with the mistake in it."""
        return text.replace(self.old, self.new)


def read(path: Path = LIST) -> list[Mutant]:
    """The mutants of a list, in its order."""
    entries = yaml.safe_load(path.read_text())
    return [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def _elsewhere(old: str, root: Path) -> str:
    """Where the text has moved to, in words."""
    folders = ("penstock", "runtime", "stacks")
    files = [path for folder in folders for path in sorted((root / folder).rglob("*.py")) if old in path.read_text()]
    return f"; the old text is in {files[0].relative_to(root)}" if files else ""
