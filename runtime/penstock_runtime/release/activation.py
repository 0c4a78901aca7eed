"""Which release is live, and how another takes its place.

`penstock push` calls `activate`; a deploy runs this very file as a Lambda function (`handler`): one rule for both, and
one manifest (`penstock_runtime.release.manifest`, which also tells what lies where). Standard library, and Lambda's own
boto3.
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
    Place,
    Refused,
    Release,
    keys_below,
    read_manifest,
    write_manifest,
)
from penstock_runtime.release.sweep import sweep

PATIENCE_SECONDS = 10
"""For telling CloudFormation how it went."""


def refusal(live: Release | None, new: Release) -> str | None:
    """Why `new` must not take the place of `live`, or None.

    The later source wins: what is live gives way to none of an older commit, nor to one of older edits. Where it is not
    known which one is later, a deploy gives way to a push.
    """
    if live is None or live.release == new.release:
        return None
    why = _newer(live, new)
    if why is None:
        return None
    return (
        f"{live} is live and {why} than {new}: nothing of it was touched. "
        "Deploy or push from a checkout that holds it; to put the other in its place all the same, "
        "use `cdk deploy -c replace=true` or `penstock push --replace`"
    )


def _newer(live: Release, new: Release) -> str | None:
    """In which way `live` is newer than `new`, or None."""
    if new.order and live.order:
        # Edits do not make an older commit newer: what they were made on does not hold what is live.
        if new.committed < live.committed:
            return "comes from a newer commit"
        return "is newer" if new.order < live.order else None
    if not live.order and (live.by == "deploy" or new.by == "push"):
        return None
    return "may be newer, since one of the two does not come from a git repository"


def activate(
    s3: Any,
    place: Place,
    new: Release,
    *,
    force: bool = False,
    deployed: Release | None = None,
    tell: Callable[[str], None] = print,
) -> Manifest:
    """Make a release, which lies in the DAG bucket already, the live one.

    Each file is replaced whole, and names the release that it needs; the loaders come last. Whoever is interrupted
    leaves a manifest that says so, and the next one finishes or replaces the work. Only files of ours are deleted.

    Args:
        deployed: what CloudFormation has deployed, where that changes; see `Manifest.deployed`.
        tell: is told what went wrong and does not matter now.

    Raises:
        Refused: a newer one is live; somebody else is at work; the release is not there.
    """
    before, etag = read_manifest(s3, place.artifacts)
    why = refusal(before.live if before else None, new)
    if why and not force:
        raise Refused(why)
    same = before is not None and before.live.release == new.release
    if before and same and not force and (new.committed, new.order) < (before.live.committed, before.live.order):
        # The same files, from an older source: what is live stays as new as it was.
        new = before.live
    staged = f"{place.folder}/{contract.RELEASES_FOLDER}/{new.release}/{TOP}/"
    files = keys_below(s3, place.bucket, staged)
    if not files:
        raise Refused(f"s3://{place.bucket}/{staged} is empty: the release was not uploaded")
    ours = set(before.files) if before else set()
    unfinished = before is not None and same and not before.complete
    previous = None if before is None else before.previous if unfinished else before.live
    deployed = deployed or (before.deployed if before else None)
    now = _now()
    at = now.isoformat(timespec="seconds")
    manifest = Manifest(new, tuple(sorted({*files, *ours})), previous, complete=False, at=at, deployed=deployed)
    manifest = manifest.after(before, at)
    etag = write_manifest(s3, place.artifacts, manifest, etag)
    for name in sorted(files, key=lambda name: (_is_loader(name), name)):
        s3.copy_object(
            Bucket=place.bucket, Key=f"{place.folder}/{name}", CopySource={"Bucket": place.bucket, "Key": staged + name}
        )
    for name in sorted(ours - set(files)):
        s3.delete_object(Bucket=place.bucket, Key=f"{place.folder}/{name}")
    # Before the last word: whoever reads the manifest after that finds deleted what it does not name.
    manifest = replace(sweep(s3, place, manifest, now, tell), files=tuple(sorted(files)), complete=True)
    write_manifest(s3, place.artifacts, manifest, etag)
    return manifest


def roll_back(s3: Any, place: Place, failed: str, restored: Release) -> None:
    """Undo a deploy's activation of `failed`, if that release is still live: what was live before comes back.

    Args:
        restored: what CloudFormation has deployed again.
    """
    before, etag = read_manifest(s3, place.artifacts)
    if before is None:
        return
    if before.previous and before.live.release == failed and before.live.by == "deploy":
        activate(s3, place, before.previous, force=True, deployed=restored)
    elif before.previous and before.previous.release == failed and not before.complete:
        # Asked again after a roll-back that was cut short.
        activate(s3, place, before.live, force=True, deployed=restored)
    elif before.deployed and before.deployed.release != restored.release:
        after = replace(before, deployed=restored).after(before, _now().isoformat(timespec="seconds"))
        # A push at this very moment is no reason to fail a roll-back.
        with contextlib.suppress(Refused):
            write_manifest(s3, place.artifacts, after, etag)


def handler(event: dict[str, Any], _context: Any) -> None:
    """The deploy's function: CloudFormation calls it for the custom resources of `stacks.release`."""
    status, reason = "SUCCESS", "done"
    try:
        _handle(event)
    except Exception as error:  # noqa: BLE001  CloudFormation waits an hour for whom it does not hear from
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
    # A signed address takes no header that it was not signed for.
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS):
        pass


def _handle(event: dict[str, Any]) -> None:
    # A destroy leaves the buckets, and what is in them.
    if event["RequestType"] == "Delete":
        return
    import boto3

    s3 = boto3.client("s3")
    properties = event["ResourceProperties"]
    place = Place(properties["Artifacts"], properties["Bucket"], properties["Folder"])
    new = Release(
        release=properties["Release"],
        plan=properties["Plan"],
        order=int(properties["Order"]),
        committed=int(properties["Committed"]),
        revision=properties["Revision"],
        by="deploy",
    )
    # While it rolls back CloudFormation sends the old properties, as somebody who deploys an older checkout does.
    if event["RequestType"] == "Update" and _rolls_back(boto3, event["StackId"]):
        if properties["Do"] == "activate":
            roll_back(s3, place, event["OldResourceProperties"]["Release"], new)
        return
    force = properties["Replace"] != "false"
    if properties["Do"] == "activate":
        activate(s3, place, new, force=force, deployed=new)
        return
    manifest, _ = read_manifest(s3, place.artifacts)
    why = refusal(manifest.live if manifest else None, new)
    if why and not force:
        raise Refused(why)


def _rolls_back(boto3: Any, stack: str) -> bool:
    (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return "ROLLBACK" in found["StackStatus"]


def _is_loader(name: str) -> bool:
    return re.fullmatch(r"schedules_\d+\.py", name) is not None


def _now() -> datetime:
    return datetime.now(timezone.utc)
