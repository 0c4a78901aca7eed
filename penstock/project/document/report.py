"""Where the problems of one document are collected, each with its `file:line:column`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, at
from penstock.project.document.problems import Problems


class Report:
    """Turns the paths of problems into positions in a document. `root` may be another than the document's own: the
    project file as one environment has it."""

    def __init__(self, document: Document, problems: Problems, root: Node | None = None) -> None:
        self.document, self.problems = document, problems
        self.root = document.root if root is None else root

    def where(self, problem: Problem) -> str:
        """`file:line:column`, counted from 1."""
        if problem.node is not None:
            return self.document.where(cast(Node, problem.node))
        return self.document.where(at(self.root, problem.path, key=problem.at_key))

    def add_all(self, problems: Iterable[Problem]) -> None:
        """Collect those that are errors.

        Raises:
            InputErrors: there are too many; see `Problems.take`.
        """
        for problem in problems:
            if problem.is_error:
                self.problems.add(problem.what, fix=problem.fix, where=self.where(problem))

    def warnings(self, problems: Iterable[Problem]) -> dict[tuple[str, str], None]:
        """(text, `file:line:column`) of those that are warnings, each once, in their order."""
        return {(f"{one.what}: {one.fix}", self.where(one)): None for one in problems if not one.is_error}
