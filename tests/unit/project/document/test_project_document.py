"""Reading YAML: what it means, where it stands, and what is refused, quickly."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
import yaml

from penstock.project.document.composer import MAX_DEPTH, MAX_NODES
from penstock.project.document.document import MAX_BYTES, at, parse, read_document
from penstock_runtime.errors import InputError

SCALARS = "[1, 0x1f, 010, 1_000, 1.5, .inf, 1e3, 1:30, yes, Off, ~, null, '', \"5\", '=', 2024-01-31, a b, 1.2.3]"


def test_scalars_mean_what_they_mean_to_the_engines() -> None:
    """The engines read with `yaml.safe_load`; a file must not mean one thing here and another there."""
    assert parse(SCALARS, "f").root.plain() == yaml.safe_load(SCALARS)


def test_block_text_anchors_and_merge_keys_mean_what_they_mean_to_the_engines() -> None:
    """Also for what is more than a scalar."""
    text = (
        "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 9}, *a]}\nd: |\n  one\n  two\ne: >-\n  one\n  two\nf: *a\n"
    )

    assert parse(text, "f").root.plain() == yaml.safe_load(text)


def test_keys_can_be_taken_as_text() -> None:
    """In the project file `on` and `1` are names."""
    assert parse("{on: 1, 2: 3, ~: 4}", "f", text_keys=True).root.plain() == {"on": 1, "2": 3, "~": 4}


def test_nodes_know_where_they_stand() -> None:
    """Line and column count from 1, in characters, past a byte order mark and characters of several bytes."""
    document = parse("\ufeffé: ü\nlist:\n  - a\n  - {b: 5}\n", "f")

    assert document.where(at(document.root, ("list", 1, "b"))) == "f:4:9"
    assert document.where(at(document.root, ("list", 1, "b"), key=True)) == "f:4:6"
    assert document.where(at(document.root, ("list", 1, "nothing", "there"))) == "f:4:5"
    assert document.where(at(document.root, ("é",))) == "f:1:4"


def test_source_is_what_the_user_wrote() -> None:
    """Without the indentation around it, without what follows, comments inside kept."""
    text = "items:\n    - name: a  # first\n      env:\n        X: 1\n\n    # the second\n    - {name: b}  # end\n"
    document = parse(text, "f")

    assert document.source(at(document.root, ("items", 0))) == "name: a  # first\nenv:\n  X: 1\n"
    assert document.source(at(document.root, ("items", 1))) == "{name: b}\n"


def test_dates_are_dates() -> None:
    """A date without quotes is a date, one in quotes is text."""
    assert parse("[2024-01-31, '2024-01-31']", "f").root.plain() == [date(2024, 1, 31), "2024-01-31"]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)

REFUSED = {
    "empty": ("", "f:1:1", "is empty"),
    "only a comment": ("# nothing\n", "f:1:1", "is empty"),
    "only null": ("---\n~\n", "f:1:1", "is empty"),
    "tab": ("a:\n\tb: 1\n", "f:2:1", "cannot start any token"),
    "open bracket": ("a: [1,\nb: 2\n", "f:3:1", "did not find expected"),
    "colon in text": ("a: b: c\n", "f:1:5", "mapping values are not allowed"),
    "key twice": ("a: 1\nb: 2\na: 3\n", "f:3:1", "'a' is defined twice; first on line 1"),
    "python tag": (
        "a: !!python/object/apply:os.system [id]\n",
        "f:1:4",
        "python/object/apply:os.system is not allowed",
    ),
    "own tag": ("a: !secret x\n", "f:1:4", "!secret is not allowed"),
    "two documents": ("a: 1\n---\nb: 2\n", "f:2:1", "a second document"),
    "list as key": ("? [a]\n: 1\n", "f:1:5", "a key is a list"),
    "no key": ("~: 1\n", "f:1:1", "a key is missing"),
    "anchor inside itself": ("a: &a [*a]\n", "f:1:8", "stands inside"),
    "no such anchor": ("a: *b\n", "f:1:4", "no anchor &b"),
    "merge of a text": ("a: {<<: b}\n", "f:1:9", "<< must have a mapping"),
    "no such day": ("a: 2024-13-45\n", "f:1:4", "is not a valid date"),
    "number without end": ("a: " + "9" * 5000, "f:1:4", "is not a valid number"),
    "bomb": (BOMB, "f:6:", f"more than {MAX_NODES} values"),
    "many values": ("- 1\n" * 200_000, f"f:{MAX_NODES + 1}:", f"more than {MAX_NODES} values"),
    "deep lists": ("[" * 100_000, f"f:1:{MAX_DEPTH + 1}", f"more than {MAX_DEPTH} levels"),
    "deep mappings": ("{a: " * 100_000, "f:1:", f"more than {MAX_DEPTH} levels"),
    "deep blocks": ("- " * 100_000, "f:1:", f"more than {MAX_DEPTH} levels"),
    "deep by aliases": (
        "a0: &a0 []\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 2000)),
        "f:",
        f"more than {MAX_DEPTH} levels",
    ),
    "null character": ("a: b\0c\n", "f:1:5", "U+0000"),
    "escape character": ("a: 1\nb: \x1b[31m\n", "f:2:4", "U+001B"),
}


@pytest.mark.parametrize(("text", "where", "what"), REFUSED.values(), ids=REFUSED)
def test_refused_with_its_place_and_a_fix_in_no_time(text: str, where: str, what: str) -> None:
    """Whatever the file holds, the answer is one error with line and column; what hurts would take minutes."""
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        parse(text, "f")

    assert caught.value.where.startswith(where)
    assert what in caught.value.what
    assert caught.value.fix
    assert time.process_time() - start < 60


def test_tab_is_told_to_be_spaces() -> None:
    """The most common mistake has its own fix."""
    with pytest.raises(InputError) as caught:
        parse("a:\n\tb: 1\n", "f")

    assert caught.value.fix == "indent with spaces; YAML allows no tabs"


def test_reference_in_flow_is_told_to_be_quoted() -> None:
    """`{a: ${B}}` is not YAML, which surprises."""
    with pytest.raises(InputError) as caught:
        parse("x: {a: ${B}, c: d}\n", "f")

    assert "in quotes" in caught.value.fix


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        pytest.param(b"a: 1\nb: caf\xe9\n", "f:2:7", "byte 0xe9 is not UTF-8", id="latin-1"),
        pytest.param("a: 1".encode("utf-16"), "f:1:1", "byte 0xff is not UTF-8", id="utf-16"),
        pytest.param(b"a" * (MAX_BYTES + 1), "f", "too large: 2.0 MiB", id="huge"),
    ],
)
def test_file_that_is_no_text(tmp_path: Path, content: bytes, where: str, what: str) -> None:
    """What is wrong with the bytes is said as such."""
    (tmp_path / "f").write_bytes(content)

    with pytest.raises(InputError) as caught:
        read_document(tmp_path / "f", "f")

    assert (caught.value.where, what in caught.value.what) == (where, True)


def test_path_that_is_no_file(tmp_path: Path) -> None:
    """Missing, a folder, a file as a folder, a name that no file system takes."""
    (tmp_path / "file").touch()
    for name, what in {
        "missing": "does not exist",
        ".": "is a folder",
        "file/x": "does not exist",
        "x" * 5000: "cannot be read",
        "a\0b": "cannot be read",
    }.items():
        with pytest.raises(InputError) as caught:
            read_document(tmp_path / name, name)
        assert what in caught.value.what
        assert len(caught.value.what) < 400
