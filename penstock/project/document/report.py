"""Where the problems of one document are collected, each with its `file:line:column`."""

from __future__ import annotations

from collections.abc import Iterable

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

    def line(self, *path: str | int) -> str:
        """The line on which a part of the document starts, with its comment."""
        return self.document.line(at(self.root, path))

    def place(self, *path: str | int, key: bool = False) -> str:
        """`file:line:column` of a part of the document, counted from 1."""
        return self.document.where(at(self.root, path, key=key))

    def where(self, problem: Problem) -> str:
        """`file:line:column`, counted from 1."""
        return problem.where or self.document.where(at(self.root, problem.path, key=problem.at_key))

    def add_all(self, problems: Iterable[Problem]) -> None:
        """Collect those that are errors.

        Raises:
            InputErrors: there are too many; see `Problems.take`.
        """
        for problem in problems:
            self.add(problem)

    def add(self, problem: Problem) -> None:
        """Collect one, if it is an error."""
        if problem.is_error:
            self.problems.add(problem.what, fix=problem.fix, where=self.where(problem))

    def warnings(self, problems: Iterable[Problem]) -> dict[tuple[str, str], None]:
        """(text, `file:line:column`) of those that are warnings, each once, in their order."""
        return {
            (f"{problem.what}: {problem.fix}", self.where(problem)): None
            for problem in problems
            if not problem.is_error
        }
