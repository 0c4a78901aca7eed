"""The list of mutants fits the tree, and the runner tells a mutant that is caught from one that survives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import run
from tests.mutants.mutants import Mutant, read

MUTANTS = read()
CODE = "def double(number):\n    return 2 * number\n"
TEST = (
    "import sys\nsys.path.insert(0, '.')\nfrom doubles import double\n\n\ndef test_it():\n    assert double(2) == 4\n"
)


def mutant(old: str, new: str, **others: str) -> Mutant:
    """Of the small tree that `tree` makes."""
    return Mutant(
        **{"name": "x", "file": "doubles.py", "old": old, "new": new, "why": "wrong", **others},
        tests=("test_double.py",),
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A module and its test."""
    (tmp_path / "doubles.py").write_text(CODE)
    (tmp_path / "test_double.py").write_text(TEST)
    return tmp_path


@pytest.mark.parametrize("mutant", MUTANTS, ids=[one.name for one in MUTANTS])
def test_every_mutant_can_be_planted(mutant: Mutant) -> None:
    """Its old text is in its file once, and its tests exist: after a change of the code the list is corrected."""
    assert mutant.problem() is None
    assert mutant.old != mutant.new
    assert mutant.why
    assert all(test.startswith("tests/unit/") for test in mutant.tests)


def test_names_are_unique() -> None:
    """`make mutants MUTANTS=name` means one."""
    names = [one.name for one in MUTANTS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"old": "3 * number"}, "does not have the old text '3 * number'; the nearest line is 'return 2 * number'"),
        ({"old": "number"}, "has the old text 2 times"),
        ({"file": "triples.py"}, "triples.py does not exist"),
    ],
    ids=["other text", "several times", "no file"],
)
def test_mutant_that_does_not_fit_says_why(tree: Path, changed: dict[str, str], words: str) -> None:
    """And what to correct in the list."""
    problem = mutant(**{"old": "2 * number", "new": "3 * number", **changed}).problem(tree)

    assert problem is not None
    assert words in problem


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        ("2 * number", "3 * number", "caught"),
        ("2 * number", "number + number", "SURVIVED"),
        ("4 * number", "3 * number", "ERROR"),
        ("2 * number", "2 * (number", "ERROR"),
    ],
    ids=["caught", "survives", "not found", "no Python"],
)
def test_runner_tells_what_became_of_a_mutant(tree: Path, old: str, new: str, result: str) -> None:
    """By what pytest says: a test that fails catches it, an error of the module does not. The tree stays."""
    verdict, _ = run._judge(mutant(old, new), tree)

    assert verdict == result
    assert (tree / "doubles.py").read_text() == CODE
