"""A bucket with two releases."""

from __future__ import annotations

import pytest

from penstock_runtime.release.activation import activate
from tests.unit.runtime.release.bucket import NEW, OLD, PLACE, Bucket


@pytest.fixture
def s3() -> Bucket:
    """A bucket with `OLD` live, with two loaders, and `NEW` uploaded, with one loader and a DAG file."""
    bucket = Bucket()
    bucket.objects["dags", "dags/acme/foreign.py"] = b"theirs"
    bucket.upload(OLD, ".airflowignore", "schedules_00.py", "schedules_01.py")
    activate(bucket, PLACE, OLD)
    bucket.upload(NEW, ".airflowignore", "schedules_00.py", "own.py")
    bucket.written.clear()
    return bucket
