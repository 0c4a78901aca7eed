"""The container's entry point: a few lines of Python that fetch the runtime archive, check it and run it.

They stand in the task definition's `entryPoint`, so that an image needs nothing of ours in it, and no package: Python
3.10 or later as `python3`, the name that every image of Python's, of a distribution's and every virtual environment
has. The text is that of `s3` and of `_bootstrap`, which spells out names of `contract`; tests run it with those.
"""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import tokenize

from penstock_runtime.container import s3

PYTHON = (3, 10)
"""The oldest Python that the runtime runs on. The text itself parses from 3.6 on, so that an older one is named."""


def _bootstrap() -> None:
    import hashlib
    import os
    import runpy
    import signal
    import sys
    import tempfile

    # As process 1 of a container it would not be stopped by SIGTERM before somebody handles it.
    def stop(_signal: int, _frame: object) -> None:
        os.write(1, b"penstock: stopped by SIGTERM (StopTask or a Spot interruption) before the runtime was there\n")
        os._exit(143)

    signal.signal(signal.SIGTERM, stop)
    uri = os.environ.get("PENSTOCK_RUNTIME_URI", "(PENSTOCK_RUNTIME_URI is not set)")
    try:
        expected = os.environ["PENSTOCK_RUNTIME_SHA256"]
        bucket, _, key = os.environ["PENSTOCK_RUNTIME_URI"].removeprefix("s3://").partition("/")
        data = s3.read(bucket, key)
        found = hashlib.sha256(data).hexdigest()
        if found != expected:
            raise ValueError(f"its SHA-256 is {found}, not {expected}")
    except Exception as error:  # noqa: BLE001  whatever it is, one line says so
        # Not by print: what was answered may hold characters that the locale has not.
        os.write(1, f"penstock: cannot fetch the runtime {uri}: {type(error).__name__}: {error}\n".encode())
        sys.exit(65)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "penstock_runtime.zip")  # noqa: PTH118
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(data)
        sys.path.insert(0, path)
        runpy.run_module("penstock_runtime", run_name="__main__", alter_sys=True)


def _bare(text: str) -> str:
    """Python source without docstrings, comments, blank lines and imports from `__future__`; the rest to the letter."""
    dropped: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt):
            continue
        documentation = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if documentation or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            dropped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            number, column = token.start
            lines[number - 1] = lines[number - 1][:column].rstrip()
    return "\n".join(line for number, line in enumerate(lines, 1) if line and number not in dropped) + "\n"


_FIRST = textwrap.dedent(
    f"""\
    import sys
    if sys.version_info < {PYTHON}:
        print("penstock: this image has Python %d.%d as python3, and the runtime needs {PYTHON[0]}.{PYTHON[1]} or "
              "later: take another image, or leave `python: true` out" % sys.version_info[:2], flush=True)
        sys.exit(2)
    """
)

SOURCE = (
    _FIRST
    + _bare(inspect.getsource(s3))
    + _bare(inspect.getsource(_bootstrap)).replace("s3.read(", "read(")
    + "_bootstrap()\n"
)

ENTRY_POINT: tuple[str, ...] = ("python3", "-c", SOURCE)
"""`entryPoint` of every task definition that the runtime runs in. Exit code 65 (`contract.Exit.ARTIFACT`) where the
runtime cannot be had, 2 (`WRONG_INPUT`) where Python is too old."""
