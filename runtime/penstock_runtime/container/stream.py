"""The content of a URI, part by part, so that a file of any size needs little memory.

`fetch` reads content whole; both read `s3://bucket/key` and `file:///path`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from penstock_runtime.container import s3
from penstock_runtime.container.fetch import refused
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

PART_BYTES = 8 * 1024 * 1024


def parts(uri: str) -> Iterator[bytes]:
    """The content of a URI in parts of at most `PART_BYTES`. Whoever reads it checks its hash.

    Raises:
        RunError: exit code `Exit.ARTIFACT`: it cannot be read to its end.
    """
    address = urlsplit(uri)
    if address.scheme == "s3":
        yield from _from_s3(uri, address.netloc, address.path.removeprefix("/"))
    elif address.scheme == "file":
        try:
            with Path(unquote(address.path)).open("rb") as file:
                while part := file.read(PART_BYTES):
                    yield part
        except OSError as error:
            raise failed(uri, error.strerror or str(error), "check that the file exists and may be read") from error
    else:
        raise failed(uri, "is neither s3:// nor file://", "deploy again")


def failed(uri: str, what: str, fix: str) -> RunError:
    """The error for content that cannot be used."""
    return RunError(f"cannot use {uri}: {what}", fix=fix, exit_code=Exit.ARTIFACT)


def _from_s3(uri: str, bucket: str, key: str) -> Iterator[bytes]:
    # Part by part, so that each is retried by itself. An object named by its hash does not change meanwhile.
    start = 0
    while True:
        try:
            part = s3.read(bucket, key, f"bytes={start}-{start + PART_BYTES - 1}")
        except s3.S3Error as error:
            if error.code == "InvalidRange":  # an empty object, or right behind the end
                return
            raise refused(uri, error) from error
        yield part
        start += len(part)
        if len(part) < PART_BYTES:
            return
