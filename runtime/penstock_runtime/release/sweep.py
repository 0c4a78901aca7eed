"""Old releases go: Airflow copies all that is in its folder to each of its machines.

By mark and sweep. What is live, what was live before it and what CloudFormation deployed last stays, however old. All
else stays for as long as a run that began on it may take: a Fargate task a day at most, and Airflow imports parts of a
release only when a run needs them. So do files of the project that tasks get, by the plans that name them. Configs stay
for good: they are small, and any later plan may name one again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from penstock_runtime import contract
from penstock_runtime.release.manifest import TOP, Manifest, Place, Retired, keys_below

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
                # Before the plan, which says which they are: if this is cut short, the next sweep finds them again.
                _delete(s3, place.artifacts, _files_of_none_but(s3, place.artifacts, one.plan, plans))
                _delete(s3, place.artifacts, [contract.plan_key(one.plan)])
        except (_NotDeletedError, s3.exceptions.ClientError) as error:
            tell(f"release {one.release} of old could not be deleted: {error}")
            left.append(one)
    return replace(manifest, retired=tuple(left))


def _files_of_none_but(s3: Any, bucket: str, plan: str, others: Iterable[str]) -> list[str]:
    """The keys of the files that a plan names and no other does; none where that cannot be known."""
    files = _files(s3, bucket, plan)
    if not files:
        return []
    for other in others:
        needed = _files(s3, bucket, other)
        if needed is None:
            return []
        files -= needed
    return [contract.file_key(sha256) for sha256 in sorted(files)]


def _files(s3: Any, bucket: str, plan: str) -> set[str] | None:
    """The hashes of the files that tasks of a plan get; None: the plan cannot be read."""
    try:
        text = s3.get_object(Bucket=bucket, Key=contract.plan_key(plan))["Body"].read()
        return {str(file["sha256"]) for file in json.loads(text).get("files", [])}
    except (s3.exceptions.ClientError, ValueError, KeyError, TypeError, AttributeError):
        return None


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
