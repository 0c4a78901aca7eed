"""A project's workflow files against the shapes of its server's version, and where their connections make sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.load import load
from penstock.project.loaded import Project
from penstock.project.openmetadata.shapes import shape_file
from penstock.project.openmetadata.shapes.shape_file import Unknown
from penstock.project.openmetadata.shapes.shapes import Shapes
from penstock_runtime.errors import InputError, InputErrors
from tests.unit.project.openmetadata.openmetadata_models import shapes
from tests.unit.project_files import errors, loaded, write

GOOD = """\
source:
  type: pond
  serviceName: s
  serviceConnection: {config: {type: Pond, hostPort: "${HOST}:1", login: {password: "${PASSWORD}"}, threads: "${HOST}"}}
sink: {type: metadata-rest}
"""
"""Without a server: the project fills it in."""


def _known(version: str) -> Shapes | Unknown:
    return shapes()


def _read(folder: Path, text: str, *edits: tuple[str, str], source: shape_file.Source = _known) -> Project:
    return load(write(folder, *edits, files={"warehouse.yaml": text}), shapes=source)


def _errors(folder: Path, text: str, *edits: tuple[str, str]) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        _read(folder, text, *edits)
    problems = caught.value.errors if isinstance(caught.value, InputErrors) else (caught.value,)
    return [(one.where.removeprefix(f"{folder}/"), one.what) for one in problems]


@pytest.mark.parametrize(
    "more",
    [
        "",
        "workflowConfig:\n",
        "workflowConfig: {loggerLevel: DEBUG}\n",
        "workflowConfig: {openMetadataServerConfig: }\n",
        "workflowConfig: {openMetadataServerConfig: {authProvider: openmetadata}}\n",
    ],
)
def test_what_the_project_fills_in_is_not_missing(tmp_path: Path, more: str) -> None:
    """The server, and how to sign in to it, come from penstock.yaml."""
    assert _read(tmp_path, GOOD + more).notes == ()


def test_fault_is_an_error_at_its_place_once_for_all_environments(tmp_path: Path) -> None:
    """With the version of the package that would refuse it."""
    text = GOOD + "workflowConfig: {loggerLevel: DEBG, openMetadataServerConfig: {authProvider: openmetadata}}\n"

    assert _errors(tmp_path, text) == [
        ("warehouse.yaml:6:31", "'loggerLevel' cannot be 'DEBG' (OpenMetadata 1.12.14.2)")
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GOOD.replace("  type: pond\n", ""), [("warehouse.yaml:2:3", "source.type is missing, or is not text")]),
        (GOOD.replace("${PASSWORD}", "hunter2"), [("warehouse.yaml:4:85", "'password' is a secret in plain text")]),
        (GOOD + "workflowConfig: [a]\n", [("warehouse.yaml:6:17", "workflowConfig is not a mapping")]),
        (
            GOOD + "workflowConfig: {openMetadataServerConfig: {authProvider: google, securityConfig: [a]}}\n",
            [("warehouse.yaml:6:83", "securityConfig is not a mapping")],
        ),
    ],
)
def test_what_another_check_has_found_is_said_once(tmp_path: Path, text: str, found: list[tuple[str, str]]) -> None:
    """Two errors for one mistake would look like two mistakes."""
    assert _errors(tmp_path, text) == found


def test_package_of_a_neighbouring_version_only_warns(tmp_path: Path) -> None:
    """The server's own version may take what this one refuses."""
    notes = _read(tmp_path, GOOD + "workflowConfig: {loggerLevel: DEBG}\n", ("1.12.14", "1.12.3")).notes

    assert [note.what for note in notes] == [
        "'loggerLevel' cannot be 'DEBG' (OpenMetadata 1.12.14.2); the server is 1.12.3"
    ]
    assert notes[0].where.endswith("warehouse.yaml:6:31")


def test_unknown_shapes_are_said_and_stop_nobody(tmp_path: Path) -> None:
    """One note, with the way to have them."""
    notes = _read(tmp_path, GOOD + "nonsense: 1\n", source=lambda _: Unknown("it is not here", "fetch it")).notes

    assert [(note.what, note.fix) for note in notes] == [
        ("the shape of OpenMetadata's files was not checked: it is not here", "fetch it")
    ]


def test_version_without_a_lock_is_named() -> None:
    """Only a release line with a committed lock can be checked."""
    known_shapes = shape_file.cached("1.7.3")

    assert isinstance(known_shapes, Unknown)
    assert (known_shapes.why, "1.12" in known_shapes.fix) == ("Penstock has no lock for OpenMetadata 1.7.3", True)


def test_version_that_was_not_exported_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache is not an error; a file in it that is broken is named."""
    monkeypatch.setenv("PENSTOCK_CACHE", str(tmp_path))
    known_shapes = shape_file.cached("1.12.14")
    assert isinstance(known_shapes, Unknown)
    assert "validate --install" in known_shapes.fix

    lock = shape_file.lock_of("1.12.14")
    assert lock is not None
    path = shape_file.path_of(lock)
    path.parent.mkdir()
    path.write_text("{")
    broken = shape_file.cached("1.12.14")
    assert isinstance(broken, Unknown)
    assert str(path) in broken.why


TYPES = {
    # type of the source's config: a workflow type that its class does not run
    "DatabaseMetadata": "profiler",
    "DashboardMetadata": "usage",
    "PipelineMetadata": "TestSuite",
    "DatabaseLineage": "usage",
    "DBT": "autoClassification",
    "Profiler": "metadata",
    "TestSuite": "profiler",
    "MetadataToElasticSearch": "usage",
}


def _of(config: str) -> str:
    """A workflow whose config is of this type, with all that such a one needs."""
    does = {"DatabaseLineage": "-lineage", "DatabaseUsage": "-usage", "X": "-usage"}
    steps = "".join(f"{step}: {{type: a}}\n" for step in ("processor", "stage", "bulkSink", "sink"))
    kind = f"a{does.get(config, '')}"
    return f"source: {{type: {kind}, serviceName: s, sourceConfig: {{config: {{type: {config}}}}}}}\n{steps}"


@pytest.mark.parametrize(("config", "kind"), TYPES.items())
def test_workflow_type_and_type_of_the_config_fit(tmp_path: Path, config: str, kind: str) -> None:
    """Whichever of the two is wrong: the config would run in a class that does not know its keys."""
    text = _of(config)
    path = write(tmp_path, ("type: metadata,", f"type: {kind},"), files={"warehouse.yaml": text})
    problems = errors(path)

    assert [(where, f"config type {config} runs as" in what) for where, what, _ in problems] == [
        ("warehouse.yaml:1:" + str(text.index(config) + 1), True)
    ]
    assert problems[0][2].startswith("set type: ")


@pytest.mark.parametrize(("config", "kind"), [("DatabaseLineage", "metadata"), ("DBT", "metadata"), ("X", "usage")])
def test_types_of_one_class_go_together(tmp_path: Path, config: str, kind: str) -> None:
    """The same class runs them; and a type that is in no table is left to the shapes."""
    assert loaded(tmp_path, ("type: metadata,", f"type: {kind},"), files={"warehouse.yaml": _of(config)})


AIRFLOW = """\
source:
  type: airflow
  serviceName: a
  serviceConnection: {config: {type: Airflow, hostPort: "http://airflow.acme.io", connection: {type: Backend}}}
  sourceConfig: {config: {type: PipelineMetadata}}
sink: {type: metadata-rest, config: {}}
"""


def test_airflow_backend_is_refused_in_a_fargate_task(tmp_path: Path) -> None:
    """It reads the database of the Airflow that its process belongs to."""
    problems = errors(write(tmp_path, files={"warehouse.yaml": AIRFLOW}))

    assert [(where, what[:50]) for where, what, _ in problems] == [
        ("warehouse.yaml:4:102", "a Backend connection reads the database of the Air")
    ]
    assert "{type: RestAPI" in problems[0][2]


@pytest.mark.parametrize("variable", ["DB_HOST", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
def test_airflow_backend_with_a_database_is_let_through(tmp_path: Path, variable: str) -> None:
    """A task that says where the database is has one."""
    edit = ("config: warehouse.yaml}\n", f"config: warehouse.yaml}}\n        env: {{{variable}: x}}\n")

    assert loaded(tmp_path, edit, files={"warehouse.yaml": AIRFLOW})


@pytest.mark.parametrize(
    "address", ["localhost:5432", "http://127.0.0.1:8585/api", "host.docker.internal:1", "${HOST}:1"]
)
def test_address_of_this_machine_is_a_warning(tmp_path: Path, address: str) -> None:
    """On AWS it is the Fargate task itself, also where a variable says it."""
    text = GOOD.replace("${HOST}:1", address)
    edit = ("variables: {HOST: dev.acme.internal}", "variables: {HOST: localhost}")
    warnings = compile_plan(loaded(tmp_path, edit, files={"warehouse.yaml": text})).warnings

    assert [warning.partition(": ")[0] for warning in warnings if "Fargate task itself" in warning] == [
        "warehouse.yaml:4:54"
    ]
