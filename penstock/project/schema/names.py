"""Names and values that several parts of the project file have."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from penstock.project.schema.patterns import worded_pattern

VARIABLE_NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
"""What may be the name of an environment variable, and so of a secret or a variable."""


_NAME = worded_pattern(
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", "a name", "use letters, digits, `_`, `.` and `-`, a letter or digit first"
)


Name = Annotated[str, Field(pattern=_NAME, max_length=64)]
"""Letters, digits, `_`, `.`, `-`; it goes into DAG ids, tags and log lines."""


Value = Annotated[str, Field(max_length=4096)]
"""Of an environment variable; RunTask takes 8192 characters for all of a task's."""
