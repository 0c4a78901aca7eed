"""Deletes old releases, because Airflow copies everything in its folder to each of its machines.

By mark and sweep. The live release, the one before it and the one that CloudFormation deployed last stay, however old.
Any other stays for as long as a run that began on it may take: a Fargate task takes a day at most, and Airflow imports
parts of a release only when a run needs them. The project's files for tasks follow the same rule, by the plans that
name them. Configs are never deleted: they are small, and any later plan may name one again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from penstock_runtime import contract
from penstock_runtime.release.manifest import TOP, Manifest, ReleaseLocation, Retired, keys_below

KEPT_HOURS = 48
"""Twice the largest `timeout_minutes` of a task."""
KEYS_PER_CALL = 1000
"""Amazon S3 API Reference, DeleteObjects."""


class _NotDeletedError(Exception):
    """S3 did not delete an object."""


def sweep(
    s3: Any, location: ReleaseLocation, manifest: Manifest, now: datetime, warn: Callable[[str], None]
) -> Manifest:
    """Delete the releases that no run can need any more; the manifest without them.

    If a release cannot be deleted, the manifest still names it, and the next sweep tries again.

    Args:
        warn: gets a warning about it.
    """
    due = [
        release
        for release in manifest.retired
        if now - datetime.fromisoformat(release.since) >= timedelta(hours=KEPT_HOURS)
    ]
    left = [release for release in manifest.retired if release not in due]
    for number, release in enumerate(due, 1):
        plans = {other.plan for other in manifest.kept.values()} | {other.plan for other in (*left, *due[number:])}
        try:
            _delete_release(s3, location, release)
            if release.plan not in plans:
                # Before the plan, which names them: if this is interrupted, the next sweep finds them again.
                _delete(s3, location.artifacts, _files_only_in(s3, location.artifacts, release.plan, plans))
                _delete(s3, location.artifacts, [contract.plan_key(release.plan)])
        except (_NotDeletedError, s3.exceptions.ClientError) as error:
            warn(f"the old release {release.release} could not be deleted: {error}")
            left.append(release)
    return replace(manifest, retired=tuple(left))


def _files_only_in(s3: Any, bucket: str, plan: str, others: Iterable[str]) -> list[str]:
    """The keys of the files that only this plan names; empty if that cannot be known."""
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
    """The hashes of the files that the tasks of a plan get; None if the plan cannot be read."""
    try:
        text = s3.get_object(Bucket=bucket, Key=contract.plan_key(plan))["Body"].read()
        return {str(file["sha256"]) for file in json.loads(text).get("files", [])}
    except (s3.exceptions.ClientError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _delete_release(s3: Any, location: ReleaseLocation, release: Retired) -> None:
    folder = f"{location.folder}/{contract.RELEASES_FOLDER}/{release.release}/"
    names = keys_below(s3, location.bucket, folder)
    top = [name for name in names if name.startswith(f"{TOP}/")]
    # Without these it cannot be made live again: if the rest is interrupted, the next push uploads the missing files.
    _delete(s3, location.bucket, [folder + name for name in top])
    _delete(s3, location.bucket, [folder + name for name in names if name not in top])


def _delete(s3: Any, bucket: str, keys: list[str]) -> None:
    for start in range(0, len(keys), KEYS_PER_CALL):
        objects = [{"Key": key} for key in keys[start : start + KEYS_PER_CALL]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        for error in answer.get("Errors", []):
            raise _NotDeletedError(f"s3://{bucket}/{error['Key']}: {error['Code']}: {error.get('Message', '')}")
