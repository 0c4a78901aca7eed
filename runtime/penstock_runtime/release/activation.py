"""Which release is live, and how another replaces it.

`penstock push` calls `activate`; a deploy runs this file as a Lambda function (`handler`): both follow one rule and one
manifest (`penstock_runtime.release.manifest`, which also shows where everything is). It needs the standard library and
Lambda's boto3.
"""

from __future__ import annotations

import contextlib
import json
import re
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from penstock_runtime import contract
from penstock_runtime.release.manifest import (
    TOP,
    Manifest,
    Refused,
    Release,
    ReleaseLocation,
    keys_below,
    read_manifest,
    write_manifest,
)
from penstock_runtime.release.sweep import sweep

ANSWER_SECONDS = 10
"""For the answer to CloudFormation."""


def refusal(live: Release | None, new: Release) -> str | None:
    """Why `new` must not replace `live`, or None.

    The later source wins: an older commit never replaces the live release, and older edits neither. If it is not known
    which is later, a push may replace a deploy, but a deploy not a push.
    """
    if live is None or live.release == new.release:
        return None
    why = _newer(live, new)
    if why is None:
        return None
    return (
        f"{live} is live and {why} than {new}: nothing was changed. "
        "Deploy or push from a checkout that contains it; to replace it anyway, "
        "use `cdk deploy -c replace=true` or `penstock push --replace`"
    )


def _newer(live: Release, new: Release) -> str | None:
    """In which way `live` is newer than `new`, or None."""
    if new.order and live.order:
        # Edits do not make an older commit newer: it still lacks what is live.
        if new.committed < live.committed:
            return "comes from a newer commit"
        return "is newer" if new.order < live.order else None
    if not live.order and (live.by == "deploy" or new.by == "push"):
        return None
    return "may be newer, because one of the two does not come from a git repository"


def activate(
    s3: Any,
    location: ReleaseLocation,
    new: Release,
    *,
    force: bool = False,
    deployed: Release | None = None,
    warn: Callable[[str], None] = print,
) -> Manifest:
    """Make a release that is in the DAG bucket the live one.

    Each file is replaced whole, and names the release that it needs; the loaders come last. An interrupted switch
    leaves an incomplete manifest, and the next one finishes or replaces the work. Only Penstock's files are deleted.

    Args:
        deployed: what CloudFormation has deployed, if that changes; see `Manifest.deployed`.
        warn: gets a warning about anything that failed and does not matter now.

    Raises:
        Refused: a newer one is live; another switch is running; the release was not uploaded.
    """
    before, etag = read_manifest(s3, location.artifacts)
    why = refusal(before.live if before else None, new)
    if why and not force:
        raise Refused(why)
    same = before is not None and before.live.release == new.release
    if before and same and not force and (new.committed, new.order) < (before.live.committed, before.live.order):
        # The same files, from an older source: the live release keeps its newer one.
        new = before.live
    staged = f"{location.folder}/{contract.RELEASES_FOLDER}/{new.release}/{TOP}/"
    files = keys_below(s3, location.bucket, staged)
    if not files:
        raise Refused(f"s3://{location.bucket}/{staged} is empty: the release was not uploaded")
    own_files = set(before.files) if before else set()
    unfinished = before is not None and same and not before.complete
    previous = None if before is None else before.previous if unfinished else before.live
    deployed = deployed or (before.deployed if before else None)
    now = _now()
    at = now.isoformat(timespec="seconds")
    manifest = Manifest(new, tuple(sorted({*files, *own_files})), previous, complete=False, at=at, deployed=deployed)
    manifest = manifest.after(before, at)
    etag = write_manifest(s3, location.artifacts, manifest, etag)
    for name in sorted(files, key=lambda name: (_is_loader(name), name)):
        s3.copy_object(
            Bucket=location.bucket,
            Key=f"{location.folder}/{name}",
            CopySource={"Bucket": location.bucket, "Key": staged + name},
        )
    for name in sorted(own_files - set(files)):
        s3.delete_object(Bucket=location.bucket, Key=f"{location.folder}/{name}")
    # Before the final manifest: whatever that does not name is already deleted when somebody reads it.
    manifest = replace(sweep(s3, location, manifest, now, warn), files=tuple(sorted(files)), complete=True)
    write_manifest(s3, location.artifacts, manifest, etag)
    return manifest


def roll_back(s3: Any, location: ReleaseLocation, failed: str, restored: Release) -> None:
    """Undo a deploy's activation of `failed`, if that release is still live: what was live before comes back.

    Args:
        restored: what CloudFormation has deployed again.
    """
    before, etag = read_manifest(s3, location.artifacts)
    if before is None:
        return
    if before.previous and before.live.release == failed and before.live.by == "deploy":
        activate(s3, location, before.previous, force=True, deployed=restored)
    elif before.previous and before.previous.release == failed and not before.complete:
        # Called again after an interrupted roll-back.
        activate(s3, location, before.live, force=True, deployed=restored)
    elif before.deployed and before.deployed.release != restored.release:
        after = replace(before, deployed=restored).after(before, _now().isoformat(timespec="seconds"))
        # A push at this moment must not fail the roll-back.
        with contextlib.suppress(Refused):
            write_manifest(s3, location.artifacts, after, etag)


def handler(event: dict[str, Any], _context: Any) -> None:
    """The deploy's function: CloudFormation calls it for the custom resources of `stacks.release`."""
    status, reason = "SUCCESS", "done"
    try:
        _handle(event)
    except Exception as error:  # noqa: BLE001  CloudFormation waits an hour if it gets no response
        status, reason = "FAILED", str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
    body = {
        "Status": status,
        "Reason": reason[:1024],
        "PhysicalResourceId": event.get("PhysicalResourceId") or event["LogicalResourceId"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    print(json.dumps(body))
    # A signed address accepts only the headers that it was signed for.
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):
        pass


def _handle(event: dict[str, Any]) -> None:
    # A destroy leaves the buckets and their contents.
    if event["RequestType"] == "Delete":
        return
    import boto3

    s3 = boto3.client("s3")
    properties = event["ResourceProperties"]
    location = ReleaseLocation(properties["Artifacts"], properties["Bucket"], properties["Folder"])
    new = Release(
        release=properties["Release"],
        plan=properties["Plan"],
        order=int(properties["Order"]),
        committed=int(properties["Committed"]),
        revision=properties["Revision"],
        by="deploy",
    )
    # While it rolls back, CloudFormation sends the old properties, as a deploy of an older checkout does.
    if event["RequestType"] == "Update" and _rolls_back(boto3, event["StackId"]):
        if properties["Do"] == "activate":
            roll_back(s3, location, event["OldResourceProperties"]["Release"], new)
        return
    force = properties["Replace"] != "false"
    if properties["Do"] == "activate":
        activate(s3, location, new, force=force, deployed=new)
        return
    manifest, _ = read_manifest(s3, location.artifacts)
    why = refusal(manifest.live if manifest else None, new)
    if why and not force:
        raise Refused(why)


def _rolls_back(boto3: Any, stack: str) -> bool:
    (description,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return "ROLLBACK" in description["StackStatus"]


def _is_loader(name: str) -> bool:
    return re.fullmatch(r"schedules_\d+\.py", name) is not None


def _now() -> datetime:
    return datetime.now(timezone.utc)
