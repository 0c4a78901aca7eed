"""Values as Python source: the same value when it is read, and laid out as Black does."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.bundle.export.literals import COLUMNS, Call, Code, assignment, identifier, multiline, string, text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_what_is_read(value: Any) -> None:
    """Whatever the quotes, the escapes and the line breaks."""
    assert ast.literal_eval(text(value)) == value


@given(st.text(max_size=200))
def test_texts_of_several_lines(value: str) -> None:
    """Triple quotes, backslashes and line ends that a file would change are escaped; line feeds are not."""
    written = multiline(value)

    assert ast.literal_eval(written) == value
    assert "\r" not in written


def test_lines_are_broken_where_black_breaks_them(tmp_path: Path) -> None:
    """A formatter has nothing to do: the same bracket for the same length, a comma at the end of each line."""
    made = []
    for length in range(COLUMNS - 30, COLUMNS + 4):
        word = "x" * length
        made += [
            assignment("name", word),
            assignment("name", {"key": word[:-20], "next": [1, 2]}),
            assignment("name", Call("function", {"argument": [word[:-30]], "other": Code("VALUE")}, (1,))),
            assignment("name", {"outer": {"inner": [word[:-35]]}}),
        ]
    file = tmp_path / "made.py"
    file.write_text("\n".join(made) + "\n")
    ruff = [str(Path(sys.executable).with_name("ruff")), "format", "--isolated", "--line-length", str(COLUMNS)]

    checked = subprocess.run([*ruff, "--diff", str(file)], capture_output=True, text=True, check=False)

    assert checked.stdout == ""
    assert checked.returncode == 0


def test_quotes() -> None:
    """Double ones, unless that escapes more."""
    assert string("it's") == '"it\'s"'
    assert string('say "x"') == "'say \"x\"'"
    assert string("both ' and \"") == '"both \' and \\""'


def test_names_of_variables() -> None:
    """Any task's name becomes a name of Python's, and no two become the same."""
    assert identifier("Load-Airlines 2", []) == "load_airlines_2"
    assert identifier("2nd", []) == "task_2nd"
    assert identifier("a-b", ["a_b", "a_b_2"]) == "a_b_3"
