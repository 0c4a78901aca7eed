"""Where in a container a file can be written, as far as the desk knows the image.

Sources: OpenMetadata, ingestion/operators/docker/Dockerfile (user `openmetadata`, HOME /home/openmetadata, WORKDIR
/ingestion, which is this user's); runtime/images/*/Dockerfile; Debian's base-files (the modes of /tmp and the like).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock.problem import Problem
from penstock.project.jobs.tasks import BASE, Task, TaskSettings
from penstock.project.schema.model import merge_layers
from penstock.project.settings import Settings

TMP = "/tmp"  # noqa: S108  the container's
_EVERYBODY = (TMP, "/var/tmp", "/dev/shm")  # noqa: S108


@dataclass(frozen=True)
class Container:
    """What the desk knows of a task's container."""

    what: str
    """For messages: `OpenMetadata's image`."""
    writable: tuple[str, ...] | None
    """Folders that the image's user may write to; None: an image of the user's own, which is theirs to know."""
    working_folder: bool
    """Whether that user may write to the working directory, as far as is known."""
    read_only: bool
    """Whether it may write nowhere but in /tmp."""

    def unwritable(self, path: str) -> Problem | None:
        """Why no file can be written to a path, and the fix; None: as far as is known it can."""
        name = path.rsplit("/", 1)[-1]
        fix = f"write {TMP}/{name}, and the same where the file is used"
        if self.read_only:
            if not path.startswith(f"{TMP}/"):
                return Problem(
                    f"{path} is not below {TMP}, and the container's root is read-only (read_only_root)", fix
                )
            return None
        if not path.startswith("/"):
            if self.working_folder:
                return None
            return Problem(f"{path} is in the working directory of {self.what}, which its user may not write to", fix)
        if self.writable is None or any(path.startswith(f"{folder}/") for folder in self.writable):
            return None
        places = ", ".join(self.writable[:1] + self.writable[3:])
        return Problem(f"{path} is where the user of {self.what} may not write: it may below {places}", fix)


def of_task(settings: Settings, task: Task | None) -> Container:
    """The container of a task. None: one of Meltano's own."""
    run: dict[str, Any] = merge_layers(
        TaskSettings, BASE, settings.defaults.task, *([task] if task is not None else [])
    )
    if task is None or task.meltano is not None:
        own = settings.meltano is not None and settings.meltano.image is not None
        home = None if own else (*_EVERYBODY, "/home/penstock", "/opt/penstock/project")
        # Meltano writes beside its project: `drafts` gives it no read-only root.
        return Container("the Meltano image" if own else "Penstock's Meltano image", home, True, read_only=False)
    read_only = bool(run["read_only_root"])
    if task.command is not None and task.image is not None:
        return Container(f"the image {task.image[:60]}", None, True, read_only)
    stock = settings.images.openmetadata
    if stock.build is not None:
        return Container("the slim OpenMetadata image", (*_EVERYBODY, "/home/penstock"), False, read_only)
    if stock.repository is not None:
        return Container(f"the image {stock.repository[:60]}", None, True, read_only)
    return Container("OpenMetadata's image", (*_EVERYBODY, "/home/openmetadata", "/ingestion"), True, read_only)
