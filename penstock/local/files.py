"""Files that are whole or not there, and the words for a disk that is full or may not be written."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from penstock_runtime.errors import PenstockError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
TROUBLE = FULL | {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP,
    errno.ENAMETOOLONG, errno.EMFILE, errno.ENFILE, errno.ETXTBSY,
}  # fmt: skip
"""What the machine refuses, not what a defect of ours does."""


def write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all, whatever interrupts it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def refusal(error: OSError, place: Path, *, fix: str = "use a folder that you may write to") -> PenstockError:
    """The error for what the system refused. A write that fails for want of room does not say where: in `place`."""
    path = error.filename or place
    if error.errno in FULL:
        fix = f"free space on the disk of {path} ({free_mib(Path(path))} MiB are left)"
    return PenstockError(f"cannot write {path}: {error.strerror or error}", fix=fix)


@contextlib.contextmanager
def writing(place: Path) -> Iterator[None]:
    """What the system refuses in the block becomes an error of ours.

    Raises:
        PenstockError: names the path, or else `place`.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in TROUBLE:
            raise
        raise refusal(error, place) from error


def free_mib(path: Path) -> int:
    """What is left for us on the disk of a path, in MiB; the path need not exist."""
    return shutil.disk_usage(_existing(path)).free // 2**20


def _existing(path: Path) -> Path:
    return next((parent for parent in (path, *path.parents) if parent.exists()), Path())
