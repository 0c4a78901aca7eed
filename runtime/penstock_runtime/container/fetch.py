"""Fetch a file by its URI and check its hash: `s3://bucket/key` or `file:///path`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from penstock_runtime.container import s3
from penstock_runtime.container.artifact_errors import meaning
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError


def fetch(uri: str, sha256: str) -> bytes:
    """The content of a URI, whose SHA-256 (hex) is known beforehand.

    Raises:
        RunError: exit code `Exit.ARTIFACT`: it cannot be read, or its hash is another.
    """
    address = urlsplit(uri)
    if address.scheme == "s3":
        data = _from_s3(uri, address.netloc, address.path.removeprefix("/"))
    elif address.scheme == "file":
        try:
            data = Path(unquote(address.path)).read_bytes()
        except OSError as error:
            raise _failed(uri, error.strerror or str(error), "check that the file exists and may be read") from error
    else:
        raise _failed(uri, "is neither s3:// nor file://", "deploy again")
    actual = hashlib.sha256(data).hexdigest()
    if actual != sha256:
        raise _failed(
            uri,
            f"its SHA-256 is {actual}, not {sha256}",
            "deploy again; do not write into the artifacts bucket by hand",
        )
    return data


def _from_s3(uri: str, bucket: str, key: str) -> bytes:
    try:
        return s3.read(bucket, key)
    except s3.S3Error as error:
        raise refused(uri, error) from error


def refused(uri: str, error: s3.S3Error) -> RunError:
    """The error for an object that S3 did not give."""
    what, fix = str(error), "check that the task's subnets reach S3 (NAT or a gateway endpoint)"
    if error.code:
        cause, fix = meaning(error.code)
        what = f"{cause} ({error})"
    elif "CERTIFICATE_VERIFY_FAILED" in str(error):
        fix = "install ca-certificates in the image, or name a file of certificates in AWS_CA_BUNDLE"
    return _failed(uri, what, fix)


def _failed(uri: str, what: str, fix: str) -> RunError:
    return RunError(f"cannot use {uri}: {what}", fix=fix, exit_code=Exit.ARTIFACT)
