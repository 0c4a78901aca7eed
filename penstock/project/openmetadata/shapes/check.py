"""A workflow, with what the project adds to it, against what the server's version takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.problems import Problems
from penstock.project.openmetadata.content import installed
from penstock.project.openmetadata.model import OpenMetadata
from penstock.project.openmetadata.shapes.shape_file import Source, Unknown
from penstock.project.openmetadata.shapes.shapes import Shapes
from penstock.project.openmetadata.workflow import Workflow, completed_server
from penstock.versions.number import parse
from penstock_runtime.errors import InputError


@dataclass
class ShapeCheck:
    """Checks the workflows of a project. Without a source nothing is checked, and nothing said of it."""

    source: Source | None = None
    notes: list[InputError] = field(default_factory=list)
    """What could not be checked, or is wrong for a neighbouring version only: nothing that stops anybody."""
    _shapes: dict[str, Shapes | Unknown] = field(default_factory=dict)
    _checked: set[tuple[int, str, str, bool]] = field(default_factory=set)

    def check(self, workflow: Workflow, workflow_type: str, settings: OpenMetadata | None, problems: Problems) -> None:
        """Report what the package of the server's version would refuse. What is wrong at a place where another check
        has already found something is left to that one.

        The shapes are those of one package of the server's release line. Where it is not the very version, what it
        refuses is a note: the server's own may take it.
        """
        if self.source is None or settings is None or parse(settings.version) is None:
            return
        shapes = self._of(settings.version)
        if isinstance(shapes, Unknown):
            return
        root = "application" if workflow_type == "application" else "workflow"
        key = (id(workflow), settings.version, workflow_type, settings.auth is not None)
        if key in self._checked:
            return
        self._checked.add(key)
        document = workflow.document
        found = [
            Problem(fault.what, fault.fix, where=document.where(fault.node))
            for fault in shapes.faults(root, _with_server(document.root, settings))
        ]
        found += installed.check(workflow, workflow_type, shapes.holds)
        taken = problems.places()
        same = shapes.package.startswith(f"{settings.version}.") or shapes.package == settings.version
        for problem in found:
            if problem.where in taken:
                continue
            what = f"{problem.what} (OpenMetadata {shapes.package})"
            if same:
                problems.add(what, fix=problem.fix, where=problem.where)
            else:
                self._note(f"{what}; the server is {settings.version}", problem)

    def _note(self, what: str, problem: Problem) -> None:
        """Once, though several tasks run the file."""
        if not any((note.what, note.where) == (what, problem.where) for note in self.notes):
            self.notes.append(InputError(what, fix=problem.fix, where=problem.where))

    def _of(self, version: str) -> Shapes | Unknown:
        assert self.source is not None
        if version not in self._shapes:
            shapes = self._shapes[version] = self.source(version)
            if isinstance(shapes, Unknown):
                what = f"the shape of OpenMetadata's files was not checked: {shapes.why}"
                self.notes.append(InputError(what, fix=shapes.fix))
        return self._shapes[version]


def _with_server(root: Node, settings: OpenMetadata) -> Node:
    """The root of a workflow with what the project fills in: it stands where its mapping begins."""
    config = root.value.get("workflowConfig")
    plain = {} if config is None or config.value is None else config.plain()
    target = plain.get("openMetadataServerConfig") if isinstance(plain, dict) else ""
    if isinstance(target, dict) and not isinstance(target.get("securityConfig", {}), dict):
        target["securityConfig"] = None  # as good as missing: what stands there is reported
    if not isinstance(target, dict | None):
        return root
    data: dict[str, Any] = {"workflowConfig": plain}
    completed_server(data, settings, server=None)
    return _overlaid(root, data)


def _overlaid(node: Node, data: Mapping[str, Any]) -> Node:
    """A mapping with the keys of `data` that it does not have; where its value is empty, that of `data`."""
    value, keys = dict(node.value), dict(node.keys)
    for key, inner in data.items():
        child = value.get(key)
        if child is None or (child.value is None and isinstance(inner, dict)):
            place = child or node
            scalar = None if isinstance(inner, dict) else inner
            child = Node(place.line, place.column, place.start, place.end, {} if isinstance(inner, dict) else scalar)
            value[key] = child
            keys.setdefault(key, Node(place.line, place.column, place.start, place.end, key))
        if isinstance(inner, dict) and isinstance(child.value, dict):
            value[key] = _overlaid(child, inner)
    return Node(node.line, node.column, node.start, node.end, value, keys=keys)
