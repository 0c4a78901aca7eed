"""When a project's source was written, by git's word."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from penstock.revision import Revision, revision_of


def git(folder: Path, *arguments: str, seconds: int = 1_700_000_000) -> str:
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    date = f"{seconds} +0000"
    environ = {**os.environ, **who, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """A repository with a project in a folder of it, committed."""
    project = folder / "project"
    project.mkdir()
    (project / "penstock.yaml").write_text("name: a\n")
    (project / "gone.yaml").write_text("")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "one")
    return project


def test_a_commit_counts_by_its_time(tmp_path: Path) -> None:
    """The committer's, which a rebase renews."""
    project = repository(tmp_path)
    assert revision_of(project) == Revision(1_700_000_000, git(tmp_path, "rev-parse", "--short", "HEAD"))


def test_what_is_not_committed_is_newer(tmp_path: Path) -> None:
    """Changed, new and deleted files count by when that was; files outside of the project, or of our own, do not."""
    project = repository(tmp_path)
    (tmp_path / "elsewhere.txt").write_text("")
    (project / "cdk.out").mkdir()
    (project / "cdk.out" / "tree.json").write_text("{}")
    assert revision_of(project).order == 1_700_000_000

    for name, seconds in (("penstock.yaml", 1_800_000_000), ("new file ä.yaml", 1_800_000_100)):
        (project / name).write_text("changed")
        os.utime(project / name, (seconds, seconds))
        found = revision_of(project)
        assert found.order == seconds
        assert found.name.endswith("+")
    (project / "gone.yaml").unlink()
    os.utime(project, (1_800_000_200, 1_800_000_200))
    assert revision_of(project).order == 1_800_000_200


def test_a_shallow_clone_is_enough(tmp_path: Path) -> None:
    """CI has no more."""
    (tmp_path / "origin").mkdir()
    repository(tmp_path / "origin")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{tmp_path / 'origin'}", "clone")

    assert revision_of(tmp_path / "clone" / "project").order == 1_700_000_000


def test_without_git_nothing_is_known(tmp_path: Path, monkeypatch: object) -> None:
    """Then a deploy gives way to a push, and says so."""
    assert revision_of(tmp_path) == Revision()
    assert revision_of(tmp_path / "nowhere") == Revision()
