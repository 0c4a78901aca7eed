"""The files that tasks get of the project, by their hash: from the project's folder to where they are uploaded from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from penstock.project.files import content
from penstock_runtime.plan.plan import Plan, ProjectFile


def unique(plan: Plan) -> Iterator[ProjectFile]:
    """The plan's files, of those with the same content one."""
    yield from {file.sha256: file for file in plan.files}.values()


def write(plan: Plan, project: Path, folder: Path) -> Path | None:
    """Copy the plan's files into `folder`, each under its SHA-256; the folder, or None where there are none.

    Args:
        project: the project's folder.

    Raises:
        PenstockError: a file is not what it was when the plan was made.
        OSError: `folder` cannot be written to.
    """
    if not plan.files:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for file in unique(plan):
        with (folder / file.sha256).open("wb") as copy:
            copy.writelines(content.parts(project / file.path, file.path, file.sha256))
    return folder
