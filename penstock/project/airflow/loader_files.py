"""The names of the loader files: the bundle's own DAG files, one for each shard of schedules.

`penstock_runtime.release.activation` uploads them last, and knows them by the same names.
"""

from __future__ import annotations

import re

TEMPLATE = "schedules.py"
"""In Penstock's own `dags/`: what the loader files are made of. It is not a DAG file of a project."""
PATTERN = r"schedules_[0-9]+\.py"


def loader_name(shard: int) -> str:
    """The name of the loader file of a shard."""
    return f"schedules_{shard:02}.py"


def is_loader(path: str) -> bool:
    """Whether the file at a path, in whatever folder, has the name of a loader file."""
    return re.fullmatch(PATTERN, path.rsplit("/", 1)[-1]) is not None
