"""Of two that write the manifest at a time one is refused."""

from __future__ import annotations

import pytest

from penstock_runtime.release.manifest import MANIFEST, Manifest, Refused, Release, write_manifest
from tests.unit.runtime.release.bucket import NEW, OLD, Bucket


def manifest(release: Release) -> Manifest:
    return Manifest(release, (), None, complete=True, at="2026-11-21T12:00:00+00:00")


def test_of_two_first_deploys_one_is_refused() -> None:
    """Both have read that there is no manifest yet."""
    s3 = Bucket()
    write_manifest(s3, "artifacts", manifest(OLD), None)
    first = s3.objects["artifacts", MANIFEST]

    with pytest.raises(Refused, match="another deploy or push of this project is running"):
        write_manifest(s3, "artifacts", manifest(NEW), None)
    assert s3.objects["artifacts", MANIFEST] == first


def test_who_has_read_another_manifest_is_refused() -> None:
    """It was replaced meanwhile; who has read the new one may write."""
    s3 = Bucket()
    old = write_manifest(s3, "artifacts", manifest(OLD), None)
    new = write_manifest(s3, "artifacts", manifest(NEW), old)

    with pytest.raises(Refused, match="another deploy or push of this project is running"):
        write_manifest(s3, "artifacts", manifest(OLD), old)
    write_manifest(s3, "artifacts", manifest(OLD), new)
