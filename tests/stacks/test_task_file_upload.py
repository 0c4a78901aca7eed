"""Files that tasks get: who may read them, and how they come to the artifacts bucket."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from penstock_runtime.plan.plan import Plan, ProjectFile
from stacks.build import build_stacks
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates

MIB = 1024 * 1024


def with_files(*sizes: int) -> Plan:
    """The plan, with one file of each of these sizes (in bytes) for tasks of OpenMetadata's task definition."""
    files = tuple(ProjectFile(f"{number}.bin", f"{number:064}", size) for number, size in enumerate(sizes))
    own = dataclasses.replace(plans.OPENMETADATA, files=True)
    return dataclasses.replace(plans.PLAN, task_definitions=(own, plans.MELTANO, plans.COMMAND), files=files)


def synthesized(plan: Plan, folder: Path) -> Templates:
    """Its templates; the files are empty, since the stacks do not read them."""
    (folder / "files").mkdir()
    for file in plan.files:
        (folder / "files" / file.sha256).write_bytes(b"")
    app = plans.application(folder / "cdk.out")
    files = dataclasses.replace(plans.files(folder), task_files=folder / "files")
    build_stacks(app, plan, files, account=None)
    return {stack.stack_name: stack.template for stack in app.synth().stacks}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of a plan with a file of a few bytes."""
    return synthesized(with_files(10), tmp_path_factory.mktemp("small"))


def readable(templates: Templates, role: str) -> list[str]:
    """What a task role may read, from the key on."""
    reading = [
        one
        for template in templates.values()
        for one in statements.of_role(template, f"{role}-task")
        if "s3:GetObject" in one["Action"]
    ]
    return sorted(resource.partition("/")[2] for one in reading for resource in one["Resource"])


def test_only_a_task_that_gets_files_may_read_them(small: Templates) -> None:
    """And no role may list them: who has no hash has no file."""
    assert readable(small, plans.OPENMETADATA.role_prefix) == ["configs/*", "files/*", "runtime/*"]
    assert not any(one.startswith("files") for one in readable(small, plans.MELTANO.role_prefix))
    assert readable(small, plans.COMMAND.role_prefix) == ["runtime/*"]
    lists = statements.that_allow(statements.everywhere(small), "s3:ListBucket")
    assert not any("files" in str(list_.get("Condition")) for list_ in lists)


def uploads(templates: Templates) -> list[dict[str, Any]]:
    """The deployments of files for tasks."""
    every = plans.resources(templates, "Custom::CDKBucketDeployment")
    return [one["Properties"] for one in every if one["Properties"].get("DestinationBucketKeyPrefix") == "files"]


def test_files_are_uploaded_apart_and_nothing_is_deleted(small: Templates) -> None:
    """A run that started before this deploy still fetches its files; the sweep knows which are needed no more."""
    (upload,) = uploads(small)

    assert upload["Prune"] is False
    assert upload["RetainOnDelete"] is True


def test_without_files_there_is_nothing_of_it(templates: Templates) -> None:
    """No upload, no right to read."""
    assert uploads(templates) == []
    assert not any(
        "files/*" in readable(templates, definition.role_prefix) for definition in plans.PLAN.task_definitions
    )


@pytest.mark.parametrize(
    ("mib", "disk", "memory"),
    [(100, None, 512), (300, 1536, 1769), (4096, 9728, 1769)],
)
def test_the_function_has_room_for_large_files(tmp_path: Path, mib: int, disk: int | None, memory: int) -> None:
    """It unpacks an archive of them; Lambda gives 512 MiB unasked, and at most 10,240."""
    template = synthesized(with_files(mib * MIB), tmp_path)

    (upload,) = uploads(template)
    (name,) = [upload["ServiceToken"]["Fn::GetAtt"][0]]
    function = template["acme-dev-ingestion"]["Resources"][name]["Properties"]

    assert function.get("EphemeralStorage", {}).get("Size") == disk
    assert function["MemorySize"] == memory
