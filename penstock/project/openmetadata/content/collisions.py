"""Two workflow files of an environment that mean one thing of the server's, and not the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import find
from penstock.project.document.problems import shown
from penstock.project.openmetadata.content import source
from penstock.project.openmetadata.workflow import Workflow
from penstock_runtime.fill import PLACEHOLDER

_ENDING = "Metadata"
_DATABASE = "Database"
_OF_DATABASES = frozenset({"usage", "lineage", "profiler", "autoClassification"})


@dataclass(frozen=True)
class Used:
    """A workflow file, and the task that runs it."""

    task: str
    workflow_type: str
    workflow: Workflow


def check(used: Iterable[Used], variables: Mapping[str, str]) -> Iterator[Problem]:
    """Services and pipelines of one name, in the order of the tasks."""
    services: dict[tuple[str, str], tuple[str, str]] = {}
    pipelines: dict[str, Used] = {}
    for one in used:
        yield from _check_service(one, services, variables)
        yield from _check_pipeline(one, pipelines, variables)


def _check_service(
    one: Used, services: dict[tuple[str, str], tuple[str, str]], variables: Mapping[str, str]
) -> Iterator[Problem]:
    name = find(one.workflow.document.root, ("source", "serviceName"))
    kind, of = _kind(one), _connects_to(one)
    if name is None or not isinstance(name.value, str) or not name.value or kind is None or of is None:
        return
    filled = _filled(name.value, variables)
    where = one.workflow.document.where(name)
    other, first = services.setdefault((kind, filled), (of, where))
    if other != of:
        yield Problem(
            f"service {shown(filled)} is of type {of} here, and of type {other} at {first}: the server has one "
            f"{kind.lower()} service of a name",
            "give each source a service of its own",
            where=where,
        )


def _kind(one: Used) -> str | None:
    """Which kind of service a workflow is about; None where that is not known."""
    if source.meant(one.workflow, one.workflow_type) in _OF_DATABASES:
        return _DATABASE
    config = find(one.workflow.document.root, ("source", "sourceConfig", "config", "type"))
    if config is not None and isinstance(config.value, str) and config.value.endswith(_ENDING):
        return config.value.removesuffix(_ENDING)
    return None


def _connects_to(one: Used) -> str | None:
    found = source.source_type(one.workflow)
    if found is None or found[0].folder == source.QUERY_LOG:
        return None
    return found[0].folder


def _check_pipeline(one: Used, pipelines: dict[str, Used], variables: Mapping[str, str]) -> Iterator[Problem]:
    node: Node | None = find(one.workflow.document.root, ("ingestionPipelineFQN",))
    if node is None or not isinstance(node.value, str) or not node.value:
        return
    first = pipelines.setdefault(_filled(node.value, variables), one)
    if first.task == one.task:
        return
    differ = first.workflow_type != one.workflow_type
    what = f"the runs of task {one.task!r} and of task {first.task!r} report as one pipeline, {shown(node.value)}"
    if differ:
        what += f", one of {one.workflow_type} and one of {first.workflow_type}"
    fix = "remove ingestionPipelineFQN: each task gets a pipeline of its own"
    yield Problem(what, fix, where=one.workflow.document.where(node), is_error=differ)


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: variables.get(match[1], match[0]), text)
