"""All checks of what one workflow file says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penstock.problem import Problem
from penstock.project.openmetadata.content import filters, renamed, run_id, server, source, steps
from penstock.project.openmetadata.model import OpenMetadata
from penstock.project.openmetadata.workflow import Workflow


def check(
    workflow: Workflow, workflow_type: str, settings: OpenMetadata | None, variables: Mapping[str, str]
) -> Iterator[Problem]:
    """What is wrong, or may be unintended, with a workflow as one of this type.

    Args:
        settings: of the server; what they fill in is not missing in the file. None: nothing does.
        variables: what `${NAME}` stands for; a name that is not among them may be a secret.
    """
    yield from source.check(workflow, workflow_type)
    yield from renamed.check(workflow)
    yield from filters.check(workflow, variables)
    yield from steps.check(workflow, source.meant(workflow, workflow_type))
    yield from server.check(workflow, settings, variables)
    yield from run_id.check(workflow)
