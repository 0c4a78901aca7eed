"""One environment of a project: its overrides merged over the top level, as nodes, so that marks survive."""

from __future__ import annotations

from penstock.project.composer import Node

_ALTERNATIVES = {
    "network": frozenset({"create", "use"}),
    "airflow": frozenset({"create", "use", "self_managed"}),
}
"""Of these a part has one; naming one in an environment drops the others. They never merge with each other."""


def merged(base: Node, over: Node, alternatives: frozenset[str] = frozenset()) -> Node:
    """`over` over `base`: mappings are merged, anything else replaced, `null` removes."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    result = Node(base.line, base.column, base.start, base.end, dict(base.value), keys=dict(base.keys))
    if chosen := {key for key in alternatives & over.value.keys() if over.value[key].value is not None}:
        for dropped in alternatives - chosen:
            result.value.pop(dropped, None)
            result.keys.pop(dropped, None)
    for key, node in over.value.items():
        result.keys[key] = over.keys[key]
        result.value[key] = merged(result.value[key], node) if key in result.value else node
    return result


def environment_root(top: Node, name: str) -> Node:
    """The whole project as the environment `name` has it; it stands where that environment does."""
    overrides: Node = top.value["environments"].value[name]
    rest = Node(top.line, top.column, top.start, top.end, dict(top.value), keys=dict(top.keys))
    del rest.value["environments"], rest.keys["environments"]
    result = _with_parts(rest, overrides) if isinstance(overrides.value, dict) else rest
    result.line, result.column = overrides.line, overrides.column
    return result


def _with_parts(top: Node, overrides: Node) -> Node:
    """The top level with an environment's overrides; its parts with alternatives know theirs."""
    result = merged(top, overrides)
    for part, alternatives in _ALTERNATIVES.items():
        if part in top.value and part in overrides.value:
            result.value[part] = merged(top.value[part], overrides.value[part], alternatives)
    return result
