"""The environments of a project: their names, and the settings of each, its overrides merged over the top level."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import ValidationError

from penstock.project.document.composer import Node
from penstock.project.document.document import Document
from penstock.project.document.problems import Problems
from penstock.project.schema.explain import explain
from penstock.project.settings import ENVIRONMENT_NAME, MAX_ENVIRONMENT_NAME, EnvironmentSettings, Settings
from penstock_runtime.errors import InputError

MAX_NODES_OF_ALL = 400_000
"""Values of the project file times its environments: each is checked as a whole."""
_ALTERNATIVES = {
    "network": frozenset({"create", "use"}),
    "airflow": frozenset({"create", "use", "self_managed"}),
}
"""Of these a part has one; naming one in an environment drops the others. They never merge with each other."""


@dataclass(frozen=True, eq=False)
class Environment:
    """The project as one environment has it."""

    settings: Settings
    root: Node


def merged(base: Node, over: Node) -> Node:
    """`over` over `base`: mappings are merged, anything else replaced, `null` removes."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    result = _copy(base)
    for key, node in over.value.items():
        result.keys[key] = over.keys[key]
        result.value[key] = merged(result.value[key], node) if key in result.value else node
    return result


def environment_root(top: Node, name: str) -> Node:
    """The whole project as the environment `name` has it; it stands where that environment does."""
    overrides: Node = top.value["environments"].value[name]
    rest = _copy(top)
    del rest.value["environments"], rest.keys["environments"]
    if isinstance(overrides.value, dict):
        for part in _ALTERNATIVES.keys() & rest.value.keys() & overrides.value.keys():
            rest.value[part] = _remaining(rest.value[part], overrides.value[part], _ALTERNATIVES[part])
    result = merged(rest, overrides) if isinstance(overrides.value, dict) else rest
    result.line, result.column = overrides.line, overrides.column
    return result


def _remaining(base: Node, over: Node, alternatives: frozenset[str]) -> Node:
    """`base` without the alternatives that `over` does not choose; all of it, where `over` chooses none."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return base
    chosen = {key for key in alternatives & over.value.keys() if over.value[key].value is not None}
    result = _copy(base)
    for dropped in alternatives - chosen if chosen else ():
        result.value.pop(dropped, None)
        result.keys.pop(dropped, None)
    return result


def _copy(mapping: Node) -> Node:
    """The node with a mapping of its own."""
    return Node(mapping.line, mapping.column, mapping.start, mapping.end, dict(mapping.value), keys=dict(mapping.keys))


def prefix_of(project: str, environment: str) -> str:
    """`acme-dev`; `acme--prod-eu` where the environment's name has a dash itself.

    So project `acme-prod` with environment `eu` and project `acme` with environment `prod-eu` may share an account:
    neither name has two dashes in a row, and so each prefix is that of one pair.
    """
    return f"{project}{'--' if '-' in environment else '-'}{environment}"


def read_environments(document: Document, problems: Problems) -> dict[str, Environment]:
    """The settings of each environment that could be read; what is wrong with any of them goes to `problems`.

    Raises:
        InputError, InputErrors: none could be read.
    """
    root = document.root
    if not isinstance(root.value, dict):
        kind = "a list" if isinstance(root.value, list) else "a single value"
        raise InputError(
            f"the file holds {kind}, not a project",
            fix="start with `name: …`; see schema/penstock.schema.json",
            where=document.where(root),
        )
    declared = root.value.get("environments")
    if declared is None or not isinstance(declared.value, dict) or not declared.value:
        raise InputError(
            "'environments' is missing, or is not a mapping",
            fix="add environments: {dev: {region: eu-west-1}}",
            where=document.where(declared or root),
        )
    if len(declared.value) * root.weight > MAX_NODES_OF_ALL:
        problems.add(
            f"{len(declared.value)} environments are too many for a project of this size",
            fix="split the project",
            where=document.where(declared),
        )
        problems.raise_all()
    environments = {}
    for name, overrides in declared.value.items():
        where = document.where(declared.keys[name])
        if not re.fullmatch(ENVIRONMENT_NAME, name) or len(name) > MAX_ENVIRONMENT_NAME:
            fix = f"use lower case, digits and dashes, at most {MAX_ENVIRONMENT_NAME} characters"
            problems.add(f"{name[:60]!r} cannot be an environment's name", fix=fix, where=where)
        if overrides.value is not None and not isinstance(overrides.value, dict):
            problems.add(
                f"environment {name[:60]!r} must be a mapping", fix="write {}", where=document.where(overrides)
            )
            continue
        _check_overrides(document, name, overrides, problems)
        merged = environment_root(root, name)
        try:
            settings = Settings.model_validate(merged.plain())
        except ValidationError as error:
            explain(error, Settings, document, merged, problems)
        else:
            environments[name] = Environment(settings, merged)
    if not environments:
        problems.raise_all()
    return environments


def _check_overrides(document: Document, environment: str, overrides: Node, problems: Problems) -> None:
    """An unknown key is reported once by the merged check; a known one may still not be the environment's to set."""
    for key in overrides.value or {}:
        if key in Settings.model_fields and key not in EnvironmentSettings.model_fields:
            problems.add(
                f"environment {environment!r} cannot set {key!r}",
                fix=f"move it to the top level; an environment sets: {', '.join(EnvironmentSettings.model_fields)}",
                where=document.where(overrides.keys[key]),
            )
