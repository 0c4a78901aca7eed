"""Which of two releases may take the other's place, and what a switch does to a bucket, however it ends."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock_runtime.release import activation
from penstock_runtime.release.activation import activate, refusal, roll_back
from penstock_runtime.release.manifest import MANIFEST, Manifest, Place, Refused, Release

PLACE = Place("artifacts", "dags", "dags/acme")
OLD = Release("aaaa", "1" * 64, 100, "c1", "deploy")
NEW = Release("bbbb", "2" * 64, 200, "c2", "push")


class ClientError(Exception):
    """As botocore's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class Bucket:
    """S3's answers to the calls of a switch, in memory; `fail_at` names a key that nobody may write, `kept` one that
    nobody may delete."""

    class exceptions:
        ClientError = ClientError

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.fail_at = ""
        self.kept = ""
        self.written: list[str] = []

    def etag(self, bucket: str, key: str) -> str:
        return hashlib.sha256(self.objects[bucket, key]).hexdigest()

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int = 1000) -> dict[str, Any]:
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        return {"Contents": [{"Key": key} for key in keys[:MaxKeys]]} if keys else {}

    def get_paginator(self, _name: str) -> Any:
        class Pages:
            @staticmethod
            def paginate(**arguments: str) -> Iterator[dict[str, Any]]:
                yield self.list_objects_v2(**arguments)

        return Pages

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[Bucket, Key]), "ETag": self.etag(Bucket, Key)}

    def put_object(
        self, Bucket: str, Key: str, Body: bytes, IfMatch: str | None = None, IfNoneMatch: str | None = None
    ) -> dict[str, Any]:
        there = (Bucket, Key) in self.objects
        if (IfNoneMatch == "*" and there) or (IfMatch and (not there or IfMatch != self.etag(Bucket, Key))):
            raise ClientError("PreconditionFailed")
        self.objects[Bucket, Key] = Body
        return {"ETag": self.etag(Bucket, Key)}

    def copy_object(self, Bucket: str, Key: str, CopySource: dict[str, str]) -> None:
        if Key.endswith(self.fail_at or "\0"):
            raise ClientError("AccessDenied")
        self.written.append(Key)
        self.objects[Bucket, Key] = self.objects[CopySource["Bucket"], CopySource["Key"]]

    def delete_object(self, Bucket: str, Key: str) -> None:
        del self.objects[Bucket, Key]

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        assert Delete["Quiet"]
        denied = []
        for one in Delete["Objects"]:
            if one["Key"].endswith(self.kept or "\0"):
                denied.append({"Key": one["Key"], "Code": "AccessDenied"})
            else:
                self.objects.pop((Bucket, one["Key"]), None)
        return {"Errors": denied} if denied else {}

    def upload(self, release: Release, *names: str) -> None:
        """A release's files at the top, each with the release's name in it."""
        for name in names:
            key = f"dags/acme/release/{release.release}/top/{name}"
            self.objects["dags", key] = f"{release.release} {name}".encode()
        self.objects["dags", f"dags/acme/release/{release.release}/shards/00.json"] = b"{}"
        self.objects["artifacts", f"plans/{release.plan}.json"] = b"{}"

    def releases(self) -> set[str]:
        """Those of which anything is there."""
        return {key.split("/")[3] for bucket, key in self.objects if bucket == "dags" and "/release/" in key}

    def plans(self) -> set[str]:
        """The first character of each plan that is there."""
        return {key.removeprefix("plans/")[0] for _, key in self.objects if key.startswith("plans/")}

    def top(self) -> dict[str, str]:
        """What lies right in the DAG folder."""
        return {
            key.removeprefix("dags/acme/"): body.decode()
            for (bucket, key), body in self.objects.items()
            if bucket == "dags" and "/release/" not in key
        }

    def manifest(self) -> Manifest:
        return Manifest.from_json(self.objects["artifacts", MANIFEST].decode())


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


@pytest.mark.parametrize(
    ("live", "new", "allowed"),
    [
        (None, NEW, True),
        (OLD, NEW, True),
        (NEW, OLD, False),
        (NEW, replace(OLD, order=200), True),
        (NEW, replace(OLD, release="bbbb"), True),
        (replace(NEW, by="deploy"), OLD, False),
        (replace(NEW, order=0), OLD, False),
        (NEW, replace(OLD, order=0), False),
        (replace(NEW, order=0), replace(OLD, order=0), False),
        (replace(OLD, order=0), replace(NEW, order=0), True),
        (replace(OLD, order=0), replace(OLD, order=0, release="cccc"), True),
        (replace(NEW, order=0), replace(NEW, order=0, release="cccc"), True),
        (replace(OLD, order=0), NEW, True),
        # A later commit, whatever was edited on the earlier one; and of two with one commit, the later edit.
        (replace(OLD, committed=100), replace(NEW, committed=150), True),
        (replace(OLD, committed=100), replace(NEW, committed=90), False),
        (replace(NEW, committed=100), replace(OLD, committed=150, order=150), False),
        (replace(OLD, committed=100), replace(NEW, committed=100), True),
        (replace(NEW, committed=100), replace(OLD, committed=100), False),
    ],
)
def test_who_gives_way(live: Release | None, new: Release, allowed: bool) -> None:
    """The later source wins; where nobody knows which one is later, a deploy gives way to a push."""
    why = refusal(live, new)

    assert (why is None) == allowed
    if why is not None:
        assert why.startswith(f"release {live.release if live else ''} (")
        assert "`cdk deploy -c replace=true` or `penstock push --replace`" in why


def test_a_switch_replaces_our_files_and_no_other(s3: Bucket) -> None:
    """Loaders last; what only the old release had is gone; the other team's file is there."""
    activate(s3, PLACE, NEW)

    assert s3.top() == {
        "foreign.py": "theirs",
        ".airflowignore": "bbbb .airflowignore",
        "own.py": "bbbb own.py",
        "schedules_00.py": "bbbb schedules_00.py",
    }
    assert s3.written[-1] == "dags/acme/schedules_00.py"
    assert s3.manifest() == replace(
        s3.manifest(), live=NEW, previous=OLD, files=(".airflowignore", "own.py", "schedules_00.py"), complete=True
    )


def test_an_older_release_changes_nothing_unless_forced(s3: Bucket) -> None:
    """Not one object is written."""
    activate(s3, PLACE, NEW)
    before = dict(s3.objects)
    with pytest.raises(Refused, match="is live and is newer than release aaaa"):
        activate(s3, PLACE, OLD)
    assert s3.objects == before

    activate(s3, PLACE, OLD, force=True)
    assert "own.py" not in s3.top()
    assert s3.manifest().live == OLD


def test_a_switch_that_fails_half_way_leaves_the_old_loaders_and_is_finished_by_the_next(s3: Bucket) -> None:
    """The manifest says that it is not complete, knows the files of both, and what was live before."""
    s3.fail_at = "schedules_00.py"
    with pytest.raises(ClientError):
        activate(s3, PLACE, NEW)
    assert s3.top()["schedules_00.py"] == "aaaa schedules_00.py"
    assert s3.top()["schedules_01.py"] == "aaaa schedules_01.py"
    assert not s3.manifest().complete

    s3.fail_at = ""
    activate(s3, PLACE, NEW)
    assert "schedules_01.py" not in s3.top()
    assert s3.manifest().complete
    assert s3.manifest().previous == OLD


def test_a_roll_back_brings_back_what_was_live(s3: Bucket) -> None:
    """A push, for example; but nothing happens where a push came after the deploy that failed."""
    activate(s3, PLACE, NEW)
    failed = Release("cccc", "3" * 64, 300, "c3", "deploy")
    s3.upload(failed, ".airflowignore", "schedules_00.py")
    activate(s3, PLACE, failed)
    roll_back(s3, PLACE, failed.release, OLD)
    assert s3.manifest().live == NEW
    assert s3.top()["own.py"] == "bbbb own.py"

    roll_back(s3, PLACE, failed.release, OLD)
    assert s3.manifest().live == NEW


def test_a_roll_back_that_was_cut_short_is_finished(s3: Bucket) -> None:
    """CloudFormation asks again (`continue-update-rollback`): no loader of the release that failed stays."""
    activate(s3, PLACE, NEW)
    failed = Release("cccc", "3" * 64, 300, "c3", "deploy")
    s3.upload(failed, ".airflowignore", "schedules_00.py", "schedules_01.py")
    activate(s3, PLACE, failed)
    s3.fail_at = "schedules_00.py"
    with pytest.raises(ClientError):
        roll_back(s3, PLACE, failed.release, OLD)
    assert s3.top()["schedules_00.py"] == "cccc schedules_00.py"

    s3.fail_at = ""
    roll_back(s3, PLACE, failed.release, OLD)
    assert s3.manifest().complete
    assert s3.manifest().live == NEW
    assert {text for name, text in s3.top().items() if name.startswith("schedules_")} == {"bbbb schedules_00.py"}


def test_the_same_files_of_an_older_source_do_not_make_what_is_live_older(s3: Bucket) -> None:
    """Else a third, older release could follow and undo what is live."""
    activate(s3, PLACE, NEW)
    activate(s3, PLACE, replace(NEW, order=50, revision="c0", by="deploy"))
    assert s3.manifest().live == NEW

    newer = replace(NEW, order=150, committed=150)
    activate(s3, PLACE, newer)
    activate(s3, PLACE, NEW)
    assert s3.manifest().live == newer


def test_two_at_once_do_not_mix(s3: Bucket) -> None:
    """Who finds another manifest than the one that was read stops before it writes a file."""

    class Raced(Bucket):
        def put_object(self, Bucket: str, Key: str, Body: bytes, **condition: Any) -> dict[str, Any]:
            self.objects["artifacts", MANIFEST] += b" "
            return super().put_object(Bucket, Key, Body, **condition)

    raced = Raced()
    raced.objects = s3.objects
    with pytest.raises(Refused, match="another deploy or push is at work"):
        activate(raced, PLACE, NEW)
    assert raced.written == []


def test_a_release_that_is_not_uploaded_is_refused(s3: Bucket) -> None:
    """Loaders never name what is not there."""
    with pytest.raises(Refused, match="was not uploaded"):
        activate(s3, PLACE, Release("dddd", "4" * 64, 400, "", "push"))
    assert s3.manifest().live == OLD


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "previous": null, "live": {}}'])
def test_a_manifest_of_another_format_is_never_taken_for_none(s3: Bucket, text: str) -> None:
    """Whoever cannot read what is live must not replace it."""
    s3.objects["artifacts", MANIFEST] = text.encode()
    with pytest.raises(Refused, match="cannot be read"):
        activate(s3, PLACE, NEW)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the clock by so many hours."""
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    monkeypatch.setattr(activation, "_now", lambda: clock[0])

    def move(hours: float) -> None:
        clock[0] += timedelta(hours=hours)

    return move


def push(s3: Bucket, name: str, order: int, **options: Any) -> None:
    """Upload a release with one loader, whose plan begins with the release's first character, and switch to it."""
    release = Release(name, name[0] * 64, order, "", "push")
    s3.upload(release, "schedules_00.py")
    activate(s3, PLACE, release, **options)


def test_an_old_release_goes_when_nobody_can_be_running_it(s3: Bucket, later: Callable[[float], None]) -> None:
    """Two days after it was needed last, with its plan, at the next switch; what is live or was before stays."""
    s3.upload(OLD, "schedules_00.py")
    for number, name in enumerate(("bbbb", "cccc", "dddd")):
        push(s3, name, 300 + number)
    assert s3.releases() == {"aaaa", "bbbb", "cccc", "dddd"}

    later(47)
    push(s3, "eeee", 400)
    assert {"aaaa", "bbbb"} < s3.releases()
    later(1)
    push(s3, "ffff", 500)
    # cccc was live before dddd until an hour ago.
    assert s3.releases() == {"cccc", "dddd", "eeee", "ffff"}
    assert s3.plans() == set("2cdef")  # 2 is that of a release that was uploaded and never live.
    assert {one.release for one in s3.manifest().retired} == {"cccc", "dddd"}

    later(1000)
    push(s3, "gggg", 600)
    assert s3.releases() == {"eeee", "ffff", "gggg"}
    assert s3.manifest().previous == replace(s3.manifest().live, release="ffff", plan="f" * 64, order=500)
    assert s3.top()["foreign.py"] == "theirs"


def test_what_cloudformation_deployed_stays(s3: Bucket, later: Callable[[float], None]) -> None:
    """Deployed again with `-c replace=true` it is not uploaded again. After a roll-back it is the one before."""
    deployed = replace(OLD, release="eeee", plan="e" * 64, order=150)
    s3.upload(deployed, "schedules_00.py")
    activate(s3, PLACE, deployed, deployed=deployed)
    failed = replace(OLD, release="ffff", plan="f" * 64, order=160)
    s3.upload(failed, "schedules_00.py")
    activate(s3, PLACE, failed, deployed=failed)
    push(s3, "gggg", 300)
    roll_back(s3, PLACE, "ffff", deployed)
    assert s3.manifest().live.release == "gggg"
    for number, name in enumerate(("hhhh", "iiii", "jjjj")):
        later(100)
        push(s3, name, 400 + number)

    # bbbb was uploaded and never live: a push may be at work on it.
    assert s3.releases() == {"bbbb", "eeee", "hhhh", "iiii", "jjjj"}
    activate(s3, PLACE, deployed, force=True, deployed=deployed)
    assert s3.top()["schedules_00.py"] == "eeee schedules_00.py"


def test_a_retired_release_that_is_live_again_stays(s3: Bucket, later: Callable[[float], None]) -> None:
    """A revert has the files of before: what it needs is needed again."""
    push(s3, "bbbb", 300)
    push(s3, "cccc", 301)
    later(47)
    push(s3, "aaaa", 302)
    later(100)
    push(s3, "dddd", 303)

    assert "aaaa" in s3.releases()
    assert "bbbb" not in s3.releases()


def test_a_sweep_that_is_cut_short_is_taken_up_again(s3: Bucket, later: Callable[[float], None]) -> None:
    """It fails nobody; nobody can make the half of a release live, and the manifest still knows of it."""
    push(s3, "bbbb", 300)
    push(s3, "cccc", 301)
    later(100)
    s3.kept = "aaaa/shards/00.json"
    told: list[str] = []
    push(s3, "dddd", 302, tell=told.append)
    (said,) = told
    assert "release/aaaa/shards/00.json: AccessDenied" in said
    assert s3.top()["schedules_00.py"] == "dddd schedules_00.py"
    assert s3.manifest().complete
    assert {one.release for one in s3.manifest().retired} == {"aaaa", "bbbb"}
    assert "1" in s3.plans()
    with pytest.raises(Refused, match="was not uploaded"):
        activate(s3, PLACE, replace(OLD, order=500))

    s3.kept = ""
    push(s3, "dddd", 302)
    assert "aaaa" not in s3.releases()
    assert "1" not in s3.plans()


def test_files_of_tasks_go_with_the_last_plan_that_names_them(s3: Bucket, later: Callable[[float], None]) -> None:
    """Of a release that goes the files that no other needs; none at all where a plan that may need them is lost."""

    def named(name: str, *files: str) -> None:
        push(s3, name, 300 + ord(name[0]))
        # As `upload` does, with files in the plan.
        plan = json.dumps({"files": [{"path": one, "sha256": one} for one in files]})
        s3.objects["artifacts", f"plans/{name[0] * 64}.json"] = plan.encode()
        for one in files:
            s3.objects["artifacts", f"files/{one}"] = b""

    def left() -> set[str]:
        return {key.removeprefix("files/") for _, key in s3.objects if key.startswith("files/")}

    named("cccc", "1", "2")
    named("dddd", "2", "3")
    named("eeee", "3")
    later(47)
    named("ffff", "4")
    assert left() == {"1", "2", "3", "4"}
    later(2)
    named("gggg", "4")
    # cccc is gone; dddd, which was live before eeee until two hours ago, is not.
    assert left() == {"2", "3", "4"}
    del s3.objects["artifacts", f"plans/{'f' * 64}.json"]
    later(100)
    named("hhhh")
    assert left() == {"2", "3", "4"}
    assert "cccc" not in s3.releases()
