"""The plugins of a Meltano project: which of them its runs use, and which environment variables are their settings.

Meltano takes a setting from a variable of its own name for it: `api.base_url` of `tap-a` from `TAP_A_API_BASE_URL`, the
extra `select` from `TAP_A__SELECT` (Meltano 4.4.1, `SettingDefinition.env_vars`).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.project.document import files
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, read_text
from penstock.project.document.parts import entries, mapping
from penstock.project.jobs.tasks import MAX_COMMAND
from penstock_runtime.errors import InputError

OWN_PREFIX = "MELTANO_"
"""Of the variables that are Meltano's own settings, and of those that it sets for its plugins."""
TRANSFORM_ONLY = ("transformers", "transforms")


@dataclass(frozen=True)
class Lock:
    """What a lock file (`plugins/extractors/tap-a--variant.lock`) says of a plugin."""

    namespace: str | None
    settings: frozenset[str]


@dataclass(frozen=True, eq=False)
class Plugin:
    """A plugin as the project's files define it."""

    kind: str
    """`extractors`, `loaders`, …"""
    name: str
    parent: str | None
    """What it inherits from."""
    mappings: tuple[str, ...]
    """Of a mapper: the names that `meltano run` knows them by."""
    document: Document
    node: Node
    prefixes: tuple[str, ...]
    """Of the variables that are its settings: `TAP_A`."""
    variables: frozenset[str] | None
    """Its settings, as variables; None: no file lists its settings."""

    def takes(self, variable: str) -> bool:
        """Whether a variable is one of its settings."""
        for prefix in self.prefixes:
            if variable.startswith(f"{prefix}__") or (self.variables is None and variable.startswith(f"{prefix}_")):
                return True
        return self.variables is not None and variable in self.variables


def variable_of(*parts: str) -> str:
    """The environment variable that Meltano makes of a plugin's and a setting's name."""
    return "_".join(re.sub("[^A-Za-z0-9]", "_", part).upper() for part in parts if part)


def plugins(documents: Iterable[Document], locks: Mapping[tuple[str, str], Lock]) -> dict[str, list[Plugin]]:
    """Name → the plugins of that name; types may share one."""
    nodes = [
        (str(kind), str(entry.value["name"].value), document, entry)
        for document in documents
        for kind, listed in mapping(document.root.value.get("plugins")).items()
        for entry in entries(listed)
        if isinstance(entry.value, dict) and "name" in entry.value
    ]
    by_name = {(kind, name): node for kind, name, _, node in nodes}
    plugins_by_name: dict[str, list[Plugin]] = {}
    for kind, name, document, node in nodes:
        parent = _text(node, "inherit_from")
        chain = [node, *_ancestors(kind, parent, by_name)]
        known = [locks[kind, ancestor] for ancestor in _names(chain) if (kind, ancestor) in locks]
        namespace = _text(node, "namespace") or next((lock.namespace for lock in known if lock.namespace), None)
        prefixes = tuple(dict.fromkeys(variable_of(label) for label in (name, namespace or "") if label))
        settings = {setting for lock in known for setting in lock.settings}
        listed = bool(known) or any("settings" in definition.value for definition in chain)
        for definition in chain:
            settings |= _settings(definition)
        variables = {variable_of(prefix, setting) for prefix in prefixes for setting in settings}
        variables |= {alias for definition in chain for alias in _aliases(definition)}
        mappings = tuple(str(mapping["name"].value) for mapping in _entries(node, "mappings") if "name" in mapping)
        plugin = Plugin(
            kind, name, parent, mappings, document, node, prefixes, frozenset(variables) if listed else None
        )
        plugins_by_name.setdefault(name, []).append(plugin)
    return plugins_by_name


def read_locks(folder: Path) -> dict[tuple[str, str], Lock]:
    """(Type, plugin) → its lock file. One that cannot be read counts for nothing: Meltano itself reports it."""
    locks: dict[tuple[str, str], Lock] = {}
    try:
        paths = files.matching(folder, "plugins/*/*.lock")
    except files.TooManyError:
        return locks
    for path in paths:
        try:
            data: Any = json.loads(read_text(path, path.name))
            named = [setting["name"] for setting in data.get("settings", [])]
            aliases = [alias for setting in data.get("settings", []) for alias in setting.get("aliases", [])]
            namespace = data.get("namespace")
        except (InputError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
        name = path.name.removesuffix(".lock").split("--")[0]
        locks[path.parent.name, name] = Lock(namespace, frozenset(map(str, [*named, *aliases])))
    return locks


def names_of(texts: Iterable[str]) -> list[str]:
    """The blocks of a `meltano run`, without their commands (`dbt:run`)."""
    texts = list(texts)
    if sum(map(len, texts)) > MAX_COMMAND:
        return []  # reported where the command is
    try:
        return [part.split(":")[0] for text in texts for part in shlex.split(text)]
    except ValueError:
        return []  # reported where the command is


def _ancestors(kind: str, parent: str | None, nodes: Mapping[tuple[str, str], Node]) -> list[Node]:
    ancestors: list[Node] = []
    while parent is not None and (kind, parent) in nodes and nodes[kind, parent] not in ancestors:
        ancestors.append(nodes[kind, parent])
        parent = _text(ancestors[-1], "inherit_from")
    return ancestors


def _names(chain: Iterable[Node]) -> Iterator[str]:
    """The names that lock files may have: a plugin's own, and what it inherits from, which may be in the Hub only."""
    for node in chain:
        yield from filter(None, (_text(node, "name"), _text(node, "inherit_from")))


def _settings(node: Node) -> set[str]:
    """Names of settings that a definition lists or configures."""
    listed = {
        str(setting[key].value) for setting in _entries(node, "settings") for key in ("name",) if key in setting
    } | {str(alias.value) for setting in _entries(node, "settings") for alias in entries(setting.get("aliases"))}
    config = node.value.get("config")
    return listed | (set(_flat(config)) if config is not None else set())


def _aliases(node: Node) -> set[str]:
    """Variables that a definition itself says a setting is taken from."""
    return {str(alias.value) for setting in _entries(node, "settings") for alias in entries(setting.get("env_aliases"))}


def _flat(node: Node, before: str = "") -> Iterator[str]:
    for key, value in mapping(node).items():
        name = f"{before}{key}"
        yield name
        yield from _flat(value, f"{name}.")


def _entries(node: Node, key: str) -> list[dict[Any, Node]]:
    return [entry.value for entry in entries(node.value.get(key)) if isinstance(entry.value, dict)]


def _text(node: Node, key: str) -> str | None:
    child = node.value.get(key)
    return str(child.value) if child is not None and child.value is not None else None
