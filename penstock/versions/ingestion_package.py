"""What to install for `openmetadata-ingestion` of a server's version. Dated, as `connectors` is."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.versions.connectors import connector

PACKAGE = "openmetadata-ingestion"

CHECKED = "2026-11-30"
"""When these were last installed: 1.6.13.2, 1.12.14.2 and 2.0.6.0, with Python 3.11."""

_BESIDE: dict[str, tuple[str, ...]] = {
    # 1.6 uses what jaraco.context 6 no longer has.
    "1.6": ("jaraco.context<6",),
    # 1.12 imports cachetools and does not declare it; a build step of dbt-core 1.12 downloads from outside PyPI.
    "1.12": ("cachetools", "dbt-core<1.12"),
}
"""Release line → what has to be asked for besides the package."""

_TYPE_EXTRAS = {"autoClassification": "pii-processor"}
"""Workflow type → the extra that it needs, whatever its source."""


def requirements(version: str, source_types: Iterable[str], workflow_types: Iterable[str] = ()) -> tuple[str, ...]:
    """What pip is to install for workflows with these sources.

    A server's package has the server's three numbers and one of its own behind them. A connector of which no extra is
    known adds none: `penstock.versions.connectors`.

    Args:
        version: the server's, in three parts.
        source_types: `source.type` of the workflow files.
        workflow_types: `pipelineType` of these.
    """
    found = [one.extra for name in source_types if (one := connector(name)) is not None]
    extras = sorted({*found, *(_TYPE_EXTRAS[name] for name in workflow_types if name in _TYPE_EXTRAS)})
    line = ".".join(version.split(".")[:2])
    bracketed = f"[{','.join(extras)}]" if extras else ""
    return (f"{PACKAGE}{bracketed}=={version}.*", *_BESIDE.get(line, ()))
