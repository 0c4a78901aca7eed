"""The services' models, as botocore has them: only what is asked for of each, read once, when it is first needed."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.loaders import Loader

from penstock.aws.service_models.resources import OPERATIONS


@dataclass(frozen=True)
class Shape:
    """One shape of a model, without its words."""

    name: str
    type: str
    members: Mapping[str, str] = field(default_factory=dict)
    """Of a structure: member → shape. Of a list: `[]`; of a map: `{key}` and `{value}`."""
    required: tuple[str, ...] = ()
    pattern: str | None = None
    enum: tuple[str, ...] = ()
    least: int | None = None
    """Characters, members, or the number itself, by the type; both ends count."""
    most: int | None = None
    sensitive: bool = False
    """Whether its value belongs in no message."""


@dataclass(frozen=True)
class Model:
    """The shapes of a service that some operations take in."""

    service: str
    inputs: Mapping[str, str]
    """Operation → shape."""
    shapes: Mapping[str, Shape]

    def at(self, path: str) -> tuple[Shape, Shape, str]:
        """The shape at `Operation.member[].member{key}`, the one that holds it, and the member's name in that.

        Raises:
            KeyError: the operation does not have that member.
        """
        operation, *steps = path.replace("[]", ".[]").replace("{", ".{").split(".")
        shape = self.shapes[self.inputs[operation]]
        holder, name = shape, ""
        for step in steps:
            holder, name = shape, step
            shape = self.shapes[shape.members[step]]
        return shape, holder, name


@functools.cache
def model(service: str) -> Model:
    """The model of a service, with the inputs of those operations that `resources` names."""
    raw = Loader().load_service_model(service, "service-2")
    inputs = {name: raw["operations"][name]["input"]["shape"] for name in OPERATIONS[service]}
    shapes: dict[str, Shape] = {}
    waiting = list(inputs.values())
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = _shape(name, raw["shapes"][name])
            waiting += shapes[name].members.values()
    return Model(service, inputs, shapes)


def _shape(name: str, raw: Mapping[str, Any]) -> Shape:
    return Shape(
        name,
        raw["type"],
        dict(_members(raw)),
        tuple(raw.get("required", ())),
        raw.get("pattern"),
        tuple(raw.get("enum", ())),
        raw.get("min"),
        raw.get("max"),
        raw.get("sensitive", False),
    )


def _members(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, member in raw.get("members", {}).items():
        yield name, member["shape"]
    for key, name in (("member", "[]"), ("key", "{key}"), ("value", "{value}")):
        if key in raw:
            yield name, raw[key]["shape"]
