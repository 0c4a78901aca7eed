"""What every command starts from: the project, its plan, the folder of its embedded system."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import typer

from penstock.cli.output import Steps
from penstock.compile.compiler import compile_plan
from penstock.local import openmetadata_shapes
from penstock.local.instance import Instance
from penstock.project.load import file_of, load
from penstock.project.loaded import Project
from penstock.project.openmetadata.shapes.shape_file import Unknown, cached
from penstock.project.openmetadata.shapes.shapes import Shapes
from penstock.project.settings import ENVIRONMENT_NAME
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Plan

PROJECT_FILE = Path("penstock.yaml")
"""The project where none is named."""


@dataclass
class Context:
    """The command's global options, and what follows from them."""

    given: Path
    """`--project`: a project file, or a folder with a `penstock.yaml`."""
    environment: str | None
    install: bool = False
    """Install the OpenMetadata package of the project's version, to know what it takes."""

    @cached_property
    def project_file(self) -> Path:
        """The project file."""
        return file_of(self.given)

    @cached_property
    def project(self) -> Project:
        """The project, read and checked."""
        return load(self.given, shapes=self.shapes)

    @property
    def is_named(self) -> bool:
        """Whether the caller named a project."""
        return self.given != PROJECT_FILE

    def shapes(self, version: str) -> Shapes | Unknown:
        """What a version of OpenMetadata takes; exported now, if its package is here."""
        shapes = cached(version)
        if isinstance(shapes, Shapes):
            return shapes
        steps = Steps()
        return openmetadata_shapes.known(version, steps.note, install=self.install)

    def plan(self, variables: Mapping[str, str] | None = None, airflow: str | None = None) -> Plan:
        """The plan of the chosen environment."""
        return compile_plan(self.project, self.environment, variables=variables or {}, airflow_version=airflow)

    @property
    def folder(self) -> Path:
        """Where the embedded system of this project and environment keeps its state."""
        environment = self.project.default_environment if self.environment is None else self.environment
        if not re.fullmatch(ENVIRONMENT_NAME, environment):
            # It becomes a folder's name, also where the project is not read.
            raise InputError(f"{environment[:60]!r} is not the name of an environment", fix="check --environment")
        return self.project_file.absolute().parent.resolve() / ".penstock" / environment

    def instance(self) -> Instance:
        """The embedded system that `penstock up` made.

        Raises:
            InputError: there is none.
        """
        instance = self.instance_or_none()
        if instance is None:
            self.project.environment(self.environment)
            raise InputError("nothing is up here", fix="run penstock up first", where=str(self.project_file))
        return instance

    def instance_or_none(self) -> Instance | None:
        """The embedded system that `penstock up` made, if there is one."""
        return Instance.load(self.folder)


def of(context: typer.Context) -> Context:
    """The `Context` of a command."""
    own = context.find_object(Context)
    assert own is not None
    return own
