"""A slim image of OpenMetadata's ingestion: built from the project's own lock, which fits the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime.plan.task_definition import Image
from tests.unit.project_files import WORKFLOW, errors, loaded, write

PACKAGE = "openmetadata-ingestion[postgres]==1.12.14.2"
DRIVER = "psycopg2_binary==2.9.13"
LOCK = f"{PACKAGE} \\\n    --hash=sha256:00\n{DRIVER} \\\n    --hash=sha256:00\n"


def _of(source: str) -> str:
    """A workflow with a source of this type, and a connection that fits."""
    kind = source.partition("-")[0]
    text = WORKFLOW.replace("type: postgres", f"type: {source}").replace("type: Postgres", f"type: {kind}")
    text = text.replace("config: {type: " + kind, "config: {sourcePythonClass: a.B, type: " + kind)
    if source.endswith("-usage"):
        text = (
            text.replace("DatabaseMetadata", "DatabaseUsage")
            + "processor: {type: a}\nstage: {type: a}\nbulkSink: {type: a}\n"
        )
    return text


BUILD = ("schedules:\n", "images:\n  openmetadata: {build: slim}\nschedules:\n")


def test_workflows_run_in_the_image_that_is_built(tmp_path: Path) -> None:
    """So do plain commands that name no image; Meltano's and a command's own stay."""
    project = loaded(tmp_path, BUILD, files={"slim/requirements.txt": LOCK})
    plan = compile_plan(project)

    images = {definition.image for definition in plan.task_definitions if definition.engine == "openmetadata"}
    assert images == {Image("built", "openmetadata", "slim")}


MISTAKES = {
    # name: (the lock, place, part of what)
    "no lock": (None, "penstock.yaml", "slim/requirements.txt does not exist"),
    "no package": ("requests==2.0\n", "slim/requirements.txt", "pins no openmetadata-ingestion"),
    "not pinned": ("openmetadata-ingestion\n", "slim/requirements.txt", "pins no openmetadata-ingestion"),
    "no hash": (f"{PACKAGE}\n{DRIVER}\n", "slim/requirements.txt:1", "has no hashes"),
    "another server": (f"# mine\n{LOCK.replace('14', '13')}", "slim/requirements.txt:2", "the server is 1.12.14"),
}


@pytest.mark.parametrize(("lock", "place", "what"), MISTAKES.values(), ids=MISTAKES)
def test_wrong_lock_is_named(tmp_path: Path, lock: str | None, place: str, what: str) -> None:
    """At its line, where it has one."""
    path = write(tmp_path, BUILD, files={} if lock is None else {"slim/requirements.txt": lock})
    problems = errors(path)

    assert [(where.startswith(place), what in said) for where, said, _ in problems] == [(True, True)], problems


WITHOUT = LOCK.replace(DRIVER, "psycopg3==3.0")
LEFT_OUT = {
    # name: (source.type, the lock, the package and the extra that are missing)
    "it": ("postgres", WITHOUT, ("psycopg2-binary", "postgres")),
    "its usage": ("Snowflake-usage", LOCK, ("snowflake-sqlalchemy", "snowflake")),
    "another extra's name": ("mongodb", LOCK, ("pymongo", "mongo")),
}


@pytest.mark.parametrize(("source", "lock", "missing"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_connector_that_is_left_out_is_named(
    tmp_path: Path, source: str, lock: str, missing: tuple[str, str]
) -> None:
    """Where the workflow asks for it, before anything is built."""
    text = _of(source)
    does = ("type: metadata,", "type: usage," if source.endswith("-usage") else "type: metadata,")
    problems = errors(write(tmp_path, BUILD, does, files={"slim/requirements.txt": lock, "warehouse.yaml": text}))

    package, extra = missing
    assert problems == [
        (
            "warehouse.yaml:2:9",
            f"slim/requirements.txt has no {package}, which a source of type {source} needs",
            f"add the extra to the package, openmetadata-ingestion[{extra}], and compile the lock again",
        )
    ]


ENOUGH = {
    # name: (source.type, the lock)
    "one of several drivers": ("mssql", LOCK.replace(DRIVER, "pyodbc==5.0")),
    "from an address": ("postgres", LOCK.replace(DRIVER, "psycopg2 @ https://example.com/psycopg2.whl")),
    "in another file": ("postgres", f"-r drivers.txt\n{WITHOUT}"),
    "no driver known": ("CustomDatabase", LOCK),
}


@pytest.mark.parametrize(("source", "lock"), ENOUGH.values(), ids=ENOUGH)
def test_what_may_do_is_no_error(tmp_path: Path, source: str, lock: str) -> None:
    """The container finds out what is not known here."""
    text = _of(source)
    project = loaded(tmp_path, BUILD, files={"slim/requirements.txt": lock, "warehouse.yaml": text})

    assert project.settings().images.openmetadata.build == "slim"


def test_the_stock_image_has_them_all(tmp_path: Path) -> None:
    """Without a lock of one's own, nothing is left out."""
    text = _of("snowflake")

    assert loaded(tmp_path, files={"warehouse.yaml": text}).workflows


@pytest.mark.parametrize(
    ("folder", "said"), [("/etc", "'/etc' is not a relative path"), ("../slim", "'../slim' is outside the project")]
)
def test_the_folder_is_one_of_the_project(tmp_path: Path, folder: str, said: str) -> None:
    """An image holds nothing from elsewhere on a machine."""
    old, new = BUILD
    ((_, what, _),) = errors(write(tmp_path, (old, new.replace("slim", folder))))

    assert what == said


def test_a_tag_has_no_place_beside_it(tmp_path: Path) -> None:
    """What is built comes from nowhere else."""
    old, new = BUILD
    path = write(tmp_path, (old, new.replace("slim}", "slim, tag: x}")), files={"slim/requirements.txt": LOCK})
    ((_, what, fix),) = errors(path)

    assert "`tag` has no place beside build" in what
    assert fix == "keep one of them"
