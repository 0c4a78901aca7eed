"""What a plan is compiled from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from penstock.problem import Problem
from penstock.project.document.composer import Node
from penstock.project.document.document import at
from penstock.project.environments import Environment, prefix_of
from penstock.project.loaded import Project
from penstock.project.settings import Settings


@dataclass(frozen=True)
class Inputs:
    """A project, one of its environments, and what the caller chose for it."""

    project: Project
    name: str
    """The environment's."""
    environment: Environment
    variables: Mapping[str, str]
    """The project's, with the caller's in place of them."""
    airflow_version: str
    only_ecs: bool = False
    """Whether all tasks are to run by the operator `ecs`, whatever the project says."""

    @property
    def settings(self) -> Settings:
        """The environment's settings."""
        return self.environment.settings

    @property
    def root(self) -> Node:
        """The node of the environment's settings in the document."""
        return self.environment.root

    @property
    def prefix(self) -> str:
        """What the names of the environment's resources start with."""
        return prefix_of(self.settings.name, self.name)

    def where(self, *path: Any) -> str:
        """The file, line and column of a setting."""
        return self.project.document.where(at(self.root, path))

    def located(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Problems about settings, each with its file, line and column."""
        for problem in problems:
            yield replace(problem, where=problem.where or self.where(*problem.path))

    def warning(self, text: str, *path: Any) -> str:
        """A warning about a setting, with its place."""
        return f"{self.project.place(self.where(*path))}: {text}"
