"""Edits of YAML as text: what is written, what stays to the byte, what is refused."""

from __future__ import annotations

import difflib
from pathlib import Path
from textwrap import dedent

import pytest

from penstock.project.document.document import at, parse
from penstock.project.document.edit import flow, put
from penstock_runtime.errors import InputError

ROOT = Path(__file__).parents[4]
FILES = [ROOT / "penstock.yaml", *sorted((ROOT / "tests" / "golden").glob("*/project/penstock.yaml"))]
VALUE = {"environment": "team", "groups": ["sg-1", "sg-2"]}
OTHERS = ("create", "self_managed")
LINE = "{environment: team, groups: [sg-1, sg-2]}"
BLOCK = "  use:\n    environment: team\n    groups: [sg-1, sg-2]\n"

CASES = {
    "block": ("airflow:\n  create:\n    version: 1\n    class: b\nz: 1\n", f"airflow:\n{BLOCK}z: 1\n"),
    "block with others": (
        "airflow:\n  # why\n  prefix: x  # here\n  create:\n    version: 1\n# tail\nz: 1\n",
        f"airflow:\n  # why\n  prefix: x  # here\n{BLOCK}# tail\nz: 1\n",
    ),
    "comment behind one line": ("airflow:\n  create: {a: b}  # c\n", f"airflow:\n{BLOCK.replace('use:', 'use:  # c')}"),
    "one line": ("airflow: {create: {a: b}}  # c\nz: 1\n", f"airflow:  # c\n{BLOCK}z: 1\n"),
    "one line with others": ("airflow: {create: {a: b}, p: x}\n", f"airflow: {{use: {LINE}, p: x}}\n"),
    "one line, last": ("airflow: {p: x, create: {a: b}} # c\n", f"airflow: {{p: x, use: {LINE}}} # c\n"),
    "one line without": ("airflow: {p: x}\n", f"airflow: {{use: {LINE}, p: x}}\n"),
    "two of the others": ("airflow: {create: {a: b}, p: x, self_managed: {}}\n", f"airflow: {{use: {LINE}, p: x}}\n"),
    "two in a block": ("airflow:\n  create: {a: b}\n  self_managed:\n    v: 1\n  p: x\n", f"airflow:\n{BLOCK}  p: x\n"),
    "block without": ("airflow:\n  p: x\n", f"airflow:\n{BLOCK}  p: x\n"),
    "nothing": ("airflow:\nz: 1\n", f"airflow: {{use: {LINE}}}\nz: 1\n"),
    "empty": ("airflow: {}\nz: 1\n", f"airflow: {{use: {LINE}}}\nz: 1\n"),
    "no such key": ("z: 1  # c\n", f"z: 1  # c\nairflow:\n{BLOCK}"),
    "no line end": ("z: 1", f"z: 1\nairflow:\n{BLOCK}"),
    "over several lines": ("airflow: {create: {a: b,\n   c: d}, p: x}\n", f"airflow: {{use: {LINE}, p: x}}\n"),
    "Windows line ends": ("airflow:\r\n  create: {a: b}\r\nz: 1\r\n", f"airflow:\n{BLOCK}z: 1\n".replace("\n", "\r\n")),
    "whole file on one line": ("{z: 1, airflow: {create: {a: b}}}\n", f"{{z: 1, airflow: {{use: {LINE}}}}}\n"),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_the_value_is_put_and_the_rest_stays(before: str, after: str) -> None:
    assert put(parse(before, "f", text_keys=True), ("airflow", "use"), VALUE, without=OTHERS) == after


def test_the_second_time_changes_nothing() -> None:
    """Adopting again what is adopted gives the same bytes, in every layout."""
    for _, after in CASES.values():
        assert put(parse(after, "f", text_keys=True), ("airflow", "use"), VALUE, without=OTHERS) == after


@pytest.mark.parametrize("environment", ["one", "block", "nothing"])
def test_an_environment_of_any_layout(environment: str) -> None:
    before = dedent(
        """\
        environments:
          one: {region: r}  # c
          block:
            region: r
          nothing:
        z: 1
        """
    )
    path = ("environments", environment, "airflow", "use")
    after = put(parse(before, "f", text_keys=True), path, VALUE, without=OTHERS)

    gone = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("- ")]
    assert len(gone) == (0 if environment == "block" else 1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parts[-3])
@pytest.mark.parametrize("part", ["airflow", "network"])
def test_real_projects_lose_only_what_is_replaced(path: Path, part: str) -> None:
    """At the top level and in each environment, every line but those that held this part is still there, in order."""
    text = path.read_text()
    document = parse(text, "f", text_keys=True)
    for above in ((), *(("environments", name) for name in document.root.value["environments"].value)):
        after = put(document, (*above, part, "use"), VALUE, without=OTHERS)
        # An environment that has no such part gets it into its own lines.
        held = at(document.root, (*above, part))
        lines = text.splitlines()
        of_part = range(held.line, held.line + len(document.source(held).splitlines()))
        changes = list(difflib.ndiff(lines, after.splitlines()))
        gone = [line[2:] for line in changes if line.startswith("- ")]

        assert set(gone) <= {lines[number] for number in of_part}


@pytest.mark.parametrize(
    "text",
    [
        "airflow: &x {create: {a: b}}\nother: *x\n",
        "base: &x {create: {a: b}}\nairflow: *x\n",
        "base: &x {create: {a: b}, p: q}\nairflow:\n  <<: *x\n",
    ],
    ids=["anchor", "alias", "merge key"],
)
def test_what_it_cannot_edit_is_refused_with_what_to_write(text: str) -> None:
    """One text that stands for two places: an edit would change both."""
    with pytest.raises(InputError, match="without changing something else") as caught:
        put(parse(text, "f", text_keys=True), ("airflow", "use"), VALUE, without=OTHERS)

    assert LINE in caught.value.fix


@pytest.mark.parametrize(
    "text", ["2.10", "yes", "111122223333", "a: b", "", "-", "a#b c", "arn:aws:iam::1:role/x", "1e3"]
)
def test_a_text_stays_a_text(text: str) -> None:
    """Whatever YAML would take for a number, a truth value or a mapping is quoted."""
    assert parse(f"a: {{b: {flow(text)}}}", "f").root.plain() == {"a": {"b": text}}
