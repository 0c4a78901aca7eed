"""Files that are broken, huge, or no files: the same answer for every file that a project reads."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.project.document.document import parse, read_text
from penstock.project.document.files import MAX_ENTRIES, TooManyError, matching
from penstock.project.load import load
from penstock_runtime.errors import InputError
from tests.unit.project_files import MELTANO, PROJECT, WORKFLOW, errors, write

HANG_SECONDS = 60
INCLUDED = "meltano/more.meltano.yml"
READ = {
    # file: (its text, the place that names it)
    "penstock.yaml": (PROJECT, "penstock.yaml"),
    "warehouse.yaml": (WORKFLOW, "penstock.yaml:23:48"),
    "meltano/meltano.yml": (MELTANO, "penstock.yaml:11:20"),
    INCLUDED: ("plugins: {}\n", INCLUDED),
}
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
TEXT_BOMB = 'zz: &z "' + "x" * 1_000_000 + '"\nzy: [' + ",".join(["*z"] * 9_000) + "]\n"

CONTENTS: dict[str, tuple[Callable[[str], bytes], str, str]] = {
    # name: (text of the file → its bytes, place behind the file's name, part of what); {end}: the line after the text
    "empty": (lambda _: b"", ":1:1", "is empty"),
    "only a comment": (lambda _: b"# x\n", ":1:1", "is empty"),
    "a list": (lambda _: b"- a\n", ":1:1", "holds "),
    "a scalar": (lambda _: b"5\n", ":1:1", "holds "),
    "a tab": (lambda text: text.encode() + b"\tx: 1\n", ":{end}:", "not YAML"),
    "a syntax error": (lambda text: text.encode() + b"zz: b: c\n", ":{end}:6", "not YAML"),
    "a merge conflict": (lambda text: b"<<<<<<< HEAD\n" + text.encode(), ":2:", "not YAML"),
    "two documents": (lambda text: text.encode() + b"---\na: 1\n", ":{end}:1", "a second document"),
    "a key twice": (lambda text: text.encode() + b"zz: 1\nzz: 2\n", ":{after}:1", "'zz' is defined twice"),
    "a tag": (lambda text: text.encode() + b"zz: !!python/object:os.system x\n", ":{end}:5", "is not allowed"),
    "a long tag": (lambda text: text.encode() + b"zz: !" + b"t" * 9_999 + b" x\n", ":{end}:5", "is not allowed"),
    "Latin-1": (lambda text: text.encode() + b"zz: caf\xe9\n", ":{end}:8", "byte 0xe9 is not UTF-8"),
    "UTF-16": (lambda text: text.encode("utf-16"), ":1:1", "is not UTF-8"),
    "NUL": (lambda text: text.encode() + b"zz: \0\n", ":{end}:5", "U+0000"),
    "an escaped NUL": (lambda text: text.encode() + b'zz: "a\\0b"\n', ":{end}:5", "U+0000"),
    "a device's output": (lambda _: bytes(range(256)) * 40, ":", "is not"),
    "5 MB": (lambda text: text.encode() + b"#" * 5_000_000, "", "is too large: 4.8 MiB"),
    "3,000 levels": (lambda text: text.encode() + b"zz: " + b"[" * 3000, ":{end}:", "nested more than 64 levels"),
    "a bomb": (lambda text: text.encode() + BOMB.encode(), ":", "values"),
    "a bomb of text": (lambda text: text.encode() + TEXT_BOMB.encode(), ":", "texts are longer than"),
}  # fmt: skip


def _written(folder: Path, name: str) -> Path:
    """The project, with a file included into its Meltano project where that is the file in question."""
    included = {} if name != INCLUDED else {"meltano/meltano.yml": f"{MELTANO}include_paths: ['*.meltano.yml']\n"}
    return write(folder, files={**included, name: READ[name][0]})


def _answer(path: Path) -> list[tuple[str, str, str]]:
    start = time.monotonic()
    problems = errors(path)
    assert time.monotonic() - start < HANG_SECONDS
    return problems


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize(("content", "where", "what"), CONTENTS.values(), ids=CONTENTS)
def test_broken_file_is_named_with_its_line(
    tmp_path: Path, name: str, content: Callable[[str], bytes], where: str, what: str
) -> None:
    """One short error at the line, or at what names the file where all of it is wrong; with a fix."""
    path, text = _written(tmp_path, name), READ[name][0]
    (tmp_path / name).write_bytes(content(text))
    place, said, fix = _answer(path)[0]
    lines = text.count("\n")
    wanted = name + where.format(end=lines + 1, after=lines + 2) if where else READ[name][1]

    assert place.startswith(wanted)
    assert what in said
    assert fix
    assert len(said) < 300


def test_merge_conflict_is_told_as_one() -> None:
    """What git leaves behind is not YAML, and the parser's words do not help."""
    with pytest.raises(InputError) as caught:
        parse("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> other\n", "f")

    assert caught.value.fix == "settle the merge conflict on line 2"


def _link(to: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(to)


def _socket(path: Path) -> None:
    # A socket's own name may be longer than a socket takes.
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


INSTEAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "nothing": (lambda _: None, "does not exist"),
    "a FIFO": (os.mkfifo, "is not a regular file"),
    "a socket": (_socket, "is not a regular file"),
    "a device": (_link("/dev/zero"), "is not a regular file"),
    "a link to nothing": (_link("nowhere"), "does not exist"),
    "a link into itself": (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
    "a kernel's file": (_link("/proc/self/mem"), "cannot be read"),
    "a folder": (Path.mkdir, "is a folder"),
}


@pytest.mark.parametrize("name", ["penstock.yaml", "warehouse.yaml", "meltano/meltano.yml"])
@pytest.mark.parametrize(("put", "what"), INSTEAD.values(), ids=INSTEAD)
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, name: str, put: Callable[[Path], None], what: str) -> None:
    """Something else under a file's name is said to be that; nothing hangs."""
    path = _written(tmp_path, name)
    (tmp_path / name).unlink()
    put(tmp_path / name)
    if name == "penstock.yaml" and put is Path.mkdir:
        what = "does not exist"  # a folder is looked into
    place, said, fix = _answer(path)[0]

    assert place.startswith(READ[name][1])
    assert what in said
    assert fix


def test_file_that_blocks_its_reader_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel has regular files without an end or without data yet; here a pipe plays one."""
    reader, writer = os.pipe()
    (tmp_path / "f").touch()
    opened = os.open

    def blocking(path: Path, flags: int) -> int:
        assert opened(path, flags) > 0
        os.set_blocking(reader, not flags & os.O_NONBLOCK)
        return reader

    monkeypatch.setattr(os, "open", blocking)
    with pytest.raises(InputError, match="cannot be read: Resource temporarily unavailable"):
        read_text(tmp_path / "f", "f")
    os.close(writer)


@pytest.mark.parametrize(
    ("name", "where"),
    [("a\x1b[31m\nb.yaml", r"a\x1b[31m\nb.yaml"), ("\u202ecilbup.yaml", r"\u202ecilbup.yaml")],
)
def test_file_name_cannot_write_to_the_terminal(tmp_path: Path, name: str, where: str) -> None:
    """Escape sequences, line ends and turns of direction are shown as escapes, place included."""
    path = write(tmp_path, ("config: warehouse.yaml", f'config: "{name.encode("unicode_escape").decode()}"'))
    (tmp_path / name).write_text("a: b: c")
    with pytest.raises(InputError) as caught:
        load(path)
    lines = str(caught.value).split("\n")

    assert lines[0].startswith(f"{tmp_path}/{where}:1:5: not YAML")
    assert all(line.isprintable() for line in lines)


def test_long_line_of_an_error_is_shortened(tmp_path: Path) -> None:
    """A value of a megabyte is not repeated to the person who wrote it."""
    for edit in [
        ("name: acme\n", f"name: acme\n? {'k' * 100_000}\n: 1\n"),
        ("job: warehouse", f"job: {'j' * 100_000}"),
    ]:
        with pytest.raises(InputError) as caught:
            load(write(tmp_path, edit))
        assert len(str(caught.value)) < 1500


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("other", ["", "\u2028", "\u2029", "\x85"])
def test_line_is_the_one_that_an_editor_shows(tmp_path: Path, end: str, start: str, other: str) -> None:
    """Whatever ends its lines; a byte order mark and YAML 1.1's other line ends count for nothing."""
    text = PROJECT.replace("name: acme", f"name: acme # {other} #{other}#").replace("cpu_units: 512", "cpu_units: x")
    problems = errors(write(tmp_path, files={"penstock.yaml": start + text.replace("\n", end)}))

    assert [place for place, _, _ in problems] == ["penstock.yaml:17:21"]


HURTING = {
    "a long key over many secrets": ("? " + "aB" * 500_000 + "\n: [" + ",".join(["x"] * 15_000) + "]\n"),
    "many anchors": "zz: [" + ",".join(f"&a{number} 1" for number in range(15_000)) + "]\n",
}


@pytest.mark.parametrize("more", HURTING.values(), ids=HURTING)
def test_work_does_not_grow_with_the_square(tmp_path: Path, more: str) -> None:
    """Right or wrong, it is answered."""
    start = time.monotonic()
    load(write(tmp_path, files={"warehouse.yaml": WORKFLOW + more}))

    assert time.monotonic() - start < HANG_SECONDS


def test_nearest_of_long_names_is_not_looked_for(tmp_path: Path) -> None:
    """Comparing two names of 20,000 characters takes minutes."""
    jobs = "".join(f"  ? {'ab' * 10_000}{n}\n  : {{tasks: [{{name: a, command: ls}}]}}\n" for n in range(20))
    problems = _answer(write(tmp_path, ("jobs:\n", f"jobs:\n{jobs}"), ("job: warehouse", f"job: {'ba' * 10_000}")))

    assert any("which does not exist" in what for _, what, _ in problems)


def test_files_of_a_meltano_project_share_one_limit(tmp_path: Path) -> None:
    """Five hundred files of the largest size would take minutes."""
    more = {f"meltano/{name}.meltano.yml": "x:\n" + "- 1\n" * 60_000 for name in "abcd"}
    path = write(tmp_path, files={"meltano/meltano.yml": f"{MELTANO}include_paths: ['*.meltano.yml']\n", **more})
    place, what, fix = _answer(path)[0]

    assert place.startswith("meltano/b.meltano.yml:")
    assert "the Meltano project holds more than 100000 values" in what
    assert fix == "include fewer files"


def test_include_patterns_find_what_meltano_finds(tmp_path: Path) -> None:
    """As `Path.glob`: each file once, links to folders not followed by `**`."""
    for name in ("a.yml", "x/b.yml", "x/y/c.yml", ".h/d.yml", "e.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "in/x/round").symlink_to("..")
    for pattern in (
        "*.yml",
        "**/*.yml",
        "./x/*.yml",
        "*/*.yml",
        "x/../a.yml",
        "[ab].yml",
        "x/**/**/?.yml",
        "nothing",
        "**",
    ):
        paths = {path.resolve() for path in matching(tmp_path / "in", pattern)}
        assert paths == {path.resolve() for path in (tmp_path / "in").glob(pattern) if path.is_file()}, pattern


def test_search_that_would_take_in_the_disk_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern, or a link, may lead to the root of the machine."""
    monkeypatch.setattr("penstock.project.document.files.MAX_ENTRIES", 50)
    for number in range(60):
        (tmp_path / f"{number}.py").touch()
    assert MAX_ENTRIES > 50
    with pytest.raises(TooManyError):
        matching(tmp_path, "**/*.yml")
    path = write(tmp_path / "project", files={"meltano/meltano.yml": f"{MELTANO}include_paths: ['../../*.py']\n"})
    (path.parent / "dags").symlink_to("..")
    problems = errors(path)

    assert [place for place, _, _ in problems] == ["meltano/meltano.yml:5:17", "dags"]
    assert all("there are more than" in what for _, what, _ in problems)


@pytest.mark.parametrize("pattern", ["", ".", "/etc/*", "a\\0b"])
def test_include_pattern_that_names_no_file(tmp_path: Path, pattern: str) -> None:
    """Is said at its place."""
    content = f'{MELTANO}include_paths: ["{pattern}"]\n'
    place, _, fix = errors(write(tmp_path, files={"meltano/meltano.yml": content}))[0]

    assert place == "meltano/meltano.yml:5:17"
    assert fix


@pytest.mark.parametrize("to", ["nowhere", "dags", "penstock.yaml", "/dev/null"])
def test_dags_that_is_no_folder(tmp_path: Path, to: str) -> None:
    """A link that leads nowhere would leave the DAG files out in silence."""
    path = write(tmp_path)
    (tmp_path / "dags").symlink_to(to)

    assert errors(path) == [("dags", f"{tmp_path}/dags is not a folder", "make it one, or remove it")]


@pytest.mark.parametrize("name", ["a\nb.py", "a\x1b[31m.py", "a\udcff.py", "a\\b.py"])
def test_dag_file_whose_name_cannot_go_to_the_bucket(tmp_path: Path, name: str) -> None:
    """No control characters, nothing that is not text."""
    path = write(tmp_path)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / name).touch()
    _, what, fix = errors(path)[0]

    assert (what, fix) == ("a file's name holds a control character or `\\`", "rename it")
