"""Real Airflow, each supported version from its committed lock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.local import setup

HERE = Path(__file__).resolve().parent
VERSIONS = ("3.0.6", "2.11.0", "2.10.3", "3.3.1")
"""All that have a lock, from the oldest to the newest that MWAA's images have."""
SECONDS = 900
"""A busy machine makes no test fail."""

sys.path.insert(0, str(HERE))  # for `samples` and `fake_ecs`

Run = Callable[..., Any]
"""`run(script, *arguments, environ={})`: run a file of this folder under Airflow's Python, return its JSON."""


@pytest.fixture(scope="session", params=VERSIONS)
def airflow_version(request: pytest.FixtureRequest) -> str:
    """One supported version of Airflow."""
    return str(request.param)


@pytest.fixture(scope="session")
def under_airflow(airflow_version: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a script of this folder under that Airflow."""
    environment = setup.airflow(airflow_version, print)
    home = tmp_path_factory.mktemp(f"airflow-{airflow_version}")

    def run(script: str, *arguments: str | Path, environ: dict[str, str] | None = None) -> Any:
        answer = home / "answer.json"
        answer.unlink(missing_ok=True)
        done = subprocess.run(
            [environment / "bin" / "python", HERE / script, answer, *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "AIRFLOW_HOME": str(home),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                **(environ or {}),
            },
            cwd=home,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(answer.read_text())

    return run
