"""Which files of the runtime go along with a part of it: what it imports, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from penstock_runtime import package

LAMBDA_MODULES = ("functions/overdue.py", "functions/reaper.py", "functions/stopped_tasks.py", "release/activation.py")
"""What `stacks.function.function_of` packs."""
IMPORT = re.compile(r"^\s*(?:from|import) (penstock_runtime[\w.]*)", re.MULTILINE)


def sources(**texts: str) -> dict[str, bytes]:
    """A package: `a__b` is the file `a/b.py`, and every folder has an empty `__init__.py`."""
    files = {f"{name.replace('__', '/')}.py": text.encode() for name, text in texts.items()}
    folders = {parent.as_posix() for path in files for parent in Path(path).parents}
    return files | {(Path(folder) / "__init__.py").as_posix(): b"" for folder in folders}


@pytest.mark.parametrize(
    "text",
    [
        "import penstock_runtime.plan.schedule",
        "from penstock_runtime.plan import schedule",
        "from penstock_runtime.plan.schedule import Schedule",
        "import penstock_runtime.plan.schedule as schedule",
        "def f():\n    from penstock_runtime.plan import schedule",
        "if True:\n    import penstock_runtime.plan.schedule",
    ],
)
def test_an_imported_module_comes_along_with_its_folders(text: str) -> None:
    """However it is imported: its file, and the `__init__.py` of each folder above it."""
    files = sources(main=text, plan__schedule="", other="")

    assert package.needed_by(["main.py"], files) == {
        "main.py",
        "__init__.py",
        "plan/__init__.py",
        "plan/schedule.py",
    }


def test_imports_are_followed_to_their_end() -> None:
    """Modules that import each other end the search, too."""
    files = sources(
        a="from penstock_runtime import b",
        b="from penstock_runtime.c import x",
        c="def f():\n    from penstock_runtime import a",
        d="",
    )

    assert package.needed_by(["a.py"], files) == {"a.py", "b.py", "c.py", "__init__.py"}


def test_what_a_folder_imports_comes_along() -> None:
    """Python runs the `__init__.py` of a folder before the module in it."""
    files = sources(main="import penstock_runtime.plan.schedule", plan__schedule="", errors="")
    files["plan/__init__.py"] = b"from penstock_runtime.errors import PenstockError"

    assert "errors.py" in package.needed_by(["main.py"], files)


@pytest.mark.parametrize(
    "text",
    [
        "import json, boto3",
        "from airflow import DAG",
        "import penstock_runtime_extra.plan",
        "from penstock.plan import schedule",
        "# from penstock_runtime.plan import schedule",
        "'''from penstock_runtime.plan import schedule'''",
    ],
)
def test_other_packages_stay_out(text: str) -> None:
    """Only imports of this package count: the rest is where the part runs."""
    files = sources(main=text, plan__schedule="")

    assert package.needed_by(["main.py"], files) == {"main.py", "__init__.py"}


def test_a_name_of_a_module_that_is_not_a_module_is_passed_over() -> None:
    """`from a import b` names a module `a.b` only if there is one."""
    files = sources(main="from penstock_runtime.errors import PenstockError", errors="")

    assert package.needed_by(["main.py"], files) == {"main.py", "errors.py", "__init__.py"}


def test_files_are_all_sources_of_the_package() -> None:
    """With their content, by path; nothing that Python caches."""
    files = package.files()

    assert files["package.py"] == Path(package.__file__).read_bytes()
    assert set(LAMBDA_MODULES) <= set(files)
    assert all(path.endswith(".py") and "__pycache__" not in path for path in files)


@pytest.mark.parametrize("module", LAMBDA_MODULES)
def test_a_function_has_all_that_it_imports_and_no_more(module: str, tmp_path: Path) -> None:
    """Its code starts in a Python without other packages, and each of its imports of the runtime is there."""
    files = package.files()
    needed = package.needed_by([module], files)
    for path in needed:
        target = tmp_path / "penstock_runtime" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(files[path])

    name = f"penstock_runtime.{module.removesuffix('.py').replace('/', '.')}"
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {name} as module; assert module.handler"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, timeout=60)
    for path in needed:
        for imported in IMPORT.findall(files[path].decode()):
            parts = imported.split(".")[1:]
            assert not parts or {"/".join(parts) + ".py", "/".join([*parts, "__init__.py"])} & needed, imported
    assert not [path for path in needed if path.startswith(("airflow/", "container/engines/"))]
