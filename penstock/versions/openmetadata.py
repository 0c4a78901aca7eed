"""What is known of the versions of OpenMetadata that a project may name."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.versions.number import parse

CHECKED = "2026-11-30"
"""When the table was last compared with PyPI, each package installed from its lock and its workflows run."""

PACKAGE = "openmetadata-ingestion"


@dataclass(frozen=True)
class Beside:
    """A requirement that the package needs beside itself, and does not declare."""

    requirement: str
    why: str


@dataclass(frozen=True)
class Release:
    """One release line of the server, and the ingestion package that was tried for it."""

    package: str
    """Version of the ingestion package: the server's three numbers, and one of its own."""
    beside: tuple[Beside, ...]
    """What an installation of it needs besides."""


_CACHETOOLS = Beside("cachetools", "The package imports it and does not declare it.")
_DBT_CORE = Beside("dbt-core<1.12", "From 1.12 on, a build step of dbt-core downloads from outside PyPI.")
_JARACO = Beside("jaraco.context<6", "From 6 on, the keyring that 1.6 asks for passwords does not find it.")

RELEASES: dict[str, Release] = {
    "1.6": Release("1.6.13.2", (_CACHETOOLS, _DBT_CORE, _JARACO)),
    "1.12": Release("1.12.14.2", (_CACHETOOLS, _DBT_CORE)),
    "1.13": Release("1.13.6.3", (_CACHETOOLS, _DBT_CORE)),
    "2.0": Release("2.0.7.0", (_CACHETOOLS, _DBT_CORE)),
}
"""By release line, the oldest first. Each has a lock in `requirements/images`."""

OPENMETADATA_LINES: tuple[str, ...] = tuple(RELEASES)
"""Release lines of the server whose ingestion package was tried."""

OPENMETADATA_IMAGE = "docker.getcollate.io/openmetadata/ingestion-base"
"""The upstream image; its tag is the server's version. It has Python 3.10 and the package with all extras, for the user
`openmetadata` (1000), in /home/openmetadata/.local; it starts in /ingestion. Source: OpenMetadata, "Run the ingestion
externally"; open-metadata/OpenMetadata, ingestion/operators/docker/Dockerfile. `openmetadata/ingestion`, which has
Airflow beside it and is several times as large, works too."""


def line(version: str) -> str:
    """The release line of a version: `1.12` of `1.12.14`."""
    return ".".join(version.split(".")[:2])


def release(version: str) -> Release:
    """What is known of a server's version; of a line that was not tried, what is known of the newest one before it, or
    of the oldest."""
    numbers = _numbers(line(version))
    known = [name for name in RELEASES if _numbers(name) <= numbers]
    return RELEASES[known[-1] if known else OPENMETADATA_LINES[0]]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


STREAMS_LOGS = (2, 0)
"""The first release line with which the log of a run is sent to the server (`enableStreamableLogs`). The package of
1.12 has the key too; what servers of that line do with the log was not tried."""


def streams_logs(version: str) -> bool:
    """Whether a version's server takes the log of a run."""
    parsed = parse(version)
    return parsed is not None and parsed[:2] >= STREAMS_LOGS
