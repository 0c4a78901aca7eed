"""The keys with which a project gives its tasks files."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, model_validator

from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import worded_pattern

MODE_OF_FILES, MODE_OF_SECRETS = "0644", "0600"
MAX_FILES = 50
"""Of a level. What a task gets of them has to fit into RunTask's overrides besides (`drafts`)."""

# The owner is who writes it, and who reads it: the user that the image runs as.
_MODE = worded_pattern(
    r"^0?[4-7][0-7]{2}$",
    "the mode of a file that its owner may read",
    'write three octal digits in quotes, with or without a 0 in front: "0400"',
)


def _or_text(schema: dict[str, Any]) -> None:
    """In the JSON Schema: a text, or the mapping."""
    mapping = dict(schema)
    schema.clear()
    schema |= {"description": mapping.pop("description", ""), "anyOf": [{"type": "string", "minLength": 1}, mapping]}


class Source(Strict):
    """Where a file's content comes from: a file of the project (its path alone will do), or a secret."""

    model_config = ConfigDict(json_schema_extra=_or_text)

    file: str | None = Field(None, min_length=1, max_length=1000)
    """A file of the project, relative to the project file."""
    secret: str | None = Field(None, min_length=1)
    """Name of a secret that holds the content. It is an environment variable of the container too."""

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, data: Any) -> Any:
        return {"file": data} if isinstance(data, str) else data


class File(Source):
    """A file that a task gets: a file of the project (its path alone will do), or a secret."""

    model_config = ConfigDict(json_schema_extra=_or_text)

    mode: str | None = Field(None, pattern=_MODE)
    """Octal, in quotes. Default: "0644", of a secret "0600". Its owner is the user that the image runs as."""
    base64: bool = False
    """Whether the secret holds base64 of the content, which is decoded. What is not text (a keytab, a Java key store)
    has to be stored so: ECS hands on text only."""

    @property
    def mode_or_default(self) -> str:
        """Four octal digits."""
        own = self.mode or (MODE_OF_FILES if self.secret is None else MODE_OF_SECRETS)
        return own.zfill(4)


Files = dict[str, File]
"""Path in the container → where the content comes from."""
