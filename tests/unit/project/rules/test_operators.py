"""Operators of tasks: which there are, what does not fit them, what the plan holds for those in Airflow's worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask, WorkerTask
from tests.unit.project_files import errors, loaded, write

CATALOGUE = "        openmetadata: {type: metadata, config: warehouse.yaml}\n"
VIRTUALENV = (CATALOGUE, f"{CATALOGUE}        operator: virtualenv\n")
PYTHON = (CATALOGUE, f"{CATALOGUE}        operator: python\n")
DEFAULT = ("task: {cpu_units: 512", "task: {operator: virtualenv, cpu_units: 512")
LOCK = "openmetadata-ingestion[postgres]==1.12.14.2 --hash=sha256:00\npsycopg2-binary==2.9.9 --hash=sha256:00\n"


def _catalogue(plan: Plan) -> WorkerTask:
    (task,) = (task for task in plan.schedules[0].tasks if task.name == "catalogue")
    assert isinstance(task, WorkerTask)
    return task


def test_task_in_a_virtual_environment(tmp_path: Path) -> None:
    """The plan has its secrets as references, its lock, and no task definition that only it would have used."""
    plan = compile_plan(loaded(tmp_path, VIRTUALENV))
    task = _catalogue(plan)

    assert (task.operator, task.after, task.timeout_minutes) == ("virtualenv", ("load",), 60)
    assert task.secrets == {
        "OM_JWT": "secretsmanager:openmetadata",
        "PASSWORD": "secretsmanager:warehouse#password",
    }
    assert task.environment == {"HOST": "dev.acme.internal"}
    assert [secret.name for secret in plan.worker_secrets] == ["OM_JWT", "PASSWORD"]
    (lock,) = plan.requirements
    assert task.requirements == lock.sha256
    assert "openmetadata-ingestion==1.12.14.2" in lock.text
    assert "#" not in lock.text
    assert {definition.engine for definition in plan.task_definitions} == {"meltano"}
    assert [config.sha256 for config in plan.configs] == [task.config]
    assert Plan.from_json(plan.to_json()) == plan


def test_default_is_for_workflows(tmp_path: Path) -> None:
    """Meltano stays with ECS; a task's own operator wins."""
    first, second = compile_plan(loaded(tmp_path, DEFAULT)).schedules[0].tasks
    own = compile_plan(loaded(tmp_path, DEFAULT, (CATALOGUE, f"{CATALOGUE}        operator: ecs\n")))

    assert (first.operator, second.operator) == ("ecs", "virtualenv")
    assert {task.operator for task in own.schedules[0].tasks} == {"ecs"}
    assert (own.worker_secrets, own.requirements) == ((), ())


def test_without_operators_for_an_export(tmp_path: Path) -> None:
    """An exported file for another operator starts from what ECS would run."""
    plan = compile_plan(loaded(tmp_path, VIRTUALENV), only_ecs=True)

    assert all(isinstance(task, FargateTask) for task in plan.schedules[0].tasks)


def test_own_lock(tmp_path: Path) -> None:
    """The project's own is taken, comments left out."""
    edit = ("  version: 1.12.14\n", "  version: 1.12.14\n  requirements: locks/om.txt\n")
    plan = compile_plan(loaded(tmp_path, VIRTUALENV, edit, files={"locks/om.txt": f"# made\n{LOCK}"}))

    assert [lock.text for lock in plan.requirements] == [LOCK]


PAIR = (
    ("version: 3.0.6", "version: 3.3.1"),
    PYTHON,
)
MISTAKES: dict[str, tuple[tuple[tuple[str, str], ...], str, str]] = {
    "meltano in the worker": (
        (("- {name: load, ", "- {name: load, operator: virtualenv, "),),
        "which only OpenMetadata's workflows can",
        "operator: ecs",
    ),
    "size": (
        ((CATALOGUE, f"{CATALOGUE}        operator: virtualenv\n        memory_mib: 4096\n"),),
        "where memory_mib has no effect",
        "remove it",
    ),
    "permissions": (
        (
            (
                CATALOGUE,
                f"{CATALOGUE}        operator: virtualenv\n        permissions: [{{actions: ['glue:GetTable'], "
                "resources: ['arn:aws:glue:eu-west-1:111122223333:catalog']}]\n",
            ),
        ),
        "which gets no permissions of a task",
        "airflow.create.permissions",
    ),
    "a file": (
        ((CATALOGUE, f"{CATALOGUE}        operator: virtualenv\n        files: {{/tmp/x: {{secret: PASSWORD}}}}\n"),),
        "where nothing writes its file /tmp/x",
        "operator: ecs",
    ),
    "a pair that cannot be": (
        PAIR,
        "openmetadata-ingestion 1.12.14 cannot be installed beside Airflow 3.3.1: it needs SQLAlchemy 1.4, and "
        "Airflow SQLAlchemy 2",
        "operator: virtualenv",
    ),
    "python without the package": (
        (PYTHON,),
        "airflow.create.requirements does not install openmetadata-ingestion",
        "cryptography>=46.0.5",
    ),
    "no lock of that version": (
        (VIRTUALENV, ("version: 1.12.14", "version: 1.12.13")),
        "Penstock has no lock of openmetadata-ingestion 1.12.13",
        "openmetadata.requirements",
    ),
    "docker": (
        ((CATALOGUE, f"{CATALOGUE}        operator: docker\n"),),
        "only for files that `penstock dags export` writes",
        "use ecs, virtualenv or python",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_does_not_fit_is_an_error_with_its_place(tmp_path: Path, mistake: str) -> None:
    """File and line, what is wrong, and what to do; once."""
    edits, said, fix = MISTAKES[mistake]

    found = [one for one in errors(write(tmp_path, *edits)) if said in one[1]]

    assert len(found) == 1, errors(tmp_path / "penstock.yaml")
    assert found[0][0].startswith("penstock.yaml:")
    assert fix in found[0][2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        (LOCK.replace(" --hash=sha256:00", ""), "has no hashes"),
        (LOCK.replace("1.12.14.2", "1.12.13.2"), "has openmetadata-ingestion 1.12.13, and the server is 1.12.14"),
        (LOCK.splitlines()[0] + "\n", "psycopg2-binary"),
    ],
)
def test_locks_that_do_not_fit(tmp_path: Path, text: str | None, said: str) -> None:
    """The lock must be there, have hashes, the server's version, and the connectors of the workflows that use it."""
    edit = ("  version: 1.12.14\n", "  version: 1.12.14\n  requirements: om.txt\n")

    found = errors(write(tmp_path, VIRTUALENV, edit, files={} if text is None else {"om.txt": text}))

    assert len(found) == 1
    assert said in found[0][1] or said == "cannot be read"
