"""Which release is live, and how another takes its place.

    artifacts bucket   release.json                       the manifest: which release is live, and where it came from
    DAG bucket         <folder>/release/<hash>/           a release; never changed once it is there
                       <folder>/release/<hash>/top/       the files that Airflow is to find right in <folder>
                       <folder>/schedules_00.py, …        those files, copied there: this makes the release the live one

`penstock push` calls `activate`; a deploy runs this very file as a Lambda function (`handler`): one rule for both, and
one manifest. This file stands alone: standard library, and the boto3 that Lambda has.
"""

from __future__ import annotations

import json
import re
import urllib.request
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any

MANIFEST = "release.json"
"""Key of the manifest in the artifacts bucket."""
TOP = "top"
"""Folder of a release with the files that go right into the DAG folder."""
FORMAT = 1
PATIENCE_SECONDS = 10
"""For telling CloudFormation how it went."""


class Refused(Exception):
    """Another release is to stay live; the text says why, and what to do."""


@dataclass(frozen=True)
class Release:
    """A release, and where it came from."""

    release: str
    """The bundle's hash: the folder below `release/`."""
    plan: str
    """SHA-256 of the plan that it was built from; the artifacts bucket has it as `plans/<sha256>.json`."""
    order: int
    """When its source was written, in seconds since 1970: the commit's time, or that of the latest edit that is not
    committed. 0: not known, the project is not in git."""
    revision: str
    """The commit, for people; `+` behind it stands for edits that are not committed. May be empty."""
    by: str
    """`deploy` or `push`."""
    committed: int = 0
    """When its commit was made, in seconds since 1970. 0: not known."""

    def __str__(self) -> str:
        when = f" of {datetime.fromtimestamp(self.order, timezone.utc):%Y-%m-%d %H:%M:%S} UTC" if self.order else ""
        source = f"{self.revision or 'a source without history'}{when}"
        return f"release {self.release} ({source}, by {'cdk deploy' if self.by == 'deploy' else 'penstock push'})"


@dataclass(frozen=True)
class Manifest:
    """What `release.json` says."""

    live: Release
    files: tuple[str, ...]
    """Ours in the DAG folder. Only these are ever deleted."""
    previous: Release | None
    """What was live before: a deploy that is rolled back brings it back."""
    complete: bool
    """False from the first file's copy to the last one's."""
    at: str
    """When it became live, ISO 8601."""

    def to_json(self) -> str:
        """Deterministic JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what `to_json` wrote.

        Raises:
            ValueError: the text is no manifest of this format.
        """
        try:
            data = json.loads(text)
            if data.pop("format") != FORMAT:
                raise ValueError("another format")
            previous = data.pop("previous")
            return cls(
                live=Release(**data.pop("live")),
                previous=Release(**previous) if previous else None,
                files=tuple(data.pop("files")),
                **data,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no manifest of format {FORMAT}: {error}") from error


@dataclass(frozen=True)
class Place:
    """Where the releases of one project and environment are."""

    artifacts: str
    """The artifacts bucket."""
    bucket: str
    """The DAG bucket."""
    folder: str
    """The project's folder in it: `dags/<prefix>`."""


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


def read(s3: Any, artifacts: str) -> tuple[Manifest | None, str | None]:
    """The manifest, and its ETag; nothing where there is none yet.

    Raises:
        Refused: it is there and cannot be read.
    """
    # Listed first: without s3:ListBucket S3 says 403 of a key that is not there, and that must not look like "none".
    found = s3.list_objects_v2(Bucket=artifacts, Prefix=MANIFEST, MaxKeys=1).get("Contents", [])
    if not found or found[0]["Key"] != MANIFEST:
        return None, None
    answer = s3.get_object(Bucket=artifacts, Key=MANIFEST)
    try:
        return Manifest.from_json(answer["Body"].read().decode()), answer["ETag"]
    except ValueError as error:
        raise Refused(
            f"s3://{artifacts}/{MANIFEST} cannot be read ({error}): deploy with the newer Penstock"
        ) from error


def activate(s3: Any, place: Place, new: Release, *, force: bool = False) -> Manifest:
    """Make a release, which lies in the DAG bucket already, the live one.

    Each file is replaced whole, and names the release that it needs; the loaders come last. Whoever is interrupted
    leaves a manifest that says so, and the next one finishes or replaces the work. Only files of ours are deleted.

    Raises:
        Refused: a newer one is live; somebody else is at work; the release is not there.
    """
    before, etag = read(s3, place.artifacts)
    why = refusal(before.live if before else None, new)
    if why and not force:
        raise Refused(why)
    same = before is not None and before.live.release == new.release
    if before and same and not force and (new.committed, new.order) < (before.live.committed, before.live.order):
        # The same files, from an older source: what is live stays as new as it was.
        new = before.live
    staged = f"{place.folder}/release/{new.release}/{TOP}/"
    files = _names(s3, place.bucket, staged)
    if not files:
        raise Refused(f"s3://{place.bucket}/{staged} is empty: the release was not uploaded")
    ours = set(before.files) if before else set()
    unfinished = before is not None and same and not before.complete
    previous = None if before is None else before.previous if unfinished else before.live
    manifest = Manifest(new, tuple(sorted({*files, *ours})), previous, complete=False, at=_now())
    etag = _write(s3, place.artifacts, manifest, etag)
    for name in sorted(files, key=lambda name: (_is_loader(name), name)):
        s3.copy_object(
            Bucket=place.bucket, Key=f"{place.folder}/{name}", CopySource={"Bucket": place.bucket, "Key": staged + name}
        )
    for name in sorted(ours - set(files)):
        s3.delete_object(Bucket=place.bucket, Key=f"{place.folder}/{name}")
    manifest = replace(manifest, files=tuple(sorted(files)), complete=True)
    _write(s3, place.artifacts, manifest, etag)
    return manifest


def roll_back(s3: Any, place: Place, failed: str) -> None:
    """Undo a deploy's activation of `failed`, if that release is still live: what was live before comes back."""
    manifest, _ = read(s3, place.artifacts)
    if manifest is None or manifest.previous is None:
        return
    if manifest.live.release == failed and manifest.live.by == "deploy":
        activate(s3, place, manifest.previous, force=True)


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
    # While it rolls back CloudFormation sends the old properties, as somebody who deploys an older checkout does.
    if event["RequestType"] == "Update" and _rolls_back(boto3, event["StackId"]):
        if properties["Do"] == "activate":
            roll_back(s3, place, event["OldResourceProperties"]["Release"])
        return
    new = Release(
        release=properties["Release"],
        plan=properties["Plan"],
        order=int(properties["Order"]),
        committed=int(properties["Committed"]),
        revision=properties["Revision"],
        by="deploy",
    )
    force = properties["Replace"] != "false"
    if properties["Do"] == "activate":
        activate(s3, place, new, force=force)
        return
    manifest, _ = read(s3, place.artifacts)
    why = refusal(manifest.live if manifest else None, new)
    if why and not force:
        raise Refused(why)


def _rolls_back(boto3: Any, stack: str) -> bool:
    (found,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return "ROLLBACK" in found["StackStatus"]


def _names(s3: Any, bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [one["Key"][len(prefix) :] for page in pages for one in page.get("Contents", [])]


def _write(s3: Any, artifacts: str, manifest: Manifest, etag: str | None) -> str:
    """Write the manifest if it is still the one that was read; its ETag.

    Raises:
        Refused: it is another one by now.
    """
    condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
    try:
        answer = s3.put_object(Bucket=artifacts, Key=MANIFEST, Body=manifest.to_json().encode(), **condition)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise Refused("another deploy or push is at work on this project: wait for it, then try again") from error
        raise
    return str(answer["ETag"])


def _is_loader(name: str) -> bool:
    return re.fullmatch(r"schedules_\d+\.py", name) is not None


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
