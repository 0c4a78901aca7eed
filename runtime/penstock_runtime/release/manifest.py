"""Which release is live: the manifest, the one file that every deploy and push of a project reads and writes.

    artifacts bucket   release.json                       the manifest: which release is live, and where it came from
                       plans/<sha256>.json                the plan of each release that is kept
    DAG bucket         <folder>/release/<hash>/           a release; never changed
                       <folder>/release/<hash>/top/       the files that Airflow must find directly in <folder>
                       <folder>/schedules_00.py, …        copies of those files: they make the release the live one

Standard library only: Lambda functions have this file too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any

MANIFEST = "release.json"
"""Key of the manifest in the artifacts bucket."""
TOP = "top"
"""Folder of a release with the files that go directly into the DAG folder."""
FORMAT = 1


class Refused(Exception):
    """Another release must stay live; the text says why, and what to do."""


@dataclass(frozen=True)
class Release:
    """A release, and where it came from."""

    release: str
    """The bundle's hash: the folder below `release/`."""
    plan: str
    """SHA-256 of the plan that it was built from; the artifacts bucket has it as `plans/<sha256>.json`."""
    order: int
    """When its source was written, in seconds since 1970: the time of the commit, or of the latest uncommitted edit.
    0: not known, the project is not in git."""
    revision: str
    """The commit, for people; `+` behind it means uncommitted edits. May be empty."""
    by: str
    """`deploy` or `push`."""
    committed: int = 0
    """The time of the commit, in seconds since 1970. 0: not known."""

    def __str__(self) -> str:
        when = f" of {datetime.fromtimestamp(self.order, timezone.utc):%Y-%m-%d %H:%M:%S} UTC" if self.order else ""
        source = f"{self.revision or 'a source without history'}{when}"
        return f"release {self.release} ({source}, by {'cdk deploy' if self.by == 'deploy' else 'penstock push'})"


@dataclass(frozen=True)
class Retired:
    """A release that was live, and that new runs no longer need."""

    release: str
    plan: str
    since: str
    """When new runs last needed it, ISO 8601."""


@dataclass(frozen=True)
class Manifest:
    """What `release.json` says."""

    live: Release
    files: tuple[str, ...]
    """Penstock's files directly in the DAG folder. No other file there is ever deleted."""
    previous: Release | None
    """What was live before: a roll-back restores it."""
    complete: bool
    """False from the first file's copy to the last one's."""
    at: str
    """When it became live, ISO 8601."""
    deployed: Release | None = None
    """What CloudFormation deployed last: it does not upload it again if a deploy changes nothing."""
    retired: tuple[Retired, ...] = ()
    """What else is in the buckets, until no run can need it."""

    @property
    def kept(self) -> dict[str, Release]:
        """Hash → the releases that must stay, however old they are."""
        marked = (self.live, self.previous, self.deployed)
        return {release.release: release for release in marked if release is not None}

    def to_json(self) -> str:
        """Deterministic JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, sort_keys=True) + "\n"

    def after(self, before: Manifest | None, now: str) -> Manifest:
        """This manifest, with the releases that `before` kept and this one does not as retired."""
        if before is None:
            return self
        known = {release.release: release for release in before.retired}
        known |= {release.release: Retired(release.release, release.plan, now) for release in before.kept.values()}
        return replace(self, retired=tuple(release for release in known.values() if release.release not in self.kept))

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what `to_json` wrote.

        Raises:
            ValueError: the text is not a manifest of this format.
        """
        try:
            data = json.loads(text)
            if data.pop("format") != FORMAT:
                raise ValueError("another format")
            previous, deployed = data.pop("previous"), data.pop("deployed", None)
            return cls(
                live=Release(**data.pop("live")),
                previous=Release(**previous) if previous else None,
                files=tuple(data.pop("files")),
                deployed=Release(**deployed) if deployed else None,
                retired=tuple(Retired(**release) for release in data.pop("retired", [])),
                **data,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a manifest of format {FORMAT}: {error}") from error


@dataclass(frozen=True)
class ReleaseLocation:
    """Where the releases of one project and environment are."""

    artifacts: str
    """The artifacts bucket."""
    bucket: str
    """The DAG bucket."""
    folder: str
    """The project's folder in it: `dags/<prefix>`."""


def read_manifest(s3: Any, artifacts: str) -> tuple[Manifest | None, str | None]:
    """The manifest, and its ETag; None if it does not exist yet.

    Raises:
        Refused: it exists and cannot be read.
    """
    # Listed first: without s3:ListBucket S3 answers 403 for a missing key, and that must not look like "none".
    objects = s3.list_objects_v2(Bucket=artifacts, Prefix=MANIFEST, MaxKeys=1).get("Contents", [])
    if not objects or objects[0]["Key"] != MANIFEST:
        return None, None
    answer = s3.get_object(Bucket=artifacts, Key=MANIFEST)
    try:
        return Manifest.from_json(answer["Body"].read().decode()), answer["ETag"]
    except ValueError as error:
        raise Refused(
            f"s3://{artifacts}/{MANIFEST} cannot be read ({error}): deploy with the newer Penstock"
        ) from error


def write_manifest(s3: Any, artifacts: str, manifest: Manifest, etag: str | None) -> str:
    """Write the manifest if it has not changed since it was read; its ETag.

    Raises:
        Refused: it has changed.
    """
    condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
    try:
        answer = s3.put_object(Bucket=artifacts, Key=MANIFEST, Body=manifest.to_json().encode(), **condition)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise Refused("another deploy or push of this project is running: wait for it, then try again") from error
        raise
    return str(answer["ETag"])


def keys_below(s3: Any, bucket: str, prefix: str) -> list[str]:
    """The rest of each key that begins with `prefix`."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"][len(prefix) :] for page in pages for item in page.get("Contents", [])]
