"""No error of pydantic's reaches a user in its own words: every key of the project file, with every kind of value."""

from __future__ import annotations

import datetime
import typing
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from penstock.project.document.document import Document, parse
from penstock.project.document.problems import Problems
from penstock.project.schema.explain import explain
from penstock.project.settings import Settings
from penstock_runtime.errors import InputError, InputErrors

VALUES: list[Any] = [
    *(True, 0, -1, 10**400, 0.5, -0.5, 1e308, float("nan"), float("inf"), -float("inf")),
    *("", " ", "x" * 10_000, "1", "true", "2024-01-01", "${X}"),
    *(datetime.date(1, 1, 1), datetime.date(9999, 12, 31), datetime.datetime(2024, 1, 1, 10)),
    *([], [None], [True], ["a", 1], [""], ["x"] * 200, [[]], [{}]),
    *({}, {"": ""}, {"a": 1}, {"a": True}, {"a": {"a": True}}, {"a": {"a": ["x", 1]}}, {"a": {"a": None}}),
    {"str": "a"},
]  # fmt: skip
RAW = ("Input should", "should be", "should have", "is wrong", "valid ", "Unable", "satisfy", "match pattern", "items")


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for part in _parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _models(part, seen)


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in typing.get_args(annotation):
        yield from _parts(part)


def _told(model: type[BaseModel], key: str, value: Any) -> list[tuple[str, str, str]]:
    """What is said of one key with one value: place, what, fix. Keys that are missing are not what this is about."""
    document = parse(yaml.dump({key: value}, Dumper=yaml.CSafeDumper, sort_keys=False), "f", text_keys=True)
    try:
        model.model_validate(document.root.plain())
    except ValidationError as error:
        problems = _explained(error, model, document)
        return [(one.where, one.what, one.fix) for one in problems if "is missing" not in one.what]
    return []


def _explained(error: ValidationError, model: type[BaseModel], document: Document) -> list[InputError]:
    problems = Problems()
    try:
        explain(error, model, document, document.root, problems)
        problems.raise_all()
    except InputErrors as caught:
        return caught.errors
    pytest.fail("pydantic's error is none of ours")


MODELS = list(_models(Settings, set()))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_errors_are_in_our_words(model: type[BaseModel]) -> None:
    """One for each place, short, with a fix; none that contradicts another."""
    for name, field in model.model_fields.items():
        for value in VALUES:
            messages = _told(model, field.alias or name, value)
            for _, what, fix in messages:
                assert not [raw for raw in RAW if raw in what + fix], (name, what, fix)
                assert fix
                assert len(what) < 300
            assert len({where for where, _, _ in messages}) == len(messages), messages


SAID = [
    ("Price", {"vcpu_hour": 0, "gb_hour": 1}, "'vcpu_hour' must be more than 0, not 0", "use more than 0"),
    (
        "Price",
        {"vcpu_hour": float("inf"), "gb_hour": 1},
        "'vcpu_hour' must be at most 100, not .inf",
        "use at most 100",
    ),
    ("Price", {"vcpu_hour": "1", "gb_hour": 1}, "'vcpu_hour' must be a number, not '1'", "write it without quotes"),
    ("Task", {"name": "t", "command": ""}, "'command' is empty", "give it a value"),
    ("Task", {"name": "t", "command": []}, "'command' is empty", "give it at least one entry"),
    ("Task", {"name": "t", "command": True}, "'command' must be text or a list, not true", 'quote it: "true"'),
    ("Task", {"name": "t", "command": {}}, "'command' must be text or a list, not a mapping", "write text or a list"),
    ("Task", {"name": "t", "command": ["a", 1]}, "an entry of 'command' must be text, not 1", 'quote it: "1"'),
    ("Task", {"name": "t", "image": ""}, "'image' is empty", "give it a value"),
    ("Job", {"tasks": []}, "'tasks' is empty", "give it at least one entry"),
    (
        "Permission",
        {"actions": ["s3:Get*"], "resources": ["*"], "conditions": {"Bool": {"aws:SecureTransport": True}}},
        "'aws:SecureTransport' of conditions.Bool must be text or a list, not true",
        'quote it: "true"',
    ),
    (
        "ecs.model.Logs",
        {"retention_days": 10**400},
        "'retention_days' must be a smaller number",
        "a smaller one",
    ),
    (
        "ScheduleSettings",
        {"start_date": datetime.date(1, 1, 1)},
        "'start_date' must be 1900-01-01 or later",
        "or later",
    ),
]


@pytest.mark.parametrize(("name", "data", "what", "fix"), SAID, ids=[f"{name} {what}" for name, _, what, _ in SAID])
def test_error_says_what_and_how_to_mend_it(name: str, data: dict[str, Any], what: str, fix: str) -> None:
    """One error, however many types the value could have had."""
    model = next(model for model in MODELS if f"{model.__module__}.{model.__name__}".endswith(f".{name}"))
    document = parse(yaml.dump(data, sort_keys=False), "f", text_keys=True)
    with pytest.raises(ValidationError) as caught:
        model.model_validate(document.root.plain())

    (problem,) = _explained(caught.value, model, document)
    assert problem.what.startswith(what)
    assert fix in problem.fix
