"""The project's own `dags/` as it lies in the bundle: importable there as in the folder where people keep it.

MWAA has its DAG folder on Python's path. A project's own files lie one folder below that, so that several projects can
share one Airflow, and `from common.helper import …` would find nothing there: a file that imports what lies beside it
puts its folder on the path first. That is one statement, on a line that the file has already: no line moves, and
tracebacks and Airflow's page of the code keep their numbers. docs/adr/0017 says why it is done this way.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Collection, Iterator

from penstock.project.airflow.dag_files import IGNORE, modules
from penstock_runtime.plan.plan import DagFile

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""What Python counts as lines; `str.splitlines` also ends one at a form feed."""


def placed(files: Collection[DagFile]) -> Iterator[tuple[str, bytes]]:
    """(path, content) of each file as the bundle holds it."""
    beside = modules(files)
    for file in files:
        content = file.content
        if file.path.endswith(".py") and imports(content) & beside:
            content = with_path(content, depth=file.path.count("/"))
        elif file.path == IGNORE and content and not content.endswith(b"\n"):
            content += b"\n"
        yield file.path, content


def imports(source: bytes) -> frozenset[str]:
    """The first names of what a source imports absolutely, anywhere in it; none where it is not Python."""
    tree = _parsed(source)
    names: set[str] = set()
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return frozenset(names)


def with_path(source: bytes, *, depth: int) -> bytes:
    """A source that first puts a folder on Python's path: its own, or the one so many folders above it."""
    tree = _parsed(source)
    if tree is None or not tree.body:
        return source
    folder = f"pathlib.Path(__file__).absolute().parents[{depth}]"
    statement = f"import pathlib, sys; sys.path.insert(0, str({folder}))"
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    lines = _LINES.findall(source.decode(encoding))
    before, after = _first(tree)
    if after is not None and _is_simple(after):
        at, column, text = after.lineno, after.col_offset, f"{statement}; "
    elif before is not None:
        at, column, text = before.end_lineno or before.lineno, before.end_col_offset or 0, f"; {statement}"
    else:
        # A file that begins with `if` or `with`: only a line of its own can stand before it.
        assert after is not None, "a body has a first statement"
        at, column, text = _line_of(after), 0, f"{statement}\n"
    line = lines[at - 1]
    # Python counts columns in bytes of UTF-8.
    offset = len(line.encode()[:column].decode())
    lines[at - 1] = line[:offset] + text + line[offset:]
    return "".join(lines).encode(encoding)


def _first(tree: ast.Module) -> tuple[ast.stmt | None, ast.stmt | None]:
    """What must stay in front, the docstring and `from __future__` (its last statement), and what follows."""
    before = None
    for number, statement in enumerate(tree.body):
        docstring = number == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if not (docstring or future):
            return before, statement
        before = statement
    return before, None


def _is_simple(statement: ast.stmt) -> bool:
    """Whether another statement may stand before it on its line."""
    return not hasattr(statement, "body") and not isinstance(statement, ast.Match)


def _line_of(statement: ast.stmt) -> int:
    """The line that a statement starts on, its decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _parsed(source: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
