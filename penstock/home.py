"""Where Penstock itself is: the checkout with `app.py`, `dags/`, `requirements/` and the CDK CLI in `node_modules/`.

A project may be elsewhere (`penstock --project`); its own files are found from its `penstock.yaml`.
"""

from __future__ import annotations

from pathlib import Path

HOME = Path(__file__).resolve().parent.parent

DAGS = HOME / "dags"
REQUIREMENTS = HOME / "requirements"
CDK = HOME / "node_modules" / ".bin" / "cdk"
