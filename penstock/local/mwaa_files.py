"""What the embedded Airflow does with the files of an MWAA environment: it takes the plugins and leaves the rest out.

The virtual environment of an Airflow version is shared by all projects of this machine and installed from a lock, so a
project's requirements are not added to it. A startup script is written for MWAA's container (its user, its packages)
and would run as the user of this machine.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.compile.mwaa import NO_REQUIREMENTS
from penstock_runtime.plan.airflow import Airflow


def left_out(airflow: Airflow) -> Iterator[str]:
    """A line for each file of the environment that has no effect here."""
    if airflow.requirements is not None and airflow.requirements.text != NO_REQUIREMENTS:
        yield "requirements are not installed here: Airflow has its own packages only; MWAA installs them"
    if airflow.startup_script is not None:
        yield "the startup script does not run here; on MWAA it runs in every container"


def unpack_plugins(s3: Any, bucket: str, key: str, folder: Path) -> None:
    """Fetch plugins.zip, as MWAA does while it starts, and unpack it; what is there already is of the same content.

    Args:
        s3: a client with what the execution role may do.
        folder: see `AirflowServer.plugins`.
    """
    if folder.exists():
        return
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        archive.extractall(part)
    part.rename(folder)
