"""When a project's source was written, by git's word."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from penstock.bundle.revision import Revision, revision_of
from penstock.project.load import load
from penstock.project.loaded import Project
from penstock_runtime.errors import PenstockError
from tests.unit import project_files

COMMIT = 1_700_000_000
FILES = {
    "dags/own.py": "# ours\n",
    "meltano/meltano.yml": project_files.MELTANO + "include_paths: [conf/*.yml]\n",
    "meltano/conf/jobs.yml": "jobs: []\n",
    "meltano/transform.sql": "select 1\n",
    "mwaa/requirements.txt": "requests==2.32.5\n",
    "mwaa/plugins/plugin.py": "# a plugin\n",
    "package-lock.json": "{}",
}
MWAA = ("class: mw1.small", "class: mw1.small, plugins: mwaa/plugins, requirements: {file: mwaa/requirements.txt}")


def git(folder: Path, *arguments: str, seconds: int = COMMIT) -> str:
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    date = f"{seconds} +0000"
    environ = {**os.environ, **who, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in a folder of a repository, committed."""
    loaded_project = project_files.loaded(tmp_path / "project", MWAA, files=FILES)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return loaded_project


def write(path: Path, seconds: int, content: str = "changed") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (seconds, seconds))


def test_a_commit_counts_by_its_time(project: Project) -> None:
    """The committer's, which a rebase renews."""
    assert revision_of(project) == Revision(COMMIT, COMMIT, git(project.folder, "rev-parse", "--short", "HEAD"))


@pytest.mark.parametrize(
    "name",
    [
        "penstock.yaml",
        "warehouse.yaml",
        "meltano/meltano.yml",
        "meltano/conf/jobs.yml",
        "dags/own.py",
        "dags/below/new ä\n.py",
        "mwaa/requirements.txt",
        "mwaa/plugins/plugin.py",
        "mwaa/plugins/new.whl",
    ],
)
def test_an_edit_of_what_goes_into_the_release_is_newer(project: Project, name: str) -> None:
    """By when that was; the commit stays what it is."""
    write(project.folder / name, 1_800_000_000)
    revision = revision_of(project)

    assert (revision.order, revision.committed) == (1_800_000_000, COMMIT)
    assert revision.name.endswith("+")


@pytest.mark.parametrize(
    "name",
    [
        "junit.xml",
        "package-lock.json",
        "cdk.out/tree.json",
        "dags/own.py.orig",
        "dags/__pycache__/own.py",
        "mwaa/plugins/__pycache__/plugin.pyc",
        "mwaa/junit.xml",
        "meltano/output/a.jsonl",
        "meltano/transform.sql",
        "../elsewhere.yaml",
    ],
)
def test_what_goes_into_no_release_makes_no_checkout_newer(project: Project, name: str) -> None:
    """Be it new or changed: an old checkout with a test report in it is old."""
    before = revision_of(project)
    write(project.folder / name, 1_800_000_000)

    assert revision_of(project) == before
    assert not before.name.endswith("+")


def test_what_git_ignores_is_made_by_a_build(project: Project) -> None:
    """It is as old as the commit that it was built from."""
    (project.folder / ".gitignore").write_text("*.whl\n")
    write(project.folder / "mwaa/plugins/built.whl", 1_800_000_000)
    assert revision_of(project).order == COMMIT


def test_a_deleted_file_counts_by_its_folder(project: Project) -> None:
    """Nobody knows better."""
    (project.folder / "dags/own.py").unlink()
    os.utime(project.folder / "dags", (1_800_000_000, 1_800_000_000))
    assert revision_of(project).order == 1_800_000_000


def test_lost_modes_are_no_edits(project: Project) -> None:
    """A copy into a container may have made every file executable."""
    (project.folder / "penstock.yaml").chmod(0o777)
    assert revision_of(project).order == COMMIT


def test_links_count_as_what_they_lead_to(project: Project, tmp_path: Path) -> None:
    """A project that is reached by a link, with a workflow that is one."""
    workflow = project.folder / "warehouse.yaml"
    workflow.rename(tmp_path / "shared.yaml")
    workflow.symlink_to(tmp_path / "shared.yaml")
    (tmp_path / "link").symlink_to(project.folder)
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "two", seconds=COMMIT + 60)
    linked = load(tmp_path / "link")
    assert revision_of(linked).order == COMMIT + 60

    write(tmp_path / "shared.yaml", 1_800_000_000)
    assert revision_of(linked).order == 1_800_000_000


def test_files_of_a_submodule_are_known_by_its_commit_alone(project: Project, tmp_path: Path) -> None:
    """Git does not look into it, so neither do we."""
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / "more.py").write_text("# theirs\n")
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "--message", "theirs")
    inside = "project/mwaa/plugins/sub"
    git(tmp_path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), inside)
    git(tmp_path, "commit", "--quiet", "--message", "two", seconds=COMMIT + 60)

    write(tmp_path / inside / "more.py", 1_800_000_000)
    assert inside in git(tmp_path, "status", "--porcelain")
    assert revision_of(project).order == COMMIT + 60


def test_a_name_that_is_no_text_does_no_harm(project: Project) -> None:
    """File systems take any bytes."""
    write(project.folder / os.fsdecode(b"\xff.xml"), 1_800_000_000)
    assert revision_of(project).order == COMMIT


def test_a_shallow_clone_is_enough(project: Project, tmp_path: Path) -> None:
    """CI has no more."""
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{tmp_path}", "clone")
    assert revision_of(load(tmp_path / "clone" / "project")) == revision_of(project)


def test_signatures_are_not_looked_at(project: Project) -> None:
    """Who has git show them with every commit gets lines before ours."""
    git(project.folder, "config", "log.showSignature", "true")
    git(project.folder, "config", "gpg.program", "false")
    head = git(project.folder, "cat-file", "commit", "HEAD").replace("\n\n", "\ngpgsig none\n\n", 1)
    signed = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
        cwd=project.folder, input=head + "\n", capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    git(project.folder, "update-ref", "HEAD", signed)

    assert revision_of(project).committed == COMMIT


def test_without_git_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a deploy leaves what was pushed, and says so. A repository without a commit knows nothing either."""
    project = project_files.loaded(tmp_path)
    assert revision_of(project) == Revision()
    with monkeypatch.context() as changed:
        changed.setenv("PATH", str(tmp_path))
        assert revision_of(project) == Revision()

    git(tmp_path, "init", "--quiet")
    assert revision_of(project) == Revision()


def test_a_repository_of_somebody_else_is_not_taken_for_none(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Usual in a CI's container. Git's own words say what is wrong, and its own command mends it."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(PenstockError) as caught:
        revision_of(project)
    assert "dubious ownership" in caught.value.what
    command = caught.value.fix.partition("owner: ")[2]
    assert command == f"git config --global --add safe.directory {project.folder.parent}"

    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(project.folder / "gitconfig"))
    subprocess.run(command.split(), check=True)
    assert revision_of(project).committed == COMMIT


def test_a_repository_that_cannot_be_read_is_not_taken_for_none(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No git where there is a repository; a work tree whose repository was left behind."""
    with monkeypatch.context() as changed:
        changed.setenv("PATH", str(tmp_path))
        with pytest.raises(PenstockError, match="there is no git on this machine"):
            revision_of(project)

    shutil.move(tmp_path / ".git", tmp_path / "moved")
    (tmp_path / ".git").write_text("gitdir: /nowhere/.git/worktrees/w\n")
    with pytest.raises(PenstockError, match="not a git repository: /nowhere") as caught:
        revision_of(project)
    assert caught.value.fix == f"make this work: git -C {project.folder} status"
