"""Old releases go: Airflow copies all that is in its folder to each of its machines.

By mark and sweep. What is live, what was live before it and what CloudFormation deployed last stays, however old. All
else stays for as long as a run that began on it may take: a Fargate task a day at most, and Airflow imports parts of a
release only when a run needs them. Configs stay for good: they are small, and any later plan may name one again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from penstock_runtime import contract
from penstock_runtime.manifest import TOP, Manifest, Place, Retired, keys_below

KEPT_HOURS = 48
"""Twice the largest `timeout_minutes` of a task."""
KEYS_PER_CALL = 1000
"""Amazon S3 API Reference, DeleteObjects."""


class NotDeletedError(Exception):
    """S3 did not delete an object."""


def sweep(s3: Any, place: Place, manifest: Manifest, now: datetime) -> Manifest:
    """Delete the releases that nobody can be running any more; the manifest without them.

    Raises:
        NotDeletedError: S3 refused one; the manifest still names what is left.
    """
    due = [one for one in manifest.retired if now - datetime.fromisoformat(one.since) >= timedelta(hours=KEPT_HOURS)]
    left = tuple(one for one in manifest.retired if one not in due)
    plans = {one.plan for one in manifest.kept.values()} | {one.plan for one in left}
    for one in due:
        _delete_release(s3, place, one)
    _delete(s3, place.artifacts, sorted({contract.plan_key(one.plan) for one in due if one.plan not in plans}))
    return replace(manifest, retired=left)


def _delete_release(s3: Any, place: Place, release: Retired) -> None:
    folder = f"{place.folder}/{contract.RELEASES_FOLDER}/{release.release}/"
    names = keys_below(s3, place.bucket, folder)
    top = [name for name in names if name.startswith(f"{TOP}/")]
    # Without these nobody can make it live again: if the rest is cut short, the next push uploads what is gone.
    _delete(s3, place.bucket, [folder + name for name in top])
    _delete(s3, place.bucket, [folder + name for name in names if name not in top])


def _delete(s3: Any, bucket: str, keys: list[str]) -> None:
    for start in range(0, len(keys), KEYS_PER_CALL):
        objects = [{"Key": key} for key in keys[start : start + KEYS_PER_CALL]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        for error in answer.get("Errors", []):
            raise NotDeletedError(f"s3://{bucket}/{error['Key']}: {error['Code']}: {error.get('Message', '')}")
