"""The source of a workflow: its type, its connection, its config and the task that runs it must mean the same thing.

The package finds a source's class by `source.type` alone: `postgres` and `postgres-usage` are the classes of the folder
`postgres`, and each takes a connection of the folder's own type only (1.6 to 2.0, metadata/utils/importer and
metadata/utils/service_spec).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import find
from penstock.project.document.problems import shown
from penstock.project.openmetadata.workflow import Workflow
from penstock_runtime.workflow_types import TYPE_OF_CONFIG

ENDINGS = ("usage", "lineage")
"""What a source's type may end in, behind a `-`: another class of the same folder."""
CUSTOM = "custom"
"""What the types of sources begin with whose class the connection names, in `sourcePythonClass`."""
QUERY_LOG = "query"
"""Folder of `query-log-usage` and `query-log-lineage`, which read queries of any database from a file."""
WITHOUT = frozenset({"TestSuite", "application"})
"""Workflow types that look for no class by `source.type`."""
_CONNECTION = ("source", "serviceConnection", "config")
_CONFIG = ("source", "sourceConfig", "config")


@dataclass(frozen=True)
class SourceType:
    """`source.type`, taken apart as the package does."""

    text: str
    folder: str
    ending: str
    """`usage`, `lineage` or empty."""

    @property
    def is_custom(self) -> bool:
        """Whether the connection names the class."""
        return self.text.lower().startswith(CUSTOM)


def parse(text: str) -> SourceType:
    """Take a `source.type` apart."""
    folder, *rest = text.lower().split("-")
    return SourceType(text, folder, rest[-1] if rest and rest[-1] in ENDINGS else "")


def source_type(workflow: Workflow) -> tuple[SourceType, Node] | None:
    """The type of a workflow's source; None where it has none, or `${NAME}` stands in it."""
    node = find(workflow.document.root, ("source", "type"))
    if node is None or not isinstance(node.value, str) or not node.value or "${" in node.value:
        return None
    return parse(node.value), node


def meant(workflow: Workflow, workflow_type: str) -> str:
    """What a workflow does: the type that its config is for, where it says one, otherwise the task's."""
    kind = find(workflow.document.root, (*_CONFIG, "type"))
    value = kind.value if kind is not None else None
    return TYPE_OF_CONFIG.get(value, workflow_type) if isinstance(value, str) else workflow_type


def workflow_type_of(workflow: Workflow) -> str | None:
    """The type of a workflow, by its file alone; None where that does not say it."""
    root = workflow.document.root
    if find(root, ("source",)) is None:
        return "application" if find(root, ("sourcePythonClass",)) or find(root, ("appConfig",)) else None
    if (by_config := meant(workflow, "")) or (found := source_type(workflow)) is None:
        return by_config or None
    return found[0].ending or ("TestSuite" if found[0].text == "TestSuite" else None)


def check(workflow: Workflow, workflow_type: str) -> Iterator[Problem]:
    """What does not fit."""
    found = source_type(workflow)
    if found is None or workflow_type in WITHOUT:
        return
    source, node = found
    yield from _check_connection(workflow, source, node)
    yield from _check_ending(workflow, source, node, meant(workflow, workflow_type))
    if source.folder == QUERY_LOG and source.ending:
        yield from _check_query_log(workflow, source)


def _check_connection(workflow: Workflow, source: SourceType, node: Node) -> Iterator[Problem]:
    config = find(workflow.document.root, _CONNECTION)
    if config is None or not isinstance(config.value, dict):
        return
    kind = config.value.get("type")
    if kind is None:
        # Databricks' own sample has none, and is taken for a connection to Unity Catalog.
        yield Problem(
            "serviceConnection.config has no type: OpenMetadata guesses from its keys what it connects to",
            "add the type of the source, such as type: Postgres",
            where=workflow.document.where(config),
            is_error=False,
        )
        return
    if not isinstance(kind.value, str) or "${" in kind.value:
        return
    if source.is_custom:
        if config.value.get("sourcePythonClass") is None:
            yield Problem(
                f"a source of type {source.text} needs sourcePythonClass, which names its class",
                "add sourcePythonClass: package.module.Class to serviceConnection.config",
                where=workflow.document.where(config),
            )
    elif source.folder != QUERY_LOG and source.folder != kind.value.lower():
        ending = f"-{source.ending}" if source.ending else ""
        yield Problem(
            f"source.type {shown(source.text)} does not take a connection of type {shown(kind.value)}",
            f"write type: {kind.value.lower()}{ending} in source, or a connection of that source",
            where=workflow.document.where(node),
        )


def _check_ending(workflow: Workflow, source: SourceType, node: Node, does: str) -> Iterator[Problem]:
    if source.is_custom or source.ending == does or (not source.ending and does not in ENDINGS):
        return
    where = workflow.document.where(node)
    if does in ENDINGS:
        reads = source.ending or "metadata"
        yield Problem(
            f"source.type {shown(source.text)} reads {reads}, and the workflow is for {does}",
            f"write type: {source.folder}-{does}" if source.folder != QUERY_LOG else f"write type: query-log-{does}",
            where=where,
        )
    elif does == "metadata":
        yield Problem(
            f"source.type {shown(source.text)} reads {source.ending}, and the workflow is for metadata",
            f"write type: {source.folder}, or run it as type: {source.ending} with the config of that",
            where=where,
        )


def _check_query_log(workflow: Workflow, source: SourceType) -> Iterator[Problem]:
    config = find(workflow.document.root, _CONFIG)
    has = config.value if config is not None and isinstance(config.value, dict) else {}
    path = has.get("queryLogFilePath")
    if path is None or not path.value:
        place = path or config or find(workflow.document.root, ("source",)) or workflow.document.root
        yield Problem(
            f"source.type {source.text} reads queries from a file, and there is no queryLogFilePath",
            "add queryLogFilePath: … to sourceConfig.config, and give the task that file",
            where=workflow.document.where(place),
        )
