"""A project's own DAG file that imports what lies beside it puts its folder on the path, and stays what it is."""

from __future__ import annotations

import ast

import pytest

from penstock.bundle.own_dag_files import placed, with_path
from penstock_runtime.plan.plan import DagFile

SOURCES = {
    "docstring": '"""Reports.\n\nEach night.\n"""\n\nfrom common import helper\n',
    "future": "from __future__ import annotations\n\nfrom common import helper\n",
    "docstring and future": '"""Reports."""\nfrom __future__ import annotations\nfrom common import helper\n',
    "comment": "# Reports.\nfrom common import helper\n",
    "block": "if True:\n    from common import helper\n",
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_keeps_its_docstring_and_its_lines(name: str) -> None:
    """Airflow shows the docstring; tracebacks name lines. Only a file that begins with a block gets a line more."""
    source = SOURCES[name]

    text = with_path(source.encode(), depth=0).decode()
    tree = ast.parse(text)

    assert ast.get_docstring(tree) == ast.get_docstring(ast.parse(source))
    assert text.count("\n") == source.count("\n") + (name == "block")
    compile(text, "report.py", "exec")
    assert text.index("sys.path.insert") < text.index("from common")


def test_only_a_file_that_imports_what_lies_beside_it_changes() -> None:
    """Byte for byte."""
    plain, helped = "import os\n", "from common import helper\n"
    files = [DagFile("plain.py", plain), DagFile("report.py", helped), DagFile("common/helper.py", "X = 1\n")]

    texts = dict(placed(files))

    assert texts["plain.py"] == plain.encode()
    assert texts["common/helper.py"] == b"X = 1\n"
    assert b"sys.path.insert" in texts["report.py"]
