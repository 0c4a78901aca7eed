"""`schema`: the JSON Schema of the project file."""

from __future__ import annotations

import json

from penstock.cli.output import data
from penstock.project.json_schema import json_schema


def schema() -> None:
    """Print the JSON Schema of the project file, for editors."""
    data.file.write(json.dumps(json_schema(), indent=2) + "\n")
