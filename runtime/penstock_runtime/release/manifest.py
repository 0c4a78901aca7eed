"""Which release is live: the manifest, the one file that every deploy and push of a project reads and writes.

    artifacts bucket   release.json                       the manifest: which release is live, and where it came from
                       plans/<sha256>.json                the plan of each release that is kept
    DAG bucket         <folder>/release/<hash>/           a release; never changed once it is there
                       <folder>/release/<hash>/top/       the files that Airflow is to find right in <folder>
                       <folder>/schedules_00.py, …        those files, copied there: this makes the release the live one

Standard library only: Lambda functions hold this file too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any

MANIFEST = "release.json"
"""Key of the manifest in the artifacts bucket."""
TOP = "top"
"""Folder of a release with the files that go right into the DAG folder."""
FORMAT = 1


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
class Retired:
    """A release that was live, and is needed by nobody who starts anew."""

    release: str
    plan: str
    since: str
    """When it was needed last, ISO 8601."""


@dataclass(frozen=True)
class Manifest:
    """What `release.json` says."""

    live: Release
    files: tuple[str, ...]
    """Ours right in the DAG folder. No other file there is ever deleted."""
    previous: Release | None
    """What was live before: a deploy that is rolled back brings it back."""
    complete: bool
    """False from the first file's copy to the last one's."""
    at: str
    """When it became live, ISO 8601."""
    deployed: Release | None = None
    """What CloudFormation deployed last: it does not upload it again where a deploy changes nothing."""
    retired: tuple[Retired, ...] = ()
    """What else lies in the buckets, until nobody can be running it."""

    @property
    def kept(self) -> dict[str, Release]:
        """Hash → what must stay, however old it is."""
        marked = (self.live, self.previous, self.deployed)
        return {one.release: one for one in marked if one is not None}

    def to_json(self) -> str:
        """Deterministic JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, sort_keys=True) + "\n"

    def after(self, before: Manifest | None, now: str) -> Manifest:
        """This manifest, with what `before` kept and this one does not as retired."""
        if before is None:
            return self
        known = {one.release: one for one in before.retired}
        known |= {one.release: Retired(one.release, one.plan, now) for one in before.kept.values()}
        return replace(self, retired=tuple(one for one in known.values() if one.release not in self.kept))

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
            previous, deployed = data.pop("previous"), data.pop("deployed", None)
            return cls(
                live=Release(**data.pop("live")),
                previous=Release(**previous) if previous else None,
                files=tuple(data.pop("files")),
                deployed=Release(**deployed) if deployed else None,
                retired=tuple(Retired(**one) for one in data.pop("retired", [])),
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


def read_manifest(s3: Any, artifacts: str) -> tuple[Manifest | None, str | None]:
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


def write_manifest(s3: Any, artifacts: str, manifest: Manifest, etag: str | None) -> str:
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


def keys_below(s3: Any, bucket: str, prefix: str) -> list[str]:
    """What follows `prefix` in each key that begins with it."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [one["Key"][len(prefix) :] for page in pages for one in page.get("Contents", [])]
