"""Edits of lists and mappings: what is written, what stays to the byte, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.project.document.document import parse, read_document
from penstock.project.document.entries import Entries
from penstock.project.document.yaml_meaning import YAML_1_2
from penstock_runtime.errors import InputError

ROOT = Path(__file__).resolve().parents[4]
CORPORA = ROOT / ".." / "shared" / "corpora"
REAL = sorted(path for name in ("meltano", "meltano-synthetic") for path in (CORPORA / name).glob("*/**/*.yml"))

NEW = {"name": "new", "tasks": ["tap-a target-b", ["dbt:run", "dbt:test"]]}
BLOCK = "- name: new\n  tasks:\n  - tap-a target-b\n  - [dbt:run, dbt:test]\n"
INDENTED = "  - name: new\n    tasks:\n      - tap-a target-b\n      - [dbt:run, dbt:test]\n"
LINE = "{name: new, tasks: [tap-a target-b, [dbt:run, dbt:test]]}"

APPENDED = {
    "no list": ("a: 1  # c\n", f"a: 1  # c\njobs:\n{BLOCK}"),
    "no list, others indented": ("b:\n  - 1\n", f"b:\n  - 1\njobs:\n{INDENTED}"),
    "no line end": ("a: 1", f"a: 1\njobs:\n{BLOCK}"),
    "nothing": ("jobs:  # c\nz: 1\n", f"jobs:  # c\n{BLOCK}z: 1\n"),
    "null": ("jobs: null\nz: 1\n", f"jobs:\n{BLOCK}z: 1\n"),
    "empty": ("jobs: []  # c\nz: 1\n", f"jobs:  # c\n{BLOCK}z: 1\n"),
    "block": ("jobs:\n- name: a  # c\n# d\nz: 1\n", f"jobs:\n- name: a  # c\n{BLOCK}# d\nz: 1\n"),
    "indented block": ("jobs:\n  - name: a\n    tasks: [b]\n", f"jobs:\n  - name: a\n    tasks: [b]\n{INDENTED}"),
    "ends with a text of lines": (
        "jobs:\n- name: |\n    a\n    b\nz: 1\n",
        f"jobs:\n- name: |\n    a\n    b\n{BLOCK}z: 1\n",
    ),
    "one line": ("jobs: [{name: a}]  # c\n", f"jobs: [{{name: a}}, {LINE}]  # c\n"),
    "Windows": ("jobs:\r\n- name: a\r\n", f"jobs:\n- name: a\n{BLOCK}".replace("\n", "\r\n")),
}


def _edit(text: str) -> Entries:
    return Entries(parse(text, "f"), text_keys=False)


@pytest.mark.parametrize(("before", "after"), APPENDED.values(), ids=APPENDED)
def test_an_entry_is_added_at_the_end(before: str, after: str) -> None:
    assert _edit(before).append("jobs", NEW) == after


REMOVED: dict[str, tuple[str, tuple[str | int, ...], str]] = {
    "first": ("jobs:\n# c\n- name: a  # d\n  t:\n  - 1\n- name: b\n", ("jobs", 0), "jobs:\n# c\n- name: b\n"),
    "last": ("jobs:\n- name: a\n- name: b\n  # e\n  t: 1\n# z\n", ("jobs", 1), "jobs:\n- name: a\n# z\n"),
    "only": ("jobs:  # c\n  # d\n  - name: a\n    t: 1\nz: 1\n", ("jobs", 0), "jobs: []  # c\n  # d\nz: 1\n"),
    "dash alone": ("jobs:\n-\n  name: a\n- name: b\n", ("jobs", 0), "jobs:\n- name: b\n"),
    "in a line": ("jobs: [{name: a}, {name: b}]  # c\n", ("jobs", 0), "jobs: [{name: b}]  # c\n"),
    "last in a line": ("jobs: [{name: a}, {name: b}]\n", ("jobs", 1), "jobs: [{name: a}]\n"),
    "only in a line": ("jobs: [{name: a}]\n", ("jobs", 0), "jobs: []\n"),
    "key": ("jobs:\n  a:\n    t: 1\n  # c\n  b: {t: 2}  # d\n", ("jobs", "a"), "jobs:\n  # c\n  b: {t: 2}  # d\n"),
    "only key": ("jobs:\n  a:\n    t: 1\nz: 1\n", ("jobs", "a"), "jobs: {}\nz: 1\n"),
    "key in a line": ("jobs: {a: {t: 1}, b: 2}\n", ("jobs", "a"), "jobs: {b: 2}\n"),
    "Windows": ("jobs:\r\n- name: a\r\n- name: b\r\n", ("jobs", 0), "jobs:\r\n- name: b\r\n"),
}


@pytest.mark.parametrize(("before", "path", "after"), REMOVED.values(), ids=REMOVED)
def test_an_entry_is_removed(before: str, path: tuple[str | int, ...], after: str) -> None:
    assert _edit(before).remove(path) == after


ASSIGNED: dict[str, tuple[str, tuple[str | int, ...], Any, str]] = {
    "text": ("a:\n- b: 1  # c\n", ("a", 0, "b"), "x y", "a:\n- b: x y  # c\n"),
    "quoted": ("a:\n- b: '@daily'  # c\n", ("a", 0, "b"), "@hourly", 'a:\n- b: "@hourly"  # c\n'),
    "null": ("a:\n- b: 1\n", ("a", 0, "b"), None, "a:\n- b: null\n"),
    "over nothing": ("a:\n- b:\n  c: 1\n", ("a", 0, "b"), "x", "a:\n- b: x\n  c: 1\n"),
    "missing": ("a:\n- b: 1  # c\n# d\n", ("a", 0, "e"), "x", "a:\n- b: 1  # c\n  e: x\n# d\n"),
    "in a line": ("a: [{b: 1}]\n", ("a", 0, "b"), "x", "a: [{b: x}]\n"),
    "missing in a line": ("a: [{b: 1}]\n", ("a", 0, "e"), ["x"], "a: [{b: 1, e: [x]}]\n"),
    "list": ("a:\n- b:\n  - 1\n  - 2\n  # c\n- d: 1\n", ("a", 0, "b"), ["x"], "a:\n- b:\n  - x\n  # c\n- d: 1\n"),
    "list in a line": ("a:\n- b: [1, 2]  # c\n", ("a", 0, "b"), ["x", "y"], "a:\n- b: [x, y]  # c\n"),
    "list over a text": ("a:\n- b: x y  # c\n", ("a", 0, "b"), ["x"], "a:\n- b: [x]  # c\n"),
    "mapping, first": ("z: 1\n", ("jobs", "a"), {"t": [{"n": "x"}]}, "z: 1\njobs:\n  a:\n    t:\n    - n: x\n"),
    "mapping": ("jobs:\n  b: 1\nz: 1\n", ("jobs", "a"), {"t": "x"}, "jobs:\n  b: 1\n  a:\n    t: x\nz: 1\n"),
    "text over lines": ("a:\n- b: >-\n    x\n    y\n  c: 1\n", ("a", 0, "b"), "z", "a:\n- b: z\n  c: 1\n"),
}


@pytest.mark.parametrize(("before", "path", "value", "after"), ASSIGNED.values(), ids=ASSIGNED)
def test_a_value_is_assigned(before: str, path: tuple[str | int, ...], value: Any, after: str) -> None:
    assert _edit(before).assign(path, value) == after


@pytest.mark.parametrize(
    ("text", "path"),
    [("x: &x {b: 1}\na:\n- *x\n- *x\n", ("a", 0, "b")), ("x: &x {b: 1}\na:\n- <<: *x\n  c: 1\n", ("a", 0, "b"))],
    ids=["alias", "merged"],
)
def test_what_is_shared_is_not_edited(text: str, path: tuple[str | int, ...]) -> None:
    with pytest.raises(InputError, match="cannot be edited without changing something else") as raised:
        _edit(text).assign(path, "new")
    assert raised.value.fix == "edit it by hand: write it: b: new"


@pytest.mark.skipif(not REAL, reason="the corpora of Meltano projects are not beside the repository")
@pytest.mark.parametrize("kind", ["jobs", "schedules"])
@pytest.mark.parametrize("path", REAL, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_real_files_gain_and_lose_only_their_lines(path: Path, kind: str) -> None:
    """What is added and removed again leaves the file as it was; removing any entry only takes lines away."""
    document = read_document(path, "f", meaning=YAML_1_2)
    count = len(document.root.plain().get(kind) or [])
    added = Entries(document, YAML_1_2, text_keys=False).append(kind, NEW)
    again = parse(added, "f", meaning=YAML_1_2)
    restored = Entries(again, YAML_1_2, text_keys=False).remove((kind, count))
    if count:
        assert _within(document.text, added)
        assert restored.rstrip() == document.text.rstrip()
    for index in {0, count // 2, count - 1} if count > 1 else ():
        assert _within(Entries(document, YAML_1_2, text_keys=False).remove((kind, index)), document.text)


def _within(fewer: str, more: str) -> bool:
    """Whether every line of one text is in the other, in order."""
    lines = iter(more.splitlines())
    return all(line in lines for line in fewer.splitlines())


words = st.text("ab-:_ #'\"@*,{}[]é1", max_size=8)


@given(words, st.lists(words, min_size=1, max_size=3), st.booleans())
def test_any_text_comes_back(name: str, tasks: list[str], in_line: bool) -> None:
    """Whatever has to be quoted is, in both styles."""
    before = "jobs: [{name: a}]  # c\nz: 1\n" if in_line else "jobs:\n- name: a  # c\nz: 1\n"
    entry = {"name": name, "tasks": tasks}
    after = _edit(before).append("jobs", entry)
    assert parse(after, "f").root.plain() == {"jobs": [{"name": "a"}, entry], "z": 1}
