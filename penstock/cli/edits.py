"""Edits of the user's files that a command makes."""

from __future__ import annotations

from penstock.cli.output import talk
from penstock.project.document.change import FileChange


def make(change: FileChange) -> None:
    """Write a change, and show on stderr which lines it is made of."""
    change.write()
    for line in change.diff.splitlines():
        if line.startswith(("+", "-", "@@")):
            talk.print(line, style="dim", markup=False)
