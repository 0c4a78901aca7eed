"""What OpenMetadata's parser takes, exported from its package where that is installed on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penstock.local import cache, environments, files
from penstock.project.openmetadata.shapes import shape_file
from penstock.project.openmetadata.shapes.shape_file import Unknown
from penstock.project.openmetadata.shapes.shapes import Shapes
from penstock_runtime.errors import PenstockError


def known(version: str, report: Callable[[str], None], *, install: bool = False) -> Shapes | Unknown:
    """The shapes of a server's version: from the cache, or exported now, which takes some seconds.

    Args:
        install: install the package first, where it is not installed yet.
        report: gets one line when something takes long.

    Raises:
        PenstockError: with `install`, the package cannot be installed or exported.
    """
    lock = shape_file.lock_of(version)
    found = shape_file.cached(version)
    if isinstance(found, Shapes) or lock is None:
        return found
    try:
        environment = (
            environments.ensure(lock.stem, lock, report=report) if install else environments.installed(lock.stem, lock)
        )
        if environment is None:
            return found
        export(environment, lock, report)
    except PenstockError as error:
        if install:
            raise
        return Unknown(error.what, error.fix)
    return shape_file.cached(version)


def export(environment: Path, lock: Path, report: Callable[[str], None]) -> Path:
    """Write the shapes of the package in a virtual environment; returns the file.

    Raises:
        PenstockError: the package does not say them, or the cache cannot be written.
    """
    path = shape_file.path_of(lock)
    if path.exists():
        return path
    report(f"reading what {lock.stem} takes, once for this machine")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fix = f"make {cache.root()} writable, or name another place in PENSTOCK_CACHE"
        raise files.refusal(error, path, fix=fix) from error
    python = str(environment / "bin" / "python")
    done = cache.run([python, "-I", str(shape_file.EXPORT), str(path)], cache.environ())
    if done.code != 0:
        last = done.output.strip().splitlines()[-1:] or ["it wrote nothing"]
        fix = (
            f"remove {environment} and run `penstock validate --install`; where it stays so, that package is not known"
        )
        raise PenstockError(f"cannot read what {lock.stem} takes: the script {done.how}: {last[0][:200]}", fix=fix)
    return path
