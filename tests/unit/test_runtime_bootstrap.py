"""The entry point that stands in the task definition."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from penstock_runtime import bootstrap, contract

FAKE_BOTO3 = """
import os, pathlib

class Client:
    def get_object(self, Bucket, Key):
        path = pathlib.Path(os.environ["BUCKETS"], Bucket, Key)
        return {"Body": path.open("rb")}

def client(name):
    assert name == "s3"
    return Client()
"""

MAIN = """
import sys, penstock_runtime
print("the runtime runs from", penstock_runtime.__file__)
sys.exit(7)
"""


def start(
    tmp_path: Path, data: bytes, sha256: str, *, boto3: str = FAKE_BOTO3, without: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the entry point with a runtime archive in a bucket that is a folder."""
    (tmp_path / "boto3.py").write_text(boto3)
    (tmp_path / "bucket" / "runtime").mkdir(parents=True)
    (tmp_path / "bucket" / "runtime" / "x.zip").write_bytes(data)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "BUCKETS": str(tmp_path),
        contract.RUNTIME_URI: "s3://bucket/runtime/x.zip",
        contract.RUNTIME_SHA256: sha256,
    }
    environ.pop(without, None)
    return subprocess.run(
        [sys.executable, *bootstrap.ENTRY_POINT[1:]], env=environ, capture_output=True, text=True, timeout=30
    )


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("penstock_runtime/__init__.py", "")
        file.writestr("penstock_runtime/__main__.py", MAIN)
    return buffer.getvalue()


def test_fetches_checks_and_runs_the_archive(tmp_path: Path) -> None:
    """The archive's main program runs from the zip; its exit code is the container's; nothing is left behind."""
    data = archive()

    done = start(tmp_path, data, hashlib.sha256(data).hexdigest())

    assert done.returncode == 7, done.stderr
    assert "penstock_runtime.zip/penstock_runtime" in done.stdout
    assert not list(tmp_path.glob("tmp*"))


def test_refuses_another_archive(tmp_path: Path) -> None:
    """An archive with another hash does not run; one line says so."""
    done = start(tmp_path, archive(), "0" * 64)

    assert done.returncode == contract.Exit.ARTIFACT
    assert done.stdout.count("\n") == 1
    assert "its SHA-256 is" in done.stdout
    assert "the runtime runs" not in done.stdout


def test_says_what_it_cannot_fetch(tmp_path: Path) -> None:
    """Without an archive: the address, the reason, and the documented code; no traceback."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "BUCKETS": str(tmp_path)}
    (tmp_path / "boto3.py").write_text(FAKE_BOTO3)
    environ[contract.RUNTIME_URI] = "s3://bucket/gone.zip"

    done = subprocess.run(
        [sys.executable, *bootstrap.ENTRY_POINT[1:]], env=environ, capture_output=True, text=True, timeout=30
    )

    assert done.returncode == contract.Exit.ARTIFACT
    assert done.stdout.startswith("penstock: cannot fetch the runtime s3://bucket/gone.zip: FileNotFoundError")
    assert done.stderr == ""


def test_a_stop_while_it_fetches_has_the_documented_code(tmp_path: Path) -> None:
    """SIGTERM before the runtime is there: the code of a stop, at once, and no line that blames the archive."""
    stopped = "os.kill(os.getpid(), 15); import time; time.sleep(20)"
    done = start(tmp_path, archive(), "0" * 64, boto3=FAKE_BOTO3.replace("path =", f"{stopped}; path ="))

    assert (done.returncode, done.stdout, done.stderr) == (contract.Exit.STOPPED, "", "")


@pytest.mark.parametrize("name", [contract.RUNTIME_URI, contract.RUNTIME_SHA256])
def test_a_variable_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    """As the contract spells it; with both of them the archive runs, see above."""
    data = archive()
    done = start(tmp_path, data, hashlib.sha256(data).hexdigest(), without=name)

    assert done.returncode == contract.Exit.ARTIFACT
    assert name in done.stdout
    assert "the runtime runs" not in done.stdout


def test_is_small() -> None:
    """It is in every task definition, of which ECS allows 64 KiB."""
    assert len(bootstrap.SOURCE) < 1536
