"""A wheel that stands for OpenMetadata's package: it does what the name of its source's service says."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

WORKFLOW = """
import os
import sys
import time
from types import SimpleNamespace

from metadata.config.common import WorkflowExecutionError


class MetadataWorkflow:
    def __init__(self, settings):
        self.settings = settings
        self.source = SimpleNamespace(status=SimpleNamespace(records=[1, 2], failures=[], warnings=[]))

    @classmethod
    def create(cls, settings):
        return cls(settings)

    def workflow_steps(self):
        return [SimpleNamespace(get_status=lambda: self.source.status)]

    def execute(self):
        print("password", self.settings["password"], "of", self.settings["host"], flush=True)
        print("prefix is that of the environment:", sys.prefix != sys.base_prefix, flush=True)
        print("database:", os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"), flush=True)
        if self.settings["does"] == "waits":
            print("one", flush=True)
            time.sleep(60)

    def print_status(self):
        print("status", flush=True)

    def raise_from_status(self):
        if self.settings["does"] == "fails":
            raise WorkflowExecutionError("all records failed")
"""
FILES = {
    "metadata/__init__.py": "",
    "metadata/config/__init__.py": "",
    "metadata/config/common.py": "class WorkflowExecutionError(Exception): ...\n",
    "metadata/workflow/__init__.py": "",
    "metadata/workflow/metadata.py": WORKFLOW,
    # Configs of these tests are JSON.
    "yaml.py": "from json import loads as safe_load\nYAMLError = ValueError\n",
    "openmetadata_ingestion-1.0.dist-info/METADATA": (
        "Metadata-Version: 2.1\nName: openmetadata-ingestion\nVersion: 1.0\n"
    ),
    "openmetadata_ingestion-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def write(folder: Path) -> str:
    """Write the wheel; returns a lock that installs it."""
    path = folder / "openmetadata_ingestion-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
        record = "".join(f"{name},,\n" for name in FILES)
        wheel.writestr("openmetadata_ingestion-1.0.dist-info/RECORD", record)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"openmetadata-ingestion @ {path.as_uri()} --hash=sha256:{sha256}\n"
