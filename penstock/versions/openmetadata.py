"""What is known of the versions of OpenMetadata that a project may name."""

from __future__ import annotations

from penstock.versions.number import parse

OPENMETADATA_LINES: tuple[str, ...] = ("1.6", "1.12", "2.0")
"""Release lines of the server whose ingestion package was tried."""

OPENMETADATA_IMAGE = "docker.getcollate.io/openmetadata/ingestion-base"
"""The upstream image; its tag is the server's version. It has Python 3.10 and the package with all extras, for the user
`openmetadata` (1000), in /home/openmetadata/.local; it starts in /ingestion. Source: OpenMetadata, "Run the ingestion
externally"; open-metadata/OpenMetadata, ingestion/operators/docker/Dockerfile. `openmetadata/ingestion`, which has
Airflow beside it and is several times as large, works too."""


def line(version: str) -> str:
    """The release line of a version: `1.12` of `1.12.14`."""
    return ".".join(version.split(".")[:2])


STREAMS_LOGS = (2, 0)
"""The first release line with which the log of a run is sent to the server (`enableStreamableLogs`). The package of
1.12 has the key too; what servers of that line do with the log was not tried."""


def streams_logs(version: str) -> bool:
    """Whether a version's server takes the log of a run."""
    parsed = parse(version)
    return parsed is not None and parsed[:2] >= STREAMS_LOGS
