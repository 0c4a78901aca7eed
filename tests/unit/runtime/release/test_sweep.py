"""Old releases and their files go once nobody can be running them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock_runtime.release import activation
from penstock_runtime.release.activation import activate, roll_back
from penstock_runtime.release.manifest import Refused, Release
from tests.unit.runtime.release.bucket import OLD, PLACE, Bucket


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
    warnings: list[str] = []
    push(s3, "dddd", 302, warn=warnings.append)
    (warning,) = warnings
    assert "release/aaaa/shards/00.json: AccessDenied" in warning
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
