"""What to install for `openmetadata-ingestion` of a server's version."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.versions import extras
from penstock.versions.openmetadata import PACKAGE, release


def requirement(version: str, wanted: Iterable[str]) -> str:
    """The requirement of the package with these extras.

    A server's package has the server's three numbers and one of its own behind them.

    Args:
        version: the server's, in three parts.
        wanted: extras, in any order.
    """
    chosen = ",".join(sorted(set(wanted)))
    return f"{PACKAGE}{f'[{chosen}]' if chosen else ''}=={version}.*"


def requirements(version: str, source_types: Iterable[str], workflow_types: Iterable[str] = ()) -> tuple[str, ...]:
    """What pip is to install for workflows with these sources.

    Args:
        version: the server's, in three parts.
        source_types: `source.type` of the workflow files; one of which no extra is known adds none.
        workflow_types: `pipelineType` of these.
    """
    wanted = {extra for source_type in source_types for extra in extras.of_source(source_type, version)}
    wanted |= {extras.OF_TYPE[name] for name in workflow_types if name in extras.OF_TYPE}
    return (requirement(version, wanted), *(beside.requirement for beside in release(version).beside))
