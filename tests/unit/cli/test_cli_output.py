"""What reaches a terminal: nothing that repaints it, sets its title or fills the clipboard."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from penstock.cli import logs, output
from penstock.cli.output import Format

LINE = "load\tdone \x1b]52;c;ZXZpbA==\x07 \x1b]0;title\x07 \x1b[2J \x9b2J \u202eright to left ü"
SHOWN = "load\tdone \\x1b]52;c;ZXZpbA==\\x07 \\x1b]0;title\\x07 \\x1b[2J \\x9b2J \\u202eright to left ü"


@pytest.mark.parametrize(("terminal", "shown"), [(True, SHOWN), (False, LINE)])
def test_log_on_a_terminal_is_harmless(monkeypatch: pytest.MonkeyPatch, terminal: bool, shown: str) -> None:
    """Escape sequences of a task's log are shown, not done; a file or a pipe gets the log unchanged."""
    written = io.StringIO()
    monkeypatch.setattr(logs, "data", Console(file=written, force_terminal=terminal))
    logs._print_log("load", [LINE], Format.text)

    assert written.getvalue() == shown + "\n"


def test_json_has_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    """Not even those that JSON allows unescaped; what it says is the same."""
    output.show_json({"lines": [LINE]})
    written = capsys.readouterr().out

    assert written.replace("\n", "").isprintable()
    assert "ü" in written
    assert json.loads(written) == {"lines": [LINE]}
