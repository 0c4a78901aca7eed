"""Which of two releases may take the other's place, and what a switch does to a bucket, however it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from penstock_runtime.release.activation import activate, refusal, roll_back
from penstock_runtime.release.manifest import MANIFEST, Refused, Release
from tests.unit.runtime.release.bucket import NEW, OLD, PLACE, Bucket, ClientError


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
def test_the_later_source_wins(live: Release | None, new: Release, allowed: bool) -> None:
    """The later source wins; if it is not known which is later, a push may replace a deploy, but not the reverse."""
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
    with pytest.raises(Refused, match="another deploy or push of this project is running"):
        activate(raced, PLACE, NEW)
    assert raced.written == []


def test_a_release_that_is_not_uploaded_is_refused(s3: Bucket) -> None:
    """Loaders never name a release that does not exist."""
    with pytest.raises(Refused, match="was not uploaded"):
        activate(s3, PLACE, Release("dddd", "4" * 64, 400, "", "push"))
    assert s3.manifest().live == OLD


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "previous": null, "live": {}}'])
def test_a_manifest_of_another_format_is_never_taken_for_none(s3: Bucket, text: str) -> None:
    """Whoever cannot read what is live must not replace it."""
    s3.objects["artifacts", MANIFEST] = text.encode()
    with pytest.raises(Refused, match="cannot be read"):
        activate(s3, PLACE, NEW)
