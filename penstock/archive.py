"""Zip archives that depend on the names, content and modes of their files, and on nothing else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import NamedTuple

_TIME = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip file can hold."""
_UNIX = 3


class Entry(NamedTuple):
    """One file of an archive."""

    content: bytes
    mode: int
    """Permissions, and the file type if the archive is to hold it: `stat.S_IFREG | 0o755`."""


def pack(files: Mapping[str, Entry]) -> bytes:
    """The archive of these files, by their paths in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, entry in sorted(files.items()):
            info = zipfile.ZipInfo(path, _TIME)
            info.external_attr = entry.mode << 16
            info.create_system = _UNIX
            # Stored: the same bytes whatever the zlib of the machine.
            info.compress_type = zipfile.ZIP_STORED
            archive.writestr(info, entry.content)
    return buffer.getvalue()
