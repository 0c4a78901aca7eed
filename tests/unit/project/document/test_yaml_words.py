"""A YAML file that cannot be read: where a quote is the fix, the fix says so; what nobody can see is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.project.document.document import parse
from penstock.project.schema import units
from penstock_runtime.errors import InputError
from tests.unit.project_files import PROJECT, WORKFLOW, errors, write

CASES = {
    # name: (text, place, part of what, fix)
    "a preset": ("a:\n  interval: @daily  # at night\n", "2:13", "cannot begin with '@'", "quote it: '@daily'"),
    "a preset in braces": ("a: {interval: @daily, b: c}\n", "1:15", "cannot begin with '@'", "quote it: '@daily'"),
    "a percent sign": ("a:\n  - %tmp\n", "2:5", "cannot begin with '%'", "quote it: '%tmp'"),
    "a backtick": ("a: `x`\n", "1:4", "cannot begin with '`'", "quote it: '`x`'"),
    "a star": ("a:\n  - *.raw\n", "2:6", "cannot begin with '*'", "quote it: '*.raw'"),
    "a star in brackets": ("a: [*.raw, b]\n", "1:6", "cannot begin with '*'", "quote it: '*.raw'"),
    "stars around": ("a: *raw*  # all\n", "1:8", "cannot begin with '*'", "quote it: '*raw*'"),
    "a star and a name": ("a: *raw\n", "1:4", "no anchor &raw", "define it above, or quote the text: '*raw'"),
    "an ampersand": ("a: &\n", "1:5", "cannot begin with '&'", "quote it: '&'"),
    "an exclamation mark": ("a: !x y\n", "1:4", "the YAML tag !x", "remove the tag, or quote the text if it begins"),
    "a backslash": ('r: "^stg_\\d+$"\n', "1:10", "a backslash in double quotes", r"write it in single quotes: '^stg"),
    "a backslash and a quote": (
        'r: ["it\'s\\.x", b]\n', "1:10", "a backslash in double quotes", r"write it in single quotes: 'it''s\.x'"
    ),
    "text behind quotes": ('a: "x" y\n', "1:8", "behind the closing quote", "quote all of it: '\"x\" y'"),
    "an apostrophe": ("a: 'it's'\n", "1:8", "behind the closing quote", "quote all of it: '''it''s'''"),
    "typographic quotes": ("a: \u201cx: y\u201d\n", "1:6", "typographic quotation marks", "type straight ones"),
    "a no-break space that indents": (
        "a:\n  b: 1\n \u00a0c: 2\n", "3:2", "U+00A0 (no-break space) in the indentation", "delete it, and type a space"
    ),
    "a no-break space before a key": (
        "a:\n  b: 1\n\u00a0 c: 2\n", "3:1", "U+00A0 (no-break space) before the text", "delete it, and type a space"
    ),
    "no width": ("\u200ba: b\n", "1:1", "U+200B (zero width space) before the text", "delete it"),
    "a byte order mark within": ("a: 1\n\ufeffb: 2\n", "2:2", "U+FEFF (zero width no-break space)", "delete it"),
    "a wide space": ("a: \u3000b\n", "1:4", "U+3000 (ideographic space) before the text", "delete it"),
    "a tab": ("a: 1\n\tb: 2\n", "2:1", "", "indent with spaces; YAML allows no tabs"),
    "a name in braces": ("a: {b: ${X}}\n", "1:9", "", "put the text that holds ${NAME} in quotes"),
    "a colon": ("a: x: y\n", "1:5", "", "check the indentation, or quote the text that holds ': '"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "what", "fix"), CASES.values(), ids=CASES)
def test_words_of_a_missing_quote(text: str, place: str, what: str, fix: str) -> None:
    """The fix is what to write; the same for every file, since all are read by one module."""
    with pytest.raises(InputError) as caught:
        parse(text, "x.yaml")

    assert caught.value.where == f"x.yaml:{place}"
    assert what in caught.value.what
    assert caught.value.fix.startswith(fix)


@pytest.mark.parametrize("case", [case for case in CASES if "quote it: " in CASES[case][3]])
def test_the_quote_is_a_fix(case: str) -> None:
    """With the text quoted as the fix has it, the file can be read."""
    text, _, _, fix = CASES[case]
    quoted = fix.partition("quote it: ")[2]

    assert quoted[1:-1] in str(parse(text.replace(quoted[1:-1], quoted, 1), "x").root.plain())


@pytest.mark.parametrize(
    "text", ["a: 'x\u00a0y'\n", 'a: "\u00a0x"\n', "a: x\u00a0y\n", "a: |\n  \u00a0x\n", "a: \u201cx\u201d y\n"]
)
def test_such_characters_within_a_text_are_the_users(text: str) -> None:
    """Only at its start does one pass for an indentation."""
    parse(text, "x")


VALUES = {
    # name: (what is replaced, with what, fix)
    "vCPU": ("cpu_units: 512", "cpu_units: 1 vCPU", "write 1024"),
    "half a vCPU": ("cpu_units: 512", "cpu_units: 0.5vcpu", "write 512"),
    "a number in quotes": ("cpu_units: 512", 'cpu_units: "512"', "write it without quotes"),
    "a word in quotes": ("cpu_units: 512", 'cpu_units: "one"', "write a whole number"),
    "a word": ("cpu_units: 512", "cpu_units: one", "write a whole number"),
    "gigabytes": ("memory_mib: 1024", "memory_mib: 2 GB", "write 2048"),
    "hours": ("memory_mib: 1024}", "memory_mib: 1024, timeout_minutes: 2h}", "write 120"),
    "yes in quotes": ("memory_mib: 1024}", "memory_mib: 1024, spot: 'yes'}", "write it without quotes"),
    "no date": ("    job: warehouse\n", "    job: warehouse\n    start_date: '2024-1'\n", "write a date without"),
    "options as a mapping": (
        "class: mw1.small", 'class: mw1.small, options: {secrets.backend_kwargs: {sep: "/", x: it\'s}}',
        """write it as JSON in single quotes: '{"sep": "/", "x": "it''s"}'""",
    ),
    "an option that is yes": ("class: mw1.small", "class: mw1.small, options: {core.x: yes}", 'write "True": Airflow'),
    "an option that is a number": ("class: mw1.small", "class: mw1.small, options: {core.x: 4}", 'quote it: "4"'),
    "typographic quotes": ('"0 3 * * *"', "\u201c0 3 * * *\u201d", 'type straight ones: "0 3 * * *"'),
    "typographic quotes of a name": ("name: daily", "name: \u201cdaily\u201d", "type straight quotes, which"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fix"), VALUES.values(), ids=VALUES)
def test_fix_of_a_value(tmp_path: Path, old: str, new: str, fix: str) -> None:
    """It says what to write, and does not name quotes that are not there."""
    assert any(said.startswith(fix) for _, _, said in errors(write(tmp_path, (old, new))))


def test_workflow_files_and_meltano_speak_alike(tmp_path: Path) -> None:
    """Filters in the one and intervals in the other are where a quote is missing most often."""
    workflow = WORKFLOW.replace("DatabaseMetadata}}", "DatabaseMetadata, tableFilterPattern: {includes: [*.raw]}}}")
    meltano = "schedules:\n- {name: s, job: j, interval: @daily}\n"
    path = write(tmp_path, files={"warehouse.yaml": workflow, "meltano/meltano.yml": meltano})

    assert {fix for _, _, fix in errors(path)} == {"quote it: '*.raw'", "quote it: '@daily'"}
    assert "\u00a0" not in PROJECT


@pytest.mark.parametrize(
    ("key", "text", "number"),
    [
        ("cpu_units", "2 vCPUs", 2048),
        ("memory_mib", "512MiB", 512),
        ("memory_mib", "1.5 GB", 1536),
        ("ephemeral_storage_gib", "30 GiB", 30),
        ("retry_delay_minutes", "90 s", None),
        ("retry_delay_minutes", "300s", 5),
        ("retention_days", "2 weeks", 14),
        ("retries", "3 x", None),
        ("cpu_units", "1 GB", None),
    ],
)
def test_number_with_a_unit(key: str, text: str, number: int | None) -> None:
    """Only units that the key's own can be counted in, and only whole numbers."""
    assert units.number(key, text) == number
