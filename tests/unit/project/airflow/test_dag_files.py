"""The project's own `dags/`: what goes along, what is refused, and where it can be imported."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.bundle import own_dag_files
from penstock.compile.compiler import compile_plan
from penstock.project.airflow import dag_files
from penstock.project.load import load
from penstock_runtime.errors import InputErrors
from penstock_runtime.plan.plan import DagFile
from tests.unit.project_files import write

DAG = b'"""A team\'s own DAG."""\nfrom airflow import DAG\nfrom common.helper import greet\n'


def files_of(folder: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """What a project with these files in `dags/` takes along: path → content."""
    project = load(write(folder, files={f"dags/{name}": content for name, content in files.items()}))
    return {file.path: file.content for file in project.dag_folder.files}


def test_everything_beside_a_dag_goes_along(tmp_path: Path) -> None:
    """Helper modules, queries, nested ignore files and what is not text; hidden files and compiled ones do not."""
    wanted = {
        "own_report.py": DAG,
        "common/__init__.py": b"",
        "common/helper.py": b"def greet(): ...\n",
        "sql/q.sql": b"select 1",
        "sql/.airflowignore": b".*\n",
        "logo.png": b"\x89PNG\x00\xff",
        "latin.py": "# -*- coding: latin-1 -*-\nname = 'ü'\n".encode("latin-1"),
    }
    unwanted = {
        ".env": b"PASSWORD=x",
        ".git/config": b"",
        "__pycache__/own_report.cpython-311.pyc": b"\x00",
        "common/old.pyc": b"\x00",
    }

    assert files_of(tmp_path, {**wanted, **unwanted}) == wanted


@pytest.mark.parametrize("name", ["schedules_00.py", "release/x.sql", "resources.json"])
def test_names_of_the_bundle_are_refused(tmp_path: Path, name: str) -> None:
    """A file of the user's would take the place of ours, or be hidden by our `.airflowignore`."""
    with pytest.raises(InputErrors, match="has a name that Penstock uses in the bundle"):
        files_of(tmp_path, {name: b""})


def test_size_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files are in the plan: data belongs elsewhere."""
    monkeypatch.setattr(dag_files, "MAX_BYTES", 2 * 1024 * 1024)
    mebibyte = b"x" * 1024 * 1024

    assert len(files_of(tmp_path / "fits", {"a.bin": mebibyte, "b.bin": mebibyte})) == 2
    with pytest.raises(InputErrors, match=r"dags holds 3 MiB; 2 MiB are the limit\n.*fix: keep data in a bucket"):
        files_of(tmp_path / "large", {"a.bin": mebibyte, "b.bin": mebibyte, "c.bin": mebibyte})


def test_file_that_is_not_python_is_refused_with_its_line(tmp_path: Path) -> None:
    """Airflow would show an import error, and the DAG would be gone."""
    with pytest.raises(InputErrors) as caught:
        files_of(tmp_path, {"sub/bad.py": b"x = 1\ndef f(:\n"})
    (error,) = caught.value.errors

    assert error.where.endswith("dags/sub/bad.py:2:7")
    assert error.what == "not Python: invalid syntax"
    assert ".airflowignore" in error.fix


@pytest.mark.parametrize("source", [b"x = '\x00'\n", b"\xff\n", b"# coding: nonsense\n", b"(" * 500])
def test_what_no_parser_reads_is_an_error_too(tmp_path: Path, source: bytes) -> None:
    """Null bytes, another encoding, nesting without end: an error with the file's name, whatever Python raises."""
    with pytest.raises(InputErrors, match=r"bad\.py.*: not Python: "):
        files_of(tmp_path, {"bad.py": source})


@pytest.mark.parametrize(
    ("version", "pattern"),
    [("2.10.3", "^templates/"), ("2.10.3", "bad.*py"), ("3.0.6", "templates/"), ("3.0.6", "**/bad.py")],
)
def test_file_that_airflow_ignores_may_be_anything(tmp_path: Path, version: str, pattern: str) -> None:
    """Regular expressions in Airflow 2, globs in 3: a template of a DAG is not a DAG file."""
    edit = ("version: 3.0.6", f"version: {version}")
    files = {"dags/templates/bad.py": b"{{ cookiecutter }}(", "dags/.airflowignore": f"{pattern} # why\n".encode()}
    if version.startswith("3"):
        files["dags/.airflowignore"] = f"# why\n{pattern}\n".encode()
    project = load(write(tmp_path, edit, files=files))

    assert "templates/bad.py" in {file.path for file in project.dag_folder.files}


def test_ignore_rules_hold_below_their_folder() -> None:
    """A nested `.airflowignore` hides nothing above it, and an unusable line hides nothing at all."""
    files = [DagFile("sub/.airflowignore", "x.py\n!\n[\n"), DagFile("sub/x.py", ""), DagFile("x.py", "")]

    assert dag_files.ignored(files, 2) == {"sub/x.py"}
    assert dag_files.ignored(files, 3) == {"sub/x.py"}


NEWER = b"type Row = dict[str, int]\n"


def test_syntax_of_a_newer_python_is_asked_of_that_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MWAA's Airflow 3 runs Python 3.12: what only that reads is right; where it is not here, a warning says so."""
    if sys.version_info >= (3, 12):
        pytest.skip("this Python reads the file itself")
    path = write(tmp_path, files={"dags/newer.py": NEWER})

    def ran(code: int) -> None:
        done: subprocess.CompletedProcess[bytes] = subprocess.CompletedProcess([], code)
        monkeypatch.setattr(dag_files.subprocess, "run", lambda *_, **__: done)

    monkeypatch.setattr(dag_files.shutil, "which", lambda _: "/a/python3.12")
    ran(0)
    assert load(path).dag_folder.warnings == ()
    ran(1)
    with pytest.raises(InputErrors, match="not Python"):
        load(path)
    monkeypatch.setattr(dag_files.shutil, "which", lambda _: None)
    (warning,) = compile_plan(load(path), "dev").warnings[-1:]
    assert warning.startswith("dags/newer.py cannot be compiled by Python 3.11 (")
    assert "3.12 is not here to ask" in warning


def test_syntax_newer_than_the_airflow_is_an_error(tmp_path: Path) -> None:
    """Airflow 2.10.3 runs Python 3.11, and nobody else is asked."""
    edit = ("version: 3.0.6", "version: 2.10.3")
    with pytest.raises(InputErrors, match="not Python"):
        load(write(tmp_path, edit, files={"dags/newer.py": NEWER}))


PLACES = [
    b'"""Doc."""\nfrom __future__ import annotations\n\nimport common\nBAD = 1 / 0\n',
    b'"""Doc\nof two lines."""  # a comment; with a semicolon\nfor common in []: pass\nimport common\nBAD = 1 / 0\n',
    b"from __future__ import annotations; x = 1\nimport common\n\x0c\nBAD = 1 / 0\n",
    b"\xef\xbb\xbfimport common\r\nBAD = 1 / 0\r\n",
    "# -*- coding: latin-1 -*-\n'ü'; import common\nBAD = 1 / 0\n".encode("latin-1"),
    "'ü'\nwith open(__file__): import common\nBAD = 1 / 0\n".encode(),
    b"#!/usr/bin/env python\nimport common\nBAD = 1 / 0",
]


@pytest.mark.parametrize("source", PLACES)
def test_dag_file_finds_what_lies_beside_it(tmp_path: Path, source: bytes) -> None:
    """Whatever it begins with, and from a folder below; its lines keep their numbers."""
    line = source.replace(b"\r\n", b"\n").split(b"\n").index(b"BAD = 1 / 0") + 1
    files = [DagFile("common/__init__.py", ""), DagFile("a/b/own.py", source.decode("latin-1"))]
    for path, content in own_dag_files.placed(files):
        if path == "a/b/own.py":
            content = own_dag_files.with_path(source, depth=2)
            assert content != source
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    ran = subprocess.run([sys.executable, tmp_path / "a/b/own.py"], capture_output=True, text=True, cwd="/")

    assert ran.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert f'own.py", line {line}, in <module>' in ran.stderr


def test_dag_file_that_begins_with_a_block(tmp_path: Path) -> None:
    """Only a line of its own can stand before it, decorators included."""
    for number, source in enumerate(
        [b"with open(__file__): import common\n", b"@staticmethod\ndef f(): ...\nimport common"]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "common.py").touch()
        (folder / "own.py").write_bytes(own_dag_files.with_path(source, depth=0))
        spec = importlib.util.spec_from_file_location(f"own_{number}", folder / "own.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        path = list(sys.path)
        try:
            spec.loader.exec_module(module)
        finally:
            sys.path[:] = path
            sys.modules.pop("common", None)


def test_file_that_imports_nothing_beside_it_stays_as_it_is() -> None:
    """Only who needs the folder on the path is changed; relative imports and other packages need nothing."""
    source = "import airflow\nfrom . import common\n"
    files = [DagFile("own.py", source), DagFile("common.py", "import os\n"), DagFile("x.sql", "import common")]

    assert {path: content.decode() for path, content in own_dag_files.placed(files)} == {
        "own.py": source,
        "common.py": "import os\n",
        "x.sql": "import common",
    }
