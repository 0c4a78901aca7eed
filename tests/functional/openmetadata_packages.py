"""The ingestion packages whose examples are conformance cases: their files, and what their parsers take.

They are installed from locks, without their dependencies, into the user's cache; nothing of them is in this repository.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache as cache_of_calls
from functools import cached_property
from pathlib import Path
from typing import Any

from penstock.local import cache, environments
from penstock.project.openmetadata.shapes import shape_file
from penstock.project.openmetadata.shapes.shapes import Shapes

LOCKS = Path(__file__).with_name("conformance")
"""`<version>.txt`: the package, and what its classes need besides what the environment of `PYTHON_OF` has."""
PYTHON_OF = "1.12.14"
"""The server whose environment reads the classes of all of them: pydantic is the same."""


@dataclass(frozen=True, eq=False)
class Package:
    """One version of the package."""

    version: str
    folder: Path

    @property
    def examples(self) -> list[Path]:
        """The workflow files that it carries."""
        return sorted((self.folder / "metadata" / "examples" / "workflows").glob("*.yaml"))

    @cached_property
    def shapes(self) -> Shapes:
        """What its parser takes."""
        key = hashlib.sha256(shape_file.EXPORT.read_bytes()).hexdigest()[:16]
        path = self.folder / f"shapes-{key}.json"
        if not path.exists():
            python = str(_environment() / "bin" / "python")
            environ = {**cache.environ(), "PYTHONPATH": str(self.folder)}
            done = cache.run([python, str(shape_file.EXPORT), str(path)], environ)
            assert done.code == 0, done.output
        data: dict[str, Any] = json.loads(path.read_text())
        assert data["package"] == self.version
        return Shapes(data)


@cache_of_calls
def package(version: str) -> Package:
    """A version of the package, installed where it is not there yet."""
    lock = LOCKS / f"{version}.txt"
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder = cache.root() / "packages" / f"openmetadata-{version}-{key}"

    def make() -> None:
        arguments = ("--no-deps", "--require-hashes", "--python", environments.PYTHON, "--target", str(folder))
        environments.run_uv("pip", "install", "--quiet", *arguments, "-r", str(lock))

    return Package(version, cache.once(folder, make, print))


def _environment() -> Path:
    lock = shape_file.lock_of(PYTHON_OF)
    assert lock is not None
    return environments.ensure(lock.stem, lock, report=print)
