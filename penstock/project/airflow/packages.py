"""What one line of a requirements file asks for: a package, or a file of the container."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from penstock.problem import Problem
from penstock.project.airflow import container_paths
from penstock.project.airflow.container_paths import Container
from penstock.project.airflow.pins import Pins
from penstock.project.document.problems import shown
from penstock.versions import airflow

_URL = re.compile(r"(?:https?|ftp|(?:git|hg|svn|bzr)\+[a-z+]+):", re.IGNORECASE)
_ARCHIVE = (".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lzma", ".tlz")
"""What pip takes for a file (`pip/_internal/utils/filetypes.py`)."""
_MAX = 4096
"""Characters of a package, a URL or a path. Ours: the patterns here take time with the square of the length."""
_EXTRAS = re.compile(r"\[[^]]*\]$")
_VERSION = r"(?:===|[=<>~!]=|[<>])\s*[^\s,;()=<>~!]+"
_LEGACY = re.compile(
    rf"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[[^]]*\])?\s*{_VERSION}(?:\s*,\s*{_VERSION})*\s*(?P<marker>;.*)?"
)
"""Versions that pip read before 24.1, such as `>=1.0.*` (pip, "Changelog", 24.1): which pip MWAA has, nobody says."""
_AIRFLOW = frozenset({"apache-airflow", "apache-airflow-core"})
"""Both have the version of Airflow."""


def problem(package: str, line: int, container: Container, pins: Pins) -> Problem | None:
    """What is wrong with the part of a line that names a package, a URL or a path; None: pip can read it.

    Args:
        line: its number, for what is said of another line.
        pins: of the lines before it; takes note of this one.
    """
    if len(package) > _MAX:
        return Problem(f"a package of {len(package)} characters: {shown(package)}", "write one package on a line")
    path = _path(package)
    if path is not None:
        return container_paths.problem(path, container)
    if _URL.match(package):
        return None
    try:
        requirement = _parsed(package)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0][:100]
        return Problem(f"pip cannot read {shown(package)}: {reason}", "write a package with its version: pandas==2.2.3")
    if requirement.url is not None and requirement.url.lower().startswith("file:"):
        return container_paths.problem(unquote(urlsplit(requirement.url).path), container)
    if requirement.marker is not None and not requirement.marker.evaluate(_environment(pins.airflow_version)):
        return None
    return _airflow_problem(requirement, pins.airflow_version) or pins.problem(requirement, line)


def _parsed(package: str) -> Requirement:
    """A requirement; one with versions that only an older pip reads comes back without them."""
    try:
        return Requirement(package)
    except InvalidRequirement:
        legacy = _LEGACY.fullmatch(package)
        if legacy is None:
            raise
        return Requirement(f"{legacy['name']}{legacy['marker'] or ''}")


def _path(package: str) -> str | None:
    """The path that a line names; None: it names something else."""
    before = package.partition("@")[0]
    if "@" in package and not before.strip().startswith((".", "/")) and "/" not in before:
        return None  # name @ URL
    text = package.partition(";")[0].strip()
    if text.lower().startswith("file:"):
        return unquote(urlsplit(_EXTRAS.sub("", text)).path)
    if _URL.match(text):
        return None
    text = _EXTRAS.sub("", text).rstrip()
    is_path = " " not in text and (text.startswith(".") or "/" in text or text.lower().endswith(_ARCHIVE))
    return text if is_path else None


def _airflow_problem(requirement: Requirement, airflow_version: str) -> Problem | None:
    if canonicalize_name(requirement.name) not in _AIRFLOW or requirement.specifier.contains(
        airflow_version, prereleases=True
    ):
        return None
    what = (
        f"MWAA runs Airflow {airflow_version}, and this asks for {shown(str(requirement.specifier).removeprefix('=='))}"
    )
    return Problem(what, "remove the line: MWAA brings Airflow")


def _environment(airflow_version: str) -> dict[str, str]:
    """What environment markers see in MWAA's containers."""
    python = airflow.airflow_python(airflow_version)
    return {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "extra": "",
    }
