"""What an exported file is for: an operator, and the release line of an Airflow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from penstock.versions.number import parse
from penstock_runtime.errors import InputError

OLDEST, NEWEST = (2, 9), (3, 3)
"""Release lines that a file can be exported for."""


class Operator(StrEnum):
    """Which stock operators the file uses."""

    ecs = "ecs"
    docker = "docker"
    python = "python"
    virtualenv = "virtualenv"
    bash = "bash"


@dataclass(frozen=True)
class Target:
    """What a file is for. Where Airflow has its classes: its release notes of 2.9 to 3.3; each is imported in tests."""

    operator: Operator
    airflow: tuple[int, int]

    @property
    def line(self) -> str:
        """The release line, as `3.0`."""
        return ".".join(map(str, self.airflow))

    @property
    def dag(self) -> str:
        """The import of `DAG`."""
        return f"from {'airflow.sdk' if self.airflow >= (3, 0) else 'airflow'} import DAG"

    def standard(self, module: str, name: str) -> str:
        """The import of an operator that every Airflow has.

        Args:
            module: `python` or `bash`.
            name: the operator's class.
        """
        package = "airflow.providers.standard.operators" if self.airflow >= (3, 0) else "airflow.operators"
        return f"from {package}.{module} import {name}"

    @property
    def mask_secret(self) -> str:
        """The import of `mask_secret`, after which Airflow's log shows `***` in the place of a value."""
        module = "airflow.sdk.log" if self.airflow >= (3, 0) else "airflow.utils.log.secrets_masker"
        return f"from {module} import mask_secret"

    @property
    def takes_container_name(self) -> bool:
        """Whether its amazon provider (9.8 and later) has `EcsRunTaskOperator(container_name=…)`."""
        return self.airflow >= (2, 11)


def release_line(version: str) -> tuple[int, int]:
    """The release line of `3.0` or `3.0.6`.

    Raises:
        InputError: it is not a version, or one that no file can be exported for.
    """
    parts = parse(version if version.count(".") > 1 else f"{version}.0")
    oldest, newest = (".".join(map(str, one)) for one in (OLDEST, NEWEST))
    fix = f"use a version from {oldest} to {newest}, such as --airflow 3.0"
    if parts is None:
        raise InputError(f"{version[:20]!r} is not a version of Airflow", fix=fix)
    line = (parts[0], parts[1])
    if not OLDEST <= line <= NEWEST:
        raise InputError(f"no file can be exported for Airflow {version}", fix=fix)
    return line
