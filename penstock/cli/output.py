"""What people and programs see: data on stdout as a table or JSON, progress on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from penstock_runtime.errors import plain

talk = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
data = Console(highlight=False, emoji=False, soft_wrap=True)


class Format(StrEnum):
    """How a command prints its data."""

    text = "text"
    json = "json"


def show(rows: Sequence[dict[str, Any]], columns: Sequence[str], form: Format, *, empty: str = "") -> None:
    """Print rows: all their fields as JSON, or the named columns as a table."""
    if form is Format.json:
        show_json(list(rows))
        return
    if not rows:
        talk.print(empty or "nothing to show", style="dim", markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(_cell(row[column]))) for column in columns))
    # A pipe has no width: a row must stay on its line there.
    (data if data.is_terminal else Console(width=500)).print(table)


def show_json(value: Any) -> None:
    """Print one JSON document; control characters that JSON allows unescaped (C1) are escaped, too."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    sys.stdout.write("".join(map(_in_json, text)) + "\n" if not text.replace("\n", "").isprintable() else text + "\n")


class Step:
    """A step that is under way; see `penstock.local.progress.Step`."""

    failed = False

    def fail(self) -> None:
        """Mark it as failed when it ends."""
        self.failed = True


class Steps:
    """Progress for people: a line per step with its time; while a step runs, a terminal shows what it is at."""

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """One step; see `penstock.local.progress.Progress`."""
        start, step = time.monotonic(), Step()
        try:
            if talk.is_terminal:
                shown: Any = talk.status(title)
            else:
                talk.print(f"… {title}", markup=False)
                shown = contextlib.nullcontext()
            with shown:
                yield step
        except BaseException:
            step.fail()
            raise
        finally:
            mark = "[red]✗[/red]" if step.failed else "[green]✓[/green]"
            talk.print(f"{mark} {escape(title)} [dim]({time.monotonic() - start:.1f} s)[/dim]")

    def note(self, text: str) -> None:
        """One line about the step at hand."""
        talk.print(f"  {plain(text)}", style="dim", markup=False)


def _in_json(character: str) -> str:
    return character if character.isprintable() or character == "\n" else json.dumps(character)[1:-1]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    talk.print(text, style="yellow", markup=False)
