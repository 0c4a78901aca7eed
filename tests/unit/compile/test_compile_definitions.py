"""Task definitions: how few there are, and how long their names last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from penstock.compile import task_definitions
from penstock.compile.compiler import compile_plan
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Plan
from tests.unit.project_files import WORKFLOW, loaded

CATALOGUE = "      - name: catalogue\n"
LOAD = "- {name: load, "
OTHER = "{name: y, command: ls, image: busybox}"
CONFIG = "openmetadata: {type: metadata, config: warehouse.yaml}"


def _plan(folder: Path, *edits: tuple[str, str], environment: str | None = None) -> Plan:
    return compile_plan(loaded(folder, *edits, files={"other.yaml": WORKFLOW.replace("${PASSWORD}", "")}), environment)


def _families(plan: Plan) -> set[str]:
    return {definition.family for definition in plan.task_definitions}


def _more(task: str) -> tuple[str, str]:
    return CATALOGUE, f"      - {task}\n{CATALOGUE}"


def test_tasks_that_differ_in_size_share_one(tmp_path: Path) -> None:
    """RunTask gives the size; the definition's covers them all."""
    plan = _plan(tmp_path, _more(f"{{name: x, {CONFIG}, cpu_units: 1024, memory_mib: 2048}}"))
    (definition,) = [definition for definition in plan.task_definitions if definition.engine == "openmetadata"]

    assert (definition.cpu_units, definition.memory_mib) == (1024, 2048)


@pytest.mark.parametrize(
    "task",
    [
        f"{{name: x, {CONFIG}, architecture: arm64}}",
        "{name: x, openmetadata: {type: metadata, config: other.yaml}}",
        "{name: x, command: ls}",
        "{name: x, command: ls, image: busybox}",
    ],
    ids=["architecture", "secrets", "engine", "image"],
)
def test_tasks_that_differ_otherwise_have_their_own(tmp_path: Path, task: str) -> None:
    """Secrets above all: a task can use its own only."""
    assert len(_families(_plan(tmp_path, _more(task)))) == 3


@pytest.mark.parametrize(
    "edit",
    [
        (LOAD, LOAD + "memory_mib: 4096, timeout_minutes: 5, spot: true, "),
        ("secretsmanager:openmetadata", "secretsmanager:elsewhere"),
        ("1.12.14", "1.12.15"),
        _more(f"{{name: x, {CONFIG}}}"),
        _more("{name: x, command: ls, image: busybox}"),
        ("  - name: daily", "  - {name: another, job: warehouse, interval: '@daily'}\n  - name: daily"),
        ("dev.acme.internal", "db.acme.internal"),
    ],
    ids=["size", "reference", "server version", "another task", "another engine", "another schedule", "variable"],
)
def test_families_outlive_a_change(tmp_path: Path, edit: tuple[str, str]) -> None:
    """A family that is renamed breaks a run that waits for its retry, and the roles that name it."""
    before, after = _plan(tmp_path / "before"), _plan(tmp_path / "after", edit)

    assert _families(before) <= _families(after)


def test_the_order_of_tasks_names_no_family(tmp_path: Path) -> None:
    """Nor does a task that names the very image which another one has by default."""
    (default,) = [
        definition.image.reference
        for definition in _plan(tmp_path).task_definitions
        if definition.engine == "openmetadata"
    ]
    named, unnamed = f"{{name: x, command: ls, image: '{default}'}}", "{name: y, command: ls}"
    alone = _families(_plan(tmp_path / "a", _more(named)))
    both = [
        _families(_plan(tmp_path / name, (CATALOGUE, f"      - {first}\n      - {then}\n{CATALOGUE}")))
        for name, first, then in (("b", named, unnamed), ("c", unnamed, named))
    ]

    assert both[0] == both[1]
    assert alone < both[0]


def test_two_families_with_one_name_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests are short: among thousands two may be alike."""
    monkeypatch.setattr(task_definitions, "_digest", lambda _value, length: "0" * length)
    with pytest.raises(InputError, match="tasks 'x' and 'y' would share the name acme-dev-command-00000000") as error:
        _plan(tmp_path, (CATALOGUE, f"      - {{name: x, command: ls}}\n      - {OTHER}\n{CATALOGUE}"))
    assert "rename a secret" in error.value.fix


def test_names_fit_what_aws_allows(tmp_path: Path) -> None:
    """The longest project and environment: IAM role names have 64 characters, and ours end in `-task` or `-exec`."""
    edits = [("name: acme", "name: " + "p" * 20), ("  prod:", "  " + "e" * 12 + ":")]
    plan = _plan(tmp_path, *edits, environment="e" * 12)

    assert all(len(definition.family) <= 64 for definition in plan.task_definitions)
    assert all(len(f"{definition.role_prefix}-task") <= 64 for definition in plan.task_definitions)
    assert len(plan.airflow.name) <= 80


def test_roles_are_unique_over_regions(tmp_path: Path) -> None:
    """IAM knows no regions: the same environment in two of them must not share role names."""
    here, there = _plan(tmp_path / "a"), _plan(tmp_path / "b", ("{region: eu-west-1}", "{region: us-east-1}"))

    assert _families(here) == _families(there)
    assert not {definition.role_prefix for definition in here.task_definitions} & {
        definition.role_prefix for definition in there.task_definitions
    }


def test_roles_of_another_path_have_other_names(tmp_path: Path) -> None:
    """CloudFormation makes a role of another path beside the old one, and refuses to where that has the name."""
    paths = ("/", "/data/", "/teams/data/")
    made = [
        _plan(tmp_path / str(number), ("name: acme", f"name: acme\niam: {{role_path: {path}}}"))
        for number, path in enumerate(paths)
    ]

    assert made[0] == replace(made[1], iam=made[0].iam, task_definitions=made[0].task_definitions)
    assert _families(made[0]) == _families(made[1]) == _families(made[2])
    assert len({definition.role_prefix for plan in made for definition in plan.task_definitions}) == 3 * len(
        _families(made[0])
    )


def test_meltano_runs_in_a_built_image_or_one_that_is_named(tmp_path: Path) -> None:
    """The upstream image holds neither project nor plugins."""
    built = _plan(tmp_path / "a")
    named = _plan(tmp_path / "b", ("environment: prod}", "environment: prod, image: acme/meltano:1}"))
    images = {
        plan: [
            (definition.image.kind, definition.image.reference, definition.image.context)
            for definition in found.task_definitions
            if definition.engine == "meltano"
        ]
        for plan, found in {"built": built, "named": named}.items()
    }

    assert images == {"built": [("built", "meltano", "meltano")], "named": [("registry", "acme/meltano:1", None)]}


@pytest.mark.parametrize(
    ("name", "edits"),
    [
        ("HOME", [_more("{name: x, command: ls, read_only_root: true, secrets: [HOME]}")]),
    ],
)
def test_secret_cannot_be_what_the_definition_sets(tmp_path: Path, name: str, edits: list[tuple[str, str]]) -> None:
    """ECS registers no definition with a secret and a variable of one name; elsewhere the name is free."""
    secret = ("  OM_JWT:", f"  {name}: secretsmanager:own\n  OM_JWT:")
    with pytest.raises(InputError, match=f"gets {name} from a secret, and Penstock sets that itself"):
        _plan(tmp_path / "a", secret, *edits)

    plan = _plan(tmp_path / "b", secret, _more(f"{{name: x, command: ls, image: x, secrets: [{name}]}}"))

    assert [name] in [[secret.name for secret in definition.secrets] for definition in plan.task_definitions]
