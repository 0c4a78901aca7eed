"""`requirements`: what pip installs to run the project's workflows."""

from __future__ import annotations

import typer

from penstock.cli import context as contexts
from penstock.cli.output import data
from penstock.project.rules.workflow_requirements import requirements as lines_of


def requirements(context: typer.Context) -> None:
    """Print the requirements.in of the OpenMetadata workflows: the server's version, with the extras of their sources.

    For the lock of a slim image (`images.openmetadata.build`), or for a virtual environment of your own.
    """
    found = contexts.of(context)
    project = found.project
    for line in lines_of(project.environment(found.environment), project.workflows):
        data.print(line, markup=False, highlight=False, soft_wrap=True)
