"""The real CDK CLI, run against the embedded AWS."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from penstock.local.aws.endpoint import Endpoint
from tests.functional.embedded import ACCOUNT, ROOT, UNCHECKED

CDK = ROOT / "node_modules" / ".bin" / "cdk"


def cdk(endpoint: Endpoint, app: Path, *arguments: str, cwd: Path | None = None) -> None:
    done = subprocess.run(
        [CDK, "--no-notices", *arguments],
        cwd=cwd or app,
        env=environment(endpoint) | {"CDK_DOCKER": str(app / "docker")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def environment(endpoint: Endpoint) -> dict[str, Any]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        **UNCHECKED,
        **endpoint.environ(endpoint.root()),
        "ACCOUNT": ACCOUNT,
        "CI": "true",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
