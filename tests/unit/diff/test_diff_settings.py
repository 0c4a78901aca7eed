"""Settings of a project, of the last deploy and of the next; and what of a task definition its tasks tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.compile.compiler import compile_plan
from penstock.diff import plans, settings
from penstock_runtime.plan.plan import Plan
from penstock_runtime.release.infrastructure import describe
from tests.unit.project_files import loaded

Edit = tuple[str, str]
CREATE = "airflow: {create: {version: 3.0.6, class: mw1.small}}"
TOP = "network: {create: {cidr: 10.20.0.0/16}}\n"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000"


@pytest.fixture
def planned(tmp_path: Path) -> Callable[..., Plan]:
    """The plan of the small project, edited."""

    def of(*edits: Edit) -> Plan:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        return compile_plan(loaded(folder, *edits))

    return of


def facts(plan: Plan, account: str | None = None, **images: str) -> dict[str, Any]:
    return describe(plan, runtime_sha256="r", images=images, account=account)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ((CREATE, CREATE.replace("mw1.small", "mw1.small, access: public")), ["airflow.access: private → public"]),
        ((TOP, f"{TOP}ecs: {{stop_timeout_seconds: 60}}\n"), ["ecs.stop_timeout_seconds: 120 → 60"]),
        (
            (TOP, f"{TOP}logs: {{mode: non-blocking, max_buffer_mib: 20}}\n"),
            ["logs.max_buffer_mib: nothing → 20", "logs.mode: blocking → non-blocking"],
        ),
        ((TOP, f"{TOP}protected: true\n"), ["protected: false → true"]),
        ((TOP, f"{TOP}tags: {{team: data}}\n"), ["tags.team: nothing → data"]),
        (
            (TOP, f"{TOP}iam: {{permissions_boundary: 'arn:aws:iam::111122223333:policy/b'}}\n"),
            ["iam.permissions_boundary: nothing → arn:aws:iam::111122223333:policy/b"],
        ),
        (
            (CREATE, CREATE.replace("mw1.small", "mw1.small, logs: {task: {level: DEBUG}}")),
            ["airflow.logs.task.level: INFO → DEBUG"],
        ),
        (
            (CREATE, CREATE.replace("mw1.small", "mw1.small, options: {core.default_task_retries: '5'}")),
            ["airflow.options.core.default_task_retries: 0 → 5"],
        ),
    ],
)
def test_each_setting_is_told_old_and_new(planned: Callable[..., Plan], edit: Edit, told: list[str]) -> None:
    """By the plan's names, and nothing else with it; the way back is as loud."""
    before, after = facts(planned()), facts(planned(edit))

    assert [str(one) for one in settings.compare(before, after)] == told
    assert len(settings.compare(after, before)) == len(told)


def test_files_and_images_changed_but_are_not_printed(planned: Callable[..., Plan]) -> None:
    """Their hashes say nothing to a person, and their text is long."""
    (family, *_) = (definition.family for definition in planned().task_definitions)
    before, after = facts(planned(), **{family: "a" * 64}), facts(planned(), **{family: "b" * 64})
    files = [
        {
            **before,
            "settings": {**before["settings"], "airflow": {"requirements": {"key": f"r/{one * 64}", "text": one}}},
        }
        for one in "ab"
    ]

    assert [str(one) for one in settings.compare(before, after)] == [f"task_definitions.{family}.image_content changed"]
    assert [str(one) for one in settings.compare(*files)] == ["airflow.requirements.key changed"]


def test_what_is_the_same_is_not_told(planned: Callable[..., Plan]) -> None:
    """Nor is the account that only the deployed one knows, what an older Penstock did not write down, or a size."""
    plan = planned()
    before, after = facts(plan, account="111122223333"), facts(plan)
    older = {
        **before,
        "settings": {
            key: setting for key, setting in before["settings"].items() if key not in ("tags", "pull_through")
        },
    }
    size = planned(("cpu_units: 512, memory_mib: 1024", "cpu_units: 1024, memory_mib: 2048"))

    assert settings.compare(before, after) == []
    assert settings.compare(older, after) == []
    assert settings.compare(before, facts(size)) == []


def test_a_task_tells_how_its_new_task_definition_differs(planned: Callable[..., Plan]) -> None:
    """A definition of another name is another resource; what a person did is one secret more."""
    more = (
        "      - {name: load, meltano: tap-a target-b}",
        "      - {name: load, meltano: tap-a target-b, secrets: [OM_JWT]}",
    )
    (change,) = plans.compare(plans.as_data(planned()), plans.as_data(planned(more)))
    lines = {field.path: str(field) for field in change.fields}

    assert lines["tasks.load.secrets.OM_JWT"] == (
        "tasks.load.secrets.OM_JWT: nothing → id openmetadata, store secretsmanager"
    )
    assert "tasks.load.task definition" in lines
    assert not any("cpu" in path or "family" in path for path in lines)
