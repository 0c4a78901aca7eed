"""Old releases go: Airflow copies all that is in its folder to each of its machines.

By mark and sweep. What is live, what was live before it and what CloudFormation deployed last stays, however old. All
else stays for as long as a run that began on it may take: a Fargate task a day at most, and Airflow imports parts of a
release only when a run needs them. Configs stay for good: they are small, and any later plan may name one again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from penstock_runtime import contract
from penstock_runtime.manifest import TOP, Manifest, Place, Retired, keys_below

KEPT_HOURS = 48
"""Twice the largest `timeout_minutes` of a task."""
KEYS_PER_CALL = 1000
"""Amazon S3 API Reference, DeleteObjects."""


class _NotDeletedError(Exception):
    """S3 did not delete an object."""


def sweep(s3: Any, place: Place, manifest: Manifest, now: datetime, tell: Callable[[str], None]) -> Manifest:
    """Delete the releases that nobody can be running any more; the manifest without them.

    What cannot be deleted fails nobody: the manifest goes on to name it, and the next sweep tries again.

    Args:
        tell: is told of it.
    """
    due = [one for one in manifest.retired if now - datetime.fromisoformat(one.since) >= timedelta(hours=KEPT_HOURS)]
    left = [one for one in manifest.retired if one not in due]
    for number, one in enumerate(due, 1):
        plans = {other.plan for other in manifest.kept.values()} | {other.plan for other in (*left, *due[number:])}
        try:
            _delete_release(s3, place, one)
            if one.plan not in plans:
                _delete(s3, place.artifacts, [contract.plan_key(one.plan)])
        except (_NotDeletedError, s3.exceptions.ClientError) as error:
            tell(f"release {one.release} of old could not be deleted: {error}")
            left.append(one)
    return replace(manifest, retired=tuple(left))


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
            raise _NotDeletedError(f"s3://{bucket}/{error['Key']}: {error['Code']}: {error.get('Message', '')}")
