"""A resource's properties, one after the other, each against the member that it becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.aws.service_models.constraints import constraints, refused
from penstock.aws.service_models.documented import DOCUMENTED, Limit
from penstock.aws.service_models.models import Model, Shape, model
from penstock.aws.service_models.resources import RESOURCES, UNCHECKED, Resource

_SHOWN = 120
"""Characters of a value in a message."""


@dataclass
class Walk:
    """What was found in one resource, or in many."""

    refused: list[str] = field(default_factory=list)
    """What the services refuse, in their words."""
    checked: dict[str, list[str]] = field(default_factory=dict)
    """Path → what it was held against; nothing: its type."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Path → why nothing was held against it; empty: nobody has said."""
    later: set[str] = field(default_factory=set)
    """Paths of values that a deploy makes known: references and functions."""


@dataclass(frozen=True)
class _Member:
    """Where a value goes: its shape, and the limit that is documented for it."""

    shape: Shape
    limit: Limit | None


def walk(kind: str, properties: Mapping[str, Any]) -> Walk:
    """Hold a resource's properties against the models. A type that is not in `RESOURCES` is unknown as a whole."""
    walked = Walk()
    resource = RESOURCES.get(kind)
    if resource is None:
        walked.unknown[""] = "no service's resource" if kind.startswith("Custom::") else ""
        return walked
    _Walker(kind, resource, model(resource.service), walked).all(properties)
    return walked


def refusals(kind: str, properties: Mapping[str, Any]) -> list[str]:
    """What the service would refuse of a resource, in its words; of a type that we do not know, nothing."""
    return walk(kind, properties).refused if kind in RESOURCES else []


def call_refusals(service: str, operation: str, arguments: Mapping[str, Any]) -> list[str]:
    """The same for a call of the service's API."""
    own, walked = model(service), Walk()
    walker = _Walker("", Resource(service, (operation,)), own, walked)
    walker.structure(arguments, "", own.shapes[own.inputs[operation]])
    return walked.refused


class _Walker:
    def __init__(self, kind: str, resource: Resource, own: Model, walked: Walk) -> None:
        self._kind, self._resource, self._model, self._walk = kind, resource, own, walked

    def all(self, properties: Mapping[str, Any]) -> None:
        """The properties of a resource, with what its first operation cannot do without."""
        given: set[str] = set()
        for name, value in properties.items():
            if not _is_nothing(value):
                place = self._resource.renamed.get(name) or self._place(name)
                given |= self._given(name, place)
                self._value(value, name, self._at(place) if place else None)
        create = self._resource.operations[0]
        for member in self._input(create).required:
            if f"{create}.{member}" not in given and member not in self._resource.supplied:
                self._refuse(member, None, "Member must not be null")

    def _input(self, operation: str) -> Shape:
        return self._model.shapes[self._model.inputs[operation]]

    def _place(self, name: str) -> str | None:
        """The path of the member of that name, in the first operation that has one."""
        for operation in self._resource.operations:
            if (member := _named(self._input(operation), name)) is not None:
                return f"{operation}.{member}"
        return None

    def structure(self, value: Mapping[str, Any], path: str, shape: Shape) -> None:
        """The members of a structure."""
        given = set()
        for name, inner in value.items():
            if _is_nothing(inner):
                continue
            own = f"{path}.{name}" if path else name
            renamed, member = self._resource.renamed.get(own), _named(shape, name)
            if renamed is not None:
                given.add(renamed.rpartition(".")[2])
                self._value(inner, own, self._at(renamed))
            elif member is not None:
                given.add(member)
                self._value(inner, own, self._member(shape, member))
            else:
                self._value(inner, own, None)
        for name in shape.required:
            if name not in given:
                self._refuse(f"{path}.{name}" if path else name, None, "Member must not be null")

    def _given(self, name: str, place: str | None) -> set[str]:
        """The members of operations that a property, and what below it goes elsewhere, stand for."""
        below = {theirs for ours, theirs in self._resource.renamed.items() if ours.startswith((f"{name}.", f"{name}["))}
        return {".".join(address.replace("[]", "").split(".")[:2]) for address in (place, *below) if address}

    def _at(self, path: str) -> _Member:
        shape, holder, name = self._model.at(path)
        return _Member(shape, DOCUMENTED.get((self._model.service, holder.name, name)))

    def _member(self, shape: Shape, name: str) -> _Member:
        shape_of_member = self._model.shapes[shape.members[name]]
        return _Member(shape_of_member, DOCUMENTED.get((self._model.service, shape.name, name)))

    def _value(self, value: Any, path: str, place: _Member | None) -> None:
        own = DOCUMENTED.get((self._model.service, self._kind, path))
        if place is not None and own is not None:
            place = _Member(place.shape, own)
        if _is_function(value):
            self._walk.later.add(path)
            if place is not None:
                self._walk.checked.setdefault(path, constraints(place.shape, place.limit))
                return
        if place is None:
            self._without(value, path)
        elif place.shape.type == "structure" and isinstance(value, Mapping):
            self.structure(value, path, place.shape)
        elif place.shape.type == "list":
            self._list(value, path, place)
        elif place.shape.type == "map" and isinstance(value, Mapping):
            self._map(value, path, place)
        else:
            # A policy is written as a structure, and sent as text.
            is_json = place.shape.type == "string" and isinstance(value, Mapping | list)
            self._leaf(_as_text(value) if is_json else value, path, place)

    def _without(self, value: Any, path: str) -> None:
        """A property that is not a member itself; perhaps something below it is one."""
        inside = f"{path}[]" if isinstance(value, list) else path
        renamed = self._resource.renamed
        if not any(other.startswith((f"{inside}.", f"{inside}[")) or other == inside != path for other in renamed):
            self._walk.unknown[path] = UNCHECKED.get((self._kind, path), "")
            return
        for item in value if isinstance(value, list) else [value]:
            if inside in renamed:
                self._value(item, inside, self._at(renamed[inside]))
            elif isinstance(item, Mapping) and not _is_function(item):
                for name, member in item.items():
                    deeper = f"{inside}.{name}"
                    self._value(member, deeper, self._at(renamed[deeper]) if deeper in renamed else None)

    def _list(self, value: Any, path: str, place: _Member) -> None:
        members = value if isinstance(value, list) else [value]
        shape = self._member(place.shape, "[]").shape
        if isinstance(value, list) and not any(map(_is_function, value)):
            self._hold(value, path, _Member(place.shape, None))
        for member in members:
            own = f"{path}[]"
            renamed = self._resource.renamed.get(own)
            self._value(member, own, self._at(renamed) if renamed else _Member(shape, place.limit))

    def _map(self, value: Mapping[str, Any], path: str, place: _Member) -> None:
        self._hold(value, path, place)
        key, member = self._member(place.shape, "{key}"), self._member(place.shape, "{value}")
        for name, own in value.items():
            self._leaf(name, f"{path}{{key}}", key)
            self._value(own, f"{path}{{value}}", member)

    def _leaf(self, value: Any, path: str, place: _Member) -> None:
        self._walk.checked.setdefault(path, constraints(place.shape, place.limit))
        self._hold(value, path, place)

    def _hold(self, value: Any, path: str, place: _Member) -> None:
        for why in refused(value, place.shape, place.limit):
            self._refuse(path, None if place.shape.sensitive else value, why)

    def _refuse(self, path: str, value: Any, why: str) -> None:
        if why.startswith("Member "):
            text = "" if value is None else f" '{str(value)[:_SHOWN]}'"
            why = f"1 validation error detected: Value{text} at '{path}' failed to satisfy constraint: {why}"
        self._walk.refused.append(why)


def _named(shape: Shape, name: str) -> str | None:
    """The member of that name, whatever its case."""
    lower = name.lower()
    return next((member for member in shape.members if member.lower() == lower), None)


def _is_nothing(value: Any) -> bool:
    return value is None or value == {"Ref": "AWS::NoValue"}


def _is_function(value: Any) -> bool:
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    (name,) = value
    return name == "Ref" or str(name).startswith("Fn::")


def _as_text(value: Any) -> str:
    """As it is sent: JSON, with something short for what is not known yet."""
    return json.dumps(_filled(value), ensure_ascii=False, separators=(",", ":"))


def _filled(value: Any) -> Any:
    if _is_function(value):
        return "x"
    if isinstance(value, Mapping):
        return {name: _filled(item) for name, item in value.items()}
    return [_filled(item) for item in value] if isinstance(value, list) else value
