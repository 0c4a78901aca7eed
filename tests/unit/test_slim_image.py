"""A slim image of OpenMetadata's ingestion: built from the project's own lock, which fits the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile import compile_plan
from penstock_runtime.plan import Image
from stacks.image import assemble
from tests.unit.project_files import errors, loaded, write

LOCK = "openmetadata-ingestion[postgres]==1.12.14.2 \\\n    --hash=sha256:00\n"
BUILD = ("schedules:\n", "images:\n  openmetadata: {build: slim}\nschedules:\n")


def test_workflows_run_in_the_image_that_is_built(tmp_path: Path) -> None:
    """So do plain commands that name no image; Meltano's and a command's own stay."""
    project = loaded(tmp_path, BUILD, files={"slim/requirements.txt": LOCK})
    plan = compile_plan(project)

    images = {one.image for one in plan.task_definitions if one.engine == "openmetadata"}
    assert images == {Image("built", "openmetadata", "slim")}


MISTAKES = {
    # name: (the lock, place, part of what)
    "no lock": (None, "penstock.yaml", "slim/requirements.txt does not exist"),
    "no package": ("requests==2.0\n", "slim/requirements.txt", "pins no openmetadata-ingestion"),
    "not pinned": ("openmetadata-ingestion\n", "slim/requirements.txt", "pins no openmetadata-ingestion"),
    "no hash": (LOCK.split(" ")[0] + "\n", "slim/requirements.txt:1", "has no hashes"),
    "another server": (f"# mine\n{LOCK.replace('14', '13')}", "slim/requirements.txt:2", "the server is 1.12.14"),
}


@pytest.mark.parametrize(("lock", "place", "what"), MISTAKES.values(), ids=MISTAKES)
def test_wrong_lock_is_named(tmp_path: Path, lock: str | None, place: str, what: str) -> None:
    """At its line, where it has one."""
    path = write(tmp_path, BUILD, files={} if lock is None else {"slim/requirements.txt": lock})
    found = errors(path)

    assert [(where.startswith(place), what in said) for where, said, _ in found] == [(True, True)], found


@pytest.mark.parametrize("folder", ["/etc", "../slim"])
def test_the_folder_is_one_of_the_project(tmp_path: Path, folder: str) -> None:
    """An image holds nothing from elsewhere on a machine."""
    old, new = BUILD
    ((_, what, _),) = errors(write(tmp_path, (old, new.replace("slim", folder))))

    assert "is no path below the project" in what


def test_a_tag_has_no_place_beside_it(tmp_path: Path) -> None:
    """What is built comes from nowhere else."""
    old, new = BUILD
    path = write(tmp_path, (old, new.replace("slim}", "slim, tag: x}")), files={"slim/requirements.txt": LOCK})
    ((_, what, fix),) = errors(path)

    assert "`tag` has no place beside build" in what
    assert fix == "keep one of them"


def test_the_recipe_finds_the_lock(tmp_path: Path) -> None:
    """The project's folder lies where Dockerfile and build.sh look for it."""
    (tmp_path / "slim").mkdir()
    (tmp_path / "slim" / "requirements.txt").write_text(LOCK)
    assemble(Image("built", "openmetadata", "slim"), tmp_path, tmp_path / "context")

    assert (tmp_path / "context" / "project" / "requirements.txt").read_text() == LOCK
    assert "$CONTEXT/project/requirements.txt" in (tmp_path / "context" / "build.sh").read_text()
    assert "build.sh" in (tmp_path / "context" / "Dockerfile").read_text()
