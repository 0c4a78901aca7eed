"""What a container is asked to do, read from its environment (`contract` has the names)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from penstock_runtime import contract
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError


@dataclass(frozen=True)
class Run:
    """Which run this is: one try of one Airflow task."""

    project: str
    environment: str
    schedule: str
    job: str
    task: str
    dag_run: str
    attempt: int

    def __str__(self) -> str:
        task = f"{self.project}/{self.environment}: {self.schedule}.{self.task} (job {self.job})"
        return f"{task}, run {self.dag_run}, try {self.attempt}"

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Run:
        """The run that `PENSTOCK_RUN` describes.

        Raises:
            RunError: it is missing or lacks a field.
        """
        data = read_json(environ, contract.RUN, dict)
        try:
            return cls(
                **{name: str(data[name]) for name in ("project", "environment", "schedule", "job", "task", "dag_run")},
                attempt=int(data["try"]),
            )
        except (KeyError, ValueError) as error:
            refuse(contract.RUN, f"has no usable field {error}")


@dataclass(frozen=True)
class Size:
    """What RunTask gave this run."""

    cpu_units: int
    """1024 are one vCPU."""
    memory_mib: int

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Size | None:
        """The size in `PENSTOCK_SIZE`; None if that is not set.

        Raises:
            RunError: it holds something else.
        """
        if not environ.get(contract.SIZE):
            return None
        data = read_json(environ, contract.SIZE, dict)
        try:
            size = cls(int(data["cpu_units"]), int(data["memory_mib"]))
        except (KeyError, TypeError, ValueError) as error:
            refuse(contract.SIZE, f"has no usable field {error}")
        if size.cpu_units <= 0 or size.memory_mib <= 0:
            refuse(contract.SIZE, "holds a size that is not positive")
        return size


def refuse(name: str, what: str) -> NoReturn:
    """Refuse the container's environment."""
    raise RunError(
        f"the environment variable {name} {what}",
        fix="deploy again: the task definition and the bundle that started it are of different releases",
        exit_code=Exit.WRONG_INPUT,
    )


def read(environ: Mapping[str, str], name: str) -> str:
    """An environment variable that must be set and not empty.

    Raises:
        RunError: it is not.
    """
    value = environ.get(name, "")
    if not value:
        refuse(name, "is not set")
    return value


def read_json(environ: Mapping[str, str], name: str, kind: type) -> Any:
    """An environment variable that must hold a JSON value of this type.

    Raises:
        RunError: it is missing or holds something else.
    """
    try:
        value = json.loads(read(environ, name))
    except json.JSONDecodeError as error:
        refuse(name, f"does not hold JSON: {error}")
    if not isinstance(value, kind):
        refuse(name, f"does not hold a JSON {'object' if kind is dict else 'list'}")
    return value


def read_names(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A JSON list of names; empty if the variable is not set.

    Raises:
        RunError: it holds something else.
    """
    return tuple(str(item) for item in read_json(environ, name, list)) if environ.get(name) else ()


def secret_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Which environment variables hold secrets; without that, all names of the task (better masked than shown).

    Raises:
        RunError: the variable holds something else than names.
    """
    return read_names(environ, contract.SECRET_NAMES if contract.SECRET_NAMES in environ else contract.NAMES)


def timeout_seconds(environ: Mapping[str, str]) -> float:
    """The run's wall-clock limit.

    Raises:
        RunError: it is missing or not a positive number.
    """
    return _seconds(contract.TIMEOUT_SECONDS, read(environ, contract.TIMEOUT_SECONDS))


def stop_timeout_seconds(environ: Mapping[str, str], default: float) -> float:
    """How long ECS waits after SIGTERM before it kills the container.

    Raises:
        RunError: it is not a positive number.
    """
    name = contract.STOP_TIMEOUT_SECONDS
    return _seconds(name, environ[name]) if environ.get(name) else default


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    # Not `seconds <= 0`: that would let NaN through.
    if not 0 < seconds < math.inf:
        refuse(name, f"is {text!r}, which is not a positive number of seconds")
    return seconds
