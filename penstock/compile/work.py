"""What a task does, whatever its size and place."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from penstock.project.iam.permissions import Permission
from penstock.project.rules.files.levels import Given
from penstock_runtime.plan.schedule import Engine
from penstock_runtime.plan.task_definition import Image


@dataclass(frozen=True)
class Work:
    """What a task does, whatever its size and place."""

    engine: Engine
    image: Image
    names: set[str]
    default_image: bool = True
    command: tuple[str, ...] = ()
    workflow_type: str | None = None
    config: str | None = None
    secrets: tuple[str, ...] = ()
    """Besides those among `names`."""
    permissions: tuple[Permission, ...] = ()
    runtime: bool = True
    files: Mapping[str, Given] = field(default_factory=dict)
    """By their paths in the container."""


def arguments_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts as a shell would split them; load has checked that it can be done."""
    return tuple(part for text in texts for part in shlex.split(text))
