"""Where Penstock itself is: the checkout with `app.py`, `dags/`, `requirements/` and the CDK CLI in `node_modules/`.

A project may be elsewhere (`penstock --project`); its own files are found from its `penstock.yaml`.
"""

from __future__ import annotations

import os
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent

DAGS = HOME / "dags"
REQUIREMENTS = HOME / "requirements"
CDK = HOME / "node_modules" / ".bin" / "cdk"


def cache() -> Path:
    """The folder of what is costly to make and the same for every project; it may not exist yet.

    `$PENSTOCK_CACHE`, otherwise `$XDG_CACHE_HOME/penstock`, otherwise `~/.cache/penstock`.
    """
    if own := os.environ.get("PENSTOCK_CACHE"):
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "penstock"
