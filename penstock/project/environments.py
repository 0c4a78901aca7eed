"""One environment of a project: its overrides merged over the top level, as nodes, so that marks survive."""

from __future__ import annotations

from penstock.project.document.composer import Node

_ALTERNATIVES = {
    "network": frozenset({"create", "use"}),
    "airflow": frozenset({"create", "use", "self_managed"}),
}
"""Of these a part has one; naming one in an environment drops the others. They never merge with each other."""


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
