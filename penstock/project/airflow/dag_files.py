"""The project's own `dags/` folder: DAG files with all that lies beside them, as Airflow is to find it.

Everything goes along: helper modules, queries, templates, `.airflowignore`. Left out are what no DAG reads: hidden
files and folders but for that one, and what Python has compiled.
"""

from __future__ import annotations

import ast
import base64
import os
import re
import shutil
import subprocess
import sys
import warnings as python_warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from penstock.problem import Problem
from penstock.project.airflow import loader_files
from penstock.project.document import files as folders
from penstock.project.document.document import read_bytes
from penstock.project.document.problems import Problems
from penstock_runtime.contract import RELEASES_FOLDER, RESOURCES_FILE
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import DagFile

IGNORE = ".airflowignore"
MAX_BYTES = 20 * 1024 * 1024
"""Of all files together. They are in the plan, which every deploy and push reads; data belongs into a bucket."""
RESERVED = re.compile(rf"{loader_files.PATTERN}|{re.escape(RESOURCES_FILE)}|{RELEASES_FOLDER}(/.*)?")
"""What the bundle itself puts into the folder."""
_TOO_LARGE = "keep data in a bucket, and code here"
_NEWER = re.compile(rb"""\btype\s+\w|\b(def|class)\s+\w+\s*\[|\b[rR]?[fF][rR]?["']""")
"""Type aliases and parameters (PEP 695), f-strings (PEP 701); source: "What's New In Python 3.12"."""
COMPILE_SECONDS = 10
"""How long another Python may take to compile one file."""


@dataclass(frozen=True)
class DagFolder:
    """What is in `dags/`."""

    files: tuple[DagFile, ...] = ()
    warnings: tuple[str, ...] = ()


def read(
    folder: Path, shown: str, problems: Problems, *, leave_out: str | None, python: str, airflow: int
) -> DagFolder:
    """Read and check a project's `dags/`.

    Args:
        shown: the folder as errors show it.
        leave_out: a file that is not the project's.
        python: the newest Python of the project's Airflows, as `3.12`.
        airflow: the major version of the newest Airflow of the project; `.airflowignore` is read by its rules.
    """
    if not folders.is_folder(folder):
        if os.path.lexists(folder):
            problems.add(f"{shown} is not a folder", fix="make it one, or remove it", where=shown)
        return DagFolder()
    try:
        names = [path.relative_to(folder).as_posix() for path in folders.files_below(folder, "")]
    except folders.TooManyError as error:
        problems.add(f"{shown}: {error}", fix="keep only what DAGs need in that folder", where=shown)
        return DagFolder()
    files: list[DagFile] = []
    size = 0
    for name in names:
        if name == leave_out or _is_left_out(name):
            continue
        here = f"{shown}/{name}"
        if not name.isprintable() or "\\" in name:
            problems.add("a file's name holds a control character or `\\`", fix="rename it", where=here)
        elif RESERVED.fullmatch(name):
            problems.add(f"{here} has a name that Penstock uses in the bundle", fix="rename it", where=here)
        else:
            try:
                content = read_bytes(folder / name, here, max_bytes=MAX_BYTES, advice=_TOO_LARGE)
            except InputError as error:
                problems.take(error)
                continue
            size += len(content)
            if size <= MAX_BYTES:
                files.append(_file(name, content))
    if size > MAX_BYTES:
        what = f"{shown} holds {size / 1024 / 1024:.0f} MiB; {MAX_BYTES // 1024 // 1024} MiB are the limit"
        problems.add(what, fix=_TOO_LARGE, where=shown)
        return DagFolder()
    compiled = list(_compile(files, shown, python, airflow))
    problems.add_all(problem for problem in compiled if problem.is_error)
    warnings = (f"{problem.where} {problem.what}: {problem.fix}" for problem in compiled if not problem.is_error)
    return DagFolder(tuple(files), tuple(warnings))


def modules(files: Collection[DagFile]) -> frozenset[str]:
    """The names that `import` finds with the folder on Python's path: top-level modules and packages."""
    names = set()
    for file in files:
        first, _, below = file.path.partition("/")
        if file.path.endswith(".py") and (name := first if below else first.removesuffix(".py")).isidentifier():
            names.add(name)
    return frozenset(names)


def ignored(files: Collection[DagFile], airflow: int) -> frozenset[str]:
    """The paths that `.airflowignore` files keep Airflow from reading as DAG files, by that major version's rules.

    Airflow 2 searches each line as a regular expression, Airflow 3 takes it as a glob of .gitignore
    (`core.dag_ignore_file_syntax`). A line that is neither is Airflow's to report: here it hides nothing.
    """
    hidden: set[str] = set()
    for rules in (file for file in files if file.path.rsplit("/", 1)[-1] == IGNORE):
        base = rules.path.removesuffix(IGNORE)
        below = {file.path: file.path.removeprefix(base) for file in files if file.path.startswith(base)}
        lines = [line for line in rules.text.splitlines() if line.strip() and not line.startswith("#")]
        if airflow >= 3:
            spec = GitIgnoreSpec.from_lines([line for line in lines if _is_glob(line)])
            hidden |= {path for path, relative in below.items() if spec.match_file(relative)}
        else:
            expressions = list(_expressions(lines))
            hidden |= {
                path
                for path, relative in below.items()
                if any(expression.search(relative) for expression in expressions)
            }
    return frozenset(hidden)


def _is_glob(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _expressions(lines: Collection[str]) -> Iterator[re.Pattern[str]]:
    for line in lines:
        try:
            yield re.compile(re.sub(r"\s*#.*", "", line))
        except re.error:
            continue


def _is_left_out(name: str) -> bool:
    *above, last = name.split("/")
    if any(part.startswith(".") or part == "__pycache__" for part in above):
        return True
    return last.endswith((".pyc", ".pyo")) or (last.startswith(".") and last != IGNORE)


def _file(name: str, content: bytes) -> DagFile:
    try:
        return DagFile(name, content.decode("utf-8"))
    except UnicodeDecodeError:
        return DagFile(name, base64.b64encode(content).decode("ascii"), encoding="base64")


def _compile(files: Collection[DagFile], shown: str, python: str, airflow: int) -> Iterator[Problem]:
    """What Python cannot read; a warning for each file that only a newer Python than any here may read."""
    hidden = ignored(files, airflow)
    for file in files:
        if not file.path.endswith(".py") or file.path in hidden:
            continue
        here = f"{shown}/{file.path}"
        try:
            with python_warnings.catch_warnings():
                # What works today and may not in a later Python is for the linter of the project.
                python_warnings.simplefilter("ignore")
                ast.parse(file.content, filename=here)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            verdict = _other_python(file.content, python) if _may_be_newer(error, file.content) else False
            if verdict is None:
                what = f"cannot be compiled by Python {_own_python()} ({_reason(error)}), and Airflow's Python "
                what += f"{python} is not here to ask"
                yield Problem(what, "install it, or check the file there", where=here, is_error=False)
            elif not verdict:
                line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
                where = f"{here}:{line}:{max(column or 1, 1)}" if line else here
                what = f"not Python: {_reason(error)}"
                fix = f"correct it: Airflow would show an import error; or name the file in {shown}/{IGNORE}"
                yield Problem(what, fix, where=where)


def _may_be_newer(error: BaseException, source: bytes) -> bool:
    """Whether the syntax error is on a line with something that a Python after 3.11 reads in another way."""
    lines = source.splitlines()
    number = getattr(error, "lineno", None) or 0
    return isinstance(error, SyntaxError) and number <= len(lines) and bool(_NEWER.search(lines[number - 1]))


def _reason(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__


def _own_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _other_python(source: bytes, python: str) -> bool | None:
    """Whether that Python compiles the source; False also where it is not newer than this one; None: it is not here."""
    if tuple(int(part) for part in python.split(".")) <= sys.version_info[:2]:
        return False
    interpreter = shutil.which(f"python{python}")
    if interpreter is None:
        return None
    program = "import ast, sys; ast.parse(sys.stdin.buffer.read())"
    try:
        ran = subprocess.run(
            [interpreter, "-I", "-c", program], input=source, capture_output=True, timeout=COMPILE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # A stand-in of pyenv for a version that is not chosen ends with 127.
    return None if ran.returncode not in (0, 1) else ran.returncode == 0
