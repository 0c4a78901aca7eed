"""What a task definition family is named by: all that its tasks must share, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from tests.unit.project_files import WORKFLOW, loaded

CONFIG = "openmetadata: {type: metadata, config: warehouse.yaml}"
GRANT = "permissions: [{actions: [glue:GetTables], resources: ['*'], reason: Glue knows no resource}]"


def families(folder: Path, *edits: tuple[str, str]) -> dict[str, str]:
    """Task → family, in the small project."""
    other = WORKFLOW.replace("${PASSWORD}", "${OM_JWT}")
    plan = compile_plan(loaded(folder, *edits, files={"other.yaml": other}))
    return {task.name: task.family for task in plan.schedules[0].tasks}


def catalogue(task: str) -> tuple[str, str]:
    """The task `catalogue` with more in it."""
    return CONFIG, f"{CONFIG}\n        {task}"


def test_the_reason_of_a_permission_names_no_family(tmp_path: Path) -> None:
    """It is for those who read the template: in other words the permission is the same."""
    reworded = GRANT.replace("Glue knows no resource", "There is no narrower one")

    assert families(tmp_path / "before", catalogue(GRANT)) == families(tmp_path / "after", catalogue(reworded))


@pytest.mark.parametrize(
    "edit",
    [
        catalogue("architecture: arm64"),
        catalogue("read_only_root: true"),
        catalogue(GRANT),
        (CONFIG, "openmetadata: {type: metadata, config: other.yaml}"),
        (CONFIG, "command: ls"),
        (CONFIG, "command: ls\n        image: busybox"),
    ],
    ids=["architecture", "read-only root", "permissions", "secrets", "engine", "image"],
)
def test_what_tasks_must_share_names_the_family(tmp_path: Path, edit: tuple[str, str]) -> None:
    """A family whose revisions differ in this would start a task with what belongs to another."""
    before, after = families(tmp_path / "before"), families(tmp_path / "after", edit)

    assert before["load"] == after["load"]
    assert before["catalogue"] != after["catalogue"]


def test_an_image_of_ones_own_names_the_family(tmp_path: Path) -> None:
    """Two images of one engine are two families; one that a task names is not the engine's own."""
    one, other = ((CONFIG, f"command: ls\n        image: {image}\n        python: true") for image in ("a:1", "b:1"))

    names = [families(tmp_path / str(number), edit)["catalogue"] for number, edit in enumerate((one, other))]

    assert len({*names, families(tmp_path / "default", (CONFIG, "command: ls"))["catalogue"]}) == 3


def test_a_read_only_root_names_the_family_beside_permissions(tmp_path: Path) -> None:
    """A task with both shares no family with one that has the permissions only."""
    names = families(tmp_path / "before", catalogue(GRANT))
    other = families(tmp_path / "after", catalogue(f"{GRANT}\n        read_only_root: true"))

    assert names["catalogue"] != other["catalogue"]


def test_a_named_meltano_image_names_the_family(tmp_path: Path) -> None:
    """It is another image than the one that Penstock builds of the project."""
    built = "meltano: {project: meltano, environment: prod}"
    named = built.replace("prod}", "prod, image: 'acme/meltano:1'}")

    assert families(tmp_path / "built")["load"] != families(tmp_path / "named", (built, named))["load"]
