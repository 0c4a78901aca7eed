"""The emulator's names that we rely on are those that are checked when it starts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import penstock.local.aws

PACKAGE = Path(penstock.local.aws.__file__).parent


def used() -> set[tuple[str, str]]:
    """Every `compat.<module>.<name>` of the package, read or replaced."""
    names = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                module = node.value
                if isinstance(module.value, ast.Name) and module.value.id == "compat":
                    names.add((module.attr, node.attr))
    return names


def checked() -> set[tuple[str, str]]:
    """What `compat.NAMES` lists, read without the emulator."""
    for node in ast.parse((PACKAGE / "compat.py").read_text()).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "NAMES":
            assert node.value is not None
            return {(module, name) for module, names in ast.literal_eval(node.value).items() for name in names}
    raise AssertionError("compat.py has no NAMES")


def test_every_name_of_the_emulator_is_checked_at_start() -> None:
    """A name that we use and do not check would fail in the middle of a deploy; one that we check in vain, at start."""
    assert used() == checked()


def test_no_name_of_the_emulator_escapes() -> None:
    """A module under another name, or a name in a variable, would escape the test above: neither is used."""
    modules = {module for module, _ in checked()}
    for file in PACKAGE.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        followed = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and node.module == "penstock.local.aws.compat":
                assert not {one.name for one in node.names} & modules, file
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "compat":
                assert node.attr not in modules or id(node) in followed, f"{file}:{node.lineno}"


@pytest.mark.parametrize("name", ["ecs", "run_task", "cfn", "cfn_mwaa", "grants"])
def test_every_contract_test_names_its_source(name: str) -> None:
    """What the emulator and AWS have in common is AWS's to say: each test of it says where AWS does."""
    tree = ast.parse((Path(__file__).parents[2] / "functional" / f"test_embedded_{name}.py").read_text())
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]

    assert tests
    assert [one.name for one in tests if "\nSource: " not in (ast.get_docstring(one) or "")] == []
