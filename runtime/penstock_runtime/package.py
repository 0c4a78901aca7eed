"""Which files of this package a part of it needs, read from its imports: for bundles, archives and functions.

No list of names has to be kept: a module that gains an import brings it along wherever the module goes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

NAME = __name__.partition(".")[0]


def files() -> dict[str, bytes]:
    """Every source file of the package: path below its folder → content."""
    root = Path(__file__).parent
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*.py"))
        if "__pycache__" not in path.parts
    }


def needed_by(paths: Iterable[str], sources: Mapping[str, bytes]) -> set[str]:
    """The paths of `sources` that those in `paths` import, directly or not, and themselves.

    Args:
        paths: of source files, relative to the package's folder.
        sources: as `files` returns them.
    """
    needed: set[str] = set()
    todo = set(paths)
    while todo:
        path = todo.pop()
        needed.add(path)
        imported = _imports(sources[path]) | {_module_of(path)}
        todo |= {file for module in imported for file in _module_files(module, sources)} - needed
    return needed


def _module_of(path: str) -> str:
    """`a/b.py` → `penstock_runtime.a.b`."""
    return ".".join([NAME, *path.removesuffix(".py").removesuffix("/__init__").split("/")])


def _imports(source: bytes) -> set[str]:
    """The modules that a source names in imports, at its top or inside functions; `from a import b` may name `a.b`."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return imported


def _module_files(module: str, sources: Mapping[str, bytes]) -> set[str]:
    """The files of a module of the package, its packages' included; none for a module of another package."""
    package, *parts = module.split(".")
    if package != NAME:
        return set()
    packages = {"/".join([*parts[:depth], "__init__.py"]) for depth in range(len(parts) + 1)}
    return {path for path in {*packages, "/".join(parts) + ".py"} if path in sources}
