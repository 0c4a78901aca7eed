"""Dataclasses from decoded JSON: nested ones, tuples of them, unions, and what does not fit."""

from __future__ import annotations

import dataclasses
import json
import typing
from dataclasses import dataclass
from typing import Any

import pytest

from penstock_runtime.plan import plain_data
from penstock_runtime.plan.plain_data import from_data, to_json


@dataclass(frozen=True)
class Leaf:
    """A dataclass within others."""

    name: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Other:
    """Another one that may be in its place."""

    number: int


@dataclass(frozen=True)
class Tree:
    """One of each kind of field."""

    first: Leaf
    leaves: tuple[Leaf, ...]
    either: Leaf | Other | None
    many: tuple[Leaf | Other, ...]
    plain: dict[str, int]


TREE = Tree(Leaf("a", ("x",)), (Leaf("b"), Leaf("c")), Other(3), (Other(1), Leaf("d")), {"n": 1})


def test_json_becomes_what_it_was() -> None:
    """Lists become tuples, at each depth; the keys say which of several dataclasses an object is."""
    assert from_data(Tree, dataclasses.asdict(TREE)) == TREE
    assert from_data(Tree, json.loads(to_json(TREE))) == TREE


def test_nothing_stays_nothing() -> None:
    """A field that may be missing is None, not an object without fields."""
    assert from_data(Tree, {**dataclasses.asdict(TREE), "either": None}).either is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": "a", "colour": "red"}, "Leaf has no field 'colour'"),
        ({"tags": []}, "Leaf: .*missing 1 required positional argument: 'name'"),
        ({"name": "a", "tags": 7}, "Leaf: .*not iterable"),
    ],
)
def test_what_does_not_fit_is_named(data: dict[str, Any], words: str) -> None:
    """The class and the field; inside another object, too."""
    with pytest.raises(ValueError, match=words):
        from_data(Leaf, data)
    with pytest.raises(ValueError, match=words):
        from_data(Tree, {**dataclasses.asdict(TREE), "leaves": [data]})


def test_types_are_worked_out_once_for_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many objects are made: a DAG folder has thousands, and Airflow parses it again and again."""
    worked_out = []

    def noted(kind: type) -> dict[str, Any]:
        worked_out.append(kind)
        return hints(kind)

    hints = typing.get_type_hints
    monkeypatch.setattr(plain_data, "_known", {})
    monkeypatch.setattr(typing, "get_type_hints", noted)
    for _ in range(3):
        from_data(Tree, dataclasses.asdict(TREE))

    assert sorted(kind.__name__ for kind in worked_out) == ["Leaf", "Other", "Tree"]
