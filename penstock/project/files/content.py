"""What a file of the project holds: read part by part, for it may be of any size."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from penstock_runtime.errors import InputError, PenstockError

PART_BYTES = 1024 * 1024
_HEAD_BYTES = 256 * 1024
_KEY, _CERTIFICATE = b"PRIVATE KEY-----", b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True)
class Content:
    """A file's content, as far as anybody needs to know it."""

    sha256: str
    size_bytes: int
    private_key: bool
    """Whether its beginning holds a private key in PEM."""
    certificate: bool
    """Whether its beginning holds a certificate in PEM."""


def read(path: Path, name: str, where: str) -> Content:
    """Look a file through.

    Args:
        name: the file as errors show it.
        where: the place that names it.

    Raises:
        InputError: it is missing, not a file, or cannot be read.
    """
    digest, size, head = hashlib.sha256(), 0, b""
    try:
        with _opened(path) as file:
            while part := file.read(PART_BYTES):
                digest.update(part)
                size += len(part)
                head += part[: _HEAD_BYTES - len(head)]
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{name} does not exist", fix="check the path", where=where) from None
    except IsADirectoryError:
        fix = "name a file: each file of a folder has an entry of its own"
        raise InputError(f"{name} is a folder", fix=fix, where=where) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{name} cannot be read: {reason}", fix="check the path", where=where) from None
    return Content(digest.hexdigest(), size, _KEY in head, _CERTIFICATE in head)


def parts(path: Path, name: str, sha256: str) -> Iterator[bytes]:
    """The content of a file that was looked through, part by part.

    Raises:
        PenstockError: it is not what it was.
    """
    digest = hashlib.sha256()
    try:
        with _opened(path) as file:
            while part := file.read(PART_BYTES):
                digest.update(part)
                yield part
    except OSError as error:
        raise PenstockError(f"{name} cannot be read any more: {error.strerror}", fix="run the command again") from error
    if digest.hexdigest() != sha256:
        raise PenstockError(f"{name} changed while it was being copied", fix="run the command again")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file. `O_NONBLOCK`: opening a pipe does not wait for who writes it."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(path)
        if not stat.S_ISREG(mode):
            raise OSError("it is not a regular file")
        yield file
