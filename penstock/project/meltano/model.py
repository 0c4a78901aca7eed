"""The Meltano project, as the project file names it."""

from __future__ import annotations

from pydantic import Field

from penstock.project.files.model import MAX_FILES, Files
from penstock.project.iam.permissions import Permission
from penstock.project.schema.model import Strict


class Meltano(Strict):
    """The Meltano project. Its jobs and schedules come in unchanged."""

    project: str = Field(min_length=1)
    """The folder that holds `meltano.yml`, relative to the project file."""
    environment: str | None = Field(None, min_length=1)
    """The Meltano environment to run in. Default: `default_environment` of `meltano.yml`. Leave it out if that
    file has no environments: `meltano elt` runs without."""
    image: str | None = Field(None, min_length=1, max_length=500)
    """An image that holds the project (as its working directory), its plugins, `meltano[s3]` on its PATH, and Python
    3.10 or later as `python3`. Default: built from `project`."""
    secrets: list[str] = Field(default_factory=list)
    """Secrets that all Meltano tasks get besides those that Meltano's files name: by a reference, or as a setting of a
    plugin (`TAP_GITLAB_PRIVATE_TOKEN`)."""
    permissions: list[Permission] = Field(default_factory=list, max_length=50)
    """What all Meltano tasks may do in AWS, besides their own `permissions` and their job's."""
    files: Files = Field(default_factory=dict, max_length=MAX_FILES)
    """Files that all Meltano tasks get, besides their own `files` and their job's."""
