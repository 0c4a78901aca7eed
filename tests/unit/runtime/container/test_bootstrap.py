"""The entry point that stands in the task definition."""

from __future__ import annotations

import ast
import hashlib
import inspect
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock_runtime import contract
from penstock_runtime.container import bootstrap, s3
from tests.unit.runtime.container.object_server import Objects, serving_objects

Done = subprocess.CompletedProcess[str]

MAIN = """
import sys, penstock_runtime
print("the runtime runs from", penstock_runtime.__file__)
sys.exit(7)
"""


def older_pythons() -> list[str]:
    """Interpreters of this machine from 3.6 on that are too old for the runtime."""
    minors = range(6, bootstrap.PYTHON[1])
    return [str(path) for minor in minors for path in Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3")]


@dataclass
class Bucket:
    """A bucket named `bucket` with one runtime archive, behind the endpoint of the environment."""

    objects: Objects
    folder: Path

    def start(self, sha256: str, *, uri: str = "s3://bucket/runtime/x.zip", without: str = "") -> Done:
        """Run the entry point in the Python at hand, without the packages that are installed beside it."""
        environ = {**self.environ(), contract.RUNTIME_URI: uri, contract.RUNTIME_SHA256: sha256}
        environ.pop(without, None)
        return subprocess.run(
            [sys.executable, "-S", *bootstrap.ENTRY_POINT[1:]],
            env=environ,
            capture_output=True,
            text=True,
            timeout=30,
        )

    def environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(self.folder),
            "AWS_ENDPOINT_URL": self.objects.url,
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKIA",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    with serving_objects() as objects:
        objects.found["/bucket/runtime/x.zip"] = archive()
        yield Bucket(objects, tmp_path)


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("penstock_runtime/__init__.py", "")
        file.writestr("penstock_runtime/__main__.py", MAIN)
    return buffer.getvalue()


def test_fetches_checks_and_runs_the_archive(bucket: Bucket) -> None:
    """The archive's main program runs from the zip; its exit code is the container's; nothing is left behind."""
    done = bucket.start(hashlib.sha256(archive()).hexdigest())

    assert done.returncode == 7, done.stderr
    assert "penstock_runtime.zip/penstock_runtime" in done.stdout
    assert not list(bucket.folder.glob("tmp*"))


def test_refuses_another_archive(bucket: Bucket) -> None:
    """An archive with another hash does not run; one line says so."""
    done = bucket.start("0" * 64)

    assert done.returncode == contract.Exit.ARTIFACT
    assert done.stdout.count("\n") == 1
    assert "its SHA-256 is" in done.stdout
    assert "the runtime runs" not in done.stdout


def test_says_what_it_cannot_fetch(bucket: Bucket) -> None:
    """Without an archive: the address, the reason, and the documented code; no traceback."""
    done = bucket.start("0" * 64, uri="s3://bucket/gone.zip")

    assert done.returncode == contract.Exit.ARTIFACT
    assert done.stdout == (
        "penstock: cannot fetch the runtime s3://bucket/gone.zip: S3Error: "
        f"127.0.0.1:{bucket.objects.port} answered 404, NoSuchKey: not there\n"
    )
    assert done.stderr == ""


def test_a_stop_while_it_fetches_has_the_documented_code(bucket: Bucket) -> None:
    """SIGTERM before the runtime is there: a sentence and the code of a stop, at once; nothing blames the archive."""
    bucket.objects.delay_seconds = 20
    environ = {**bucket.environ(), contract.RUNTIME_URI: "s3://bucket/runtime/x.zip", contract.RUNTIME_SHA256: "0"}
    command = [sys.executable, *bootstrap.ENTRY_POINT[1:]]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not bucket.objects.asked:
            assert process.poll() is None
            time.sleep(0.01)
        process.terminate()
        said = process.communicate(timeout=10)

    sentence = "penstock: stopped by SIGTERM (StopTask or a Spot interruption) before the runtime was there\n"
    assert (process.returncode, *said) == (contract.Exit.STOPPED, sentence, "")


@pytest.mark.parametrize("name", [contract.RUNTIME_URI, contract.RUNTIME_SHA256])
def test_a_variable_that_is_missing_is_named(bucket: Bucket, name: str) -> None:
    """As the contract spells it; with both of them the archive runs, see above."""
    done = bucket.start(hashlib.sha256(archive()).hexdigest(), without=name)

    assert done.returncode == contract.Exit.ARTIFACT
    assert name in done.stdout
    assert "the runtime runs" not in done.stdout


def test_names_of_the_contract_are_spelled_as_there() -> None:
    """The text cannot import them."""
    for name in (contract.RUNTIME_URI, contract.RUNTIME_SHA256, contract.ARTIFACTS_REGION):
        assert f'"{name}"' in bootstrap.SOURCE
    assert f"sys.exit({int(contract.Exit.ARTIFACT)})" in bootstrap.SOURCE
    assert f"sys.exit({int(contract.Exit.WRONG_INPUT)})" in bootstrap.SOURCE


def test_is_the_modules_own_text() -> None:
    """Every statement of `s3` is in it unchanged; docstrings and comments are not."""
    names = {node.name for node in ast.parse(inspect.getsource(s3)).body if isinstance(node, ast.FunctionDef)}
    functions = {
        node.name: ast.unparse(node) for node in ast.parse(bootstrap.SOURCE).body if isinstance(node, ast.FunctionDef)
    }

    assert names == {"read", "address", "credentials", "signed", "get"}
    for name in names:
        node = ast.parse(inspect.getsource(getattr(s3, name))).body[0]
        assert isinstance(node, ast.FunctionDef)
        body = [one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
        assert functions[name] == ast.unparse(ast.FunctionDef(**{**vars(node), "body": body}))
    assert "#" not in bootstrap.SOURCE
    assert '"""' not in bootstrap.SOURCE


def test_an_older_python_is_named() -> None:
    """The text parses in Python 3.7, and says there which Python it needs before it does anything else."""
    first, *_ = ast.parse(bootstrap.SOURCE, feature_version=(3, 7)).body[1:]

    assert isinstance(first, ast.If)
    assert ast.unparse(first.test) == f"sys.version_info < {bootstrap.PYTHON}"


@pytest.mark.parametrize("python", older_pythons() or [pytest.param("", marks=pytest.mark.skip("none is here"))])
def test_an_older_python_says_which_is_needed(python: str) -> None:
    """On Pythons of this machine that are too old: one line, exit code 2, no traceback."""
    done = subprocess.run([python, "-c", bootstrap.SOURCE], capture_output=True, text=True, timeout=30)

    assert done.returncode == contract.Exit.WRONG_INPUT, done.stderr
    assert done.stdout.startswith("penstock: this image has Python 3.")
    assert "needs 3.10 or later" in done.stdout
    assert done.stderr == ""


def test_is_small() -> None:
    """It is in every task definition, of which ECS allows 64 KiB and CloudFormation 1 MB in a template.

    `penstock.compile.task_definitions` counts on it.
    """
    assert len(json.dumps(bootstrap.SOURCE)) < 7168
