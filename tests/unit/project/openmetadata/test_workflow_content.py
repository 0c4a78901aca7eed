"""What a workflow file says and OpenMetadata's parser takes, though the run of it fails or does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.document.document import parse
from penstock.project.load import load
from penstock.project.openmetadata import workflow
from penstock.project.openmetadata.content import check, installed, source
from penstock.project.openmetadata.content.steps import STEPS
from penstock.project.openmetadata.model import Auth, OpenMetadata
from penstock.versions.openmetadata import OPENMETADATA_LINES
from penstock_runtime.workflow_types import WORKFLOW_TYPES
from tests.unit.project.openmetadata.openmetadata_models import shapes
from tests.unit.project_files import errors, loaded, write

SETTINGS = OpenMetadata(server="https://c.acme.io/api", version="1.12.14", auth=Auth(jwt_token="${OM_JWT}"))
METADATA = """\
source:
  type: postgres
  serviceName: s
  serviceConnection: {config: {type: Postgres, hostPort: h, databaseFilterPattern: {includes: [a.*]}}}
  sourceConfig:
    config: {type: DatabaseMetadata, tableFilterPattern: {includes: [a.*], excludes: [b]}}
sink: {type: metadata-rest, config: {}}
workflowConfig:
  openMetadataServerConfig: {hostPort: "https://c.acme.io/api", securityConfig: {jwtToken: "${T}"}}
pipelineRunId: "${RUN}"
"""
USAGE = """\
source: {type: query-log-usage, serviceName: s, sourceConfig: {config: {type: DatabaseUsage, queryLogFilePath: /q}}}
processor: {type: query-parser}
stage: {type: table-usage, config: {filename: /tmp/q}}
bulkSink: {type: metadata-usage, config: {filename: /tmp/q}}
"""
PROFILER = """\
source: {type: postgres, serviceName: s, sourceConfig: {config: {type: Profiler}}}
processor: {type: orm-profiler}
sink: {type: metadata-rest}
"""
CUSTOM = """\
source:
  type: customDatabase
  serviceName: s
  serviceConnection: {config: {type: CustomDatabase, sourcePythonClass: a.B}}
sink: {type: metadata-rest}
"""
DOMO = """\
source:
  type: domodatabase
  serviceName: s
  serviceConnection:
    config: {type: DomoDatabase, clientId: c, secretToken: "${T}", instanceDomain: "https://acme.domo.com"}
sink: {type: metadata-rest}
"""
GOOD = {"metadata": METADATA, "usage": USAGE, "profiler": PROFILER, "custom": CUSTOM, "domo": DOMO}
TYPES = {"usage": "usage", "profiler": "profiler"}

MISTAKES = {
    # name: (which, old, new with ¦ at the place, what, fix)
    "another source": (
        *("metadata", "type: postgres", "type: ¦mysql"),
        *("'mysql' does not take a connection of type 'Postgres'", "write type: postgres in source"),
    ),
    "another source's usage": (
        *("usage", "query-log-usage, serviceName: s,", "¦mysql-usage, serviceName: s, serviceConnection: {config: "
          "{type: Postgres}},"),
        *("'mysql-usage' does not take a connection of type 'Postgres'", "write type: postgres-usage in source"),
    ),
    "custom without its class": (
        *("custom", "{type: CustomDatabase, sourcePythonClass: a.B}", "¦{type: CustomDatabase}"),
        *("needs sourcePythonClass", "add sourcePythonClass: package.module.Class"),
    ),
    "service": ("metadata", "  serviceName: s\n", "", "source.serviceName is missing", "add `serviceName: …`"),
    "usage by the metadata source": (
        *("usage", "query-log-usage", "¦postgres"),
        *("'postgres' reads metadata, and the workflow is for usage", "write type: postgres-usage"),
    ),
    "metadata by the usage source": (
        *("metadata", "type: postgres", "type: ¦postgres-usage"),
        *("'postgres-usage' reads usage, and the workflow is for metadata", "write type: postgres"),
    ),
    "no query log": (
        *("usage", "{type: DatabaseUsage, queryLogFilePath: /q}", "¦{type: DatabaseUsage}"),
        *("there is no queryLogFilePath", "add queryLogFilePath: …"),
    ),
    "empty query log": (
        *("usage", "queryLogFilePath: /q", "queryLogFilePath: ¦''"),
        *("there is no queryLogFilePath", "add queryLogFilePath: …"),
    ),
    "no sink": (
        *("metadata", "sink: {type: metadata-rest, config: {}}\n", ""),
        *("has no `sink`", "add sink: {type: metadata-rest, config: {}}"),
    ),
    "empty sink": ("metadata", "sink: {type: metadata-rest, config: {}}", "sink:¦", "has no `sink`", "add sink: "),
    "sink of a list": ("metadata", "sink: {type: metadata-rest, config: {}}", "sink: ¦[]", "not a mapping", "add sink"),
    "sink without a type": ("metadata", "{type: metadata-rest, config: {}}", "¦{}", "sink.type is missing", "add sink"),
    "no processor": ("profiler", "processor: {type: orm-profiler}\n", "", "no `processor`", "{type: orm-profiler"),
    "no stage": (
        *("usage", "stage: {type: table-usage, config: {filename: /tmp/q}}\n", ""),
        *("has no `stage`", "add stage: {type: table-usage, config: {filename: /tmp/queries}}"),
    ),
    "two folders": (
        *("usage", "metadata-usage, config: {filename: /tmp/q}", "metadata-usage, config: {filename: ¦/tmp/r}"),
        *("bulkSink reads '/tmp/r', and stage writes to '/tmp/q'", "write the same filename in both"),
    ),
    "server without a scheme": (
        *("metadata", '"https://c.acme.io/api"', '¦"c.acme.io:8585/api"'),
        *("names no host", "write https://<host>/api"),
    ),
    "server with a port that is none": (
        *("metadata", '"https://c.acme.io/api"', '¦"https://c.acme.io:x/api"'),
        *("is not an address", "write https://<host>/api"),
    ),
    "empty token": ("metadata", '"${T}"}}\n', '¦""}}\n', "jwtToken is empty", "remove it: openmetadata.auth of"),
    "null token": ("metadata", '"${T}"}}\n', "¦null}}\n", "jwtToken is empty", "remove it: openmetadata.auth of"),
    "no token": (
        *("metadata", 'securityConfig: {jwtToken: "${T}"}', "authProvider: google"),
        *("with authProvider 'google' it has none", "securityConfig: {jwtToken: ${NAME}} here"),
    ),
    "bracket": (
        *("metadata", "tableFilterPattern: {includes: [a.*]", "tableFilterPattern: {includes: [¦'a(']"),
        *("'a(' is not a regular expression: missing ), unterminated subpattern", "write \\ before it"),
    ),
    "file pattern": (
        *("metadata", "excludes: [b]", "excludes: [b, ¦'*_tmp']"),
        *("'*_tmp' is not a regular expression", "write .* for any text"),
    ),
    "pattern of the connection": (
        *("metadata", "databaseFilterPattern: {includes: [a.*]}", "databaseFilterPattern: {includes: [¦'[z-a]']}"),
        *("bad character range z-a", "correct it"),
    ),
    "run id": ("metadata", '"${RUN}"', "¦nightly-1", "pipelineRunId must be a UUID, not 'nightly-1'", "remove it"),
    "run number": ("metadata", '"${RUN}"', "¦17", "pipelineRunId must be a UUID, not 17", "remove it"),
    "old key of Domo": (
        *("domo", "instanceDomain", "¦sandboxDomain"),
        *("DomoDatabase has no key 'sandboxDomain': it is 'instanceDomain' now", "write instanceDomain"),
    ),
}  # fmt: skip


def found(text: str, kind: str, settings: OpenMetadata | None = SETTINGS) -> list[tuple[str, str, str, bool]]:
    """Place, what, fix, whether it is an error."""
    read = workflow.read(parse(text, "w.yaml"))
    problems = [*workflow.check(read, kind), *check.check(read, kind, settings, {"X": "a+"})]
    return [(one.where.removeprefix("w.yaml:"), one.what, one.fix, one.is_error) for one in problems]


@pytest.mark.parametrize("name", GOOD)
def test_a_file_that_runs_is_taken(name: str) -> None:
    """The mistakes below are made in files without any."""
    assert found(GOOD[name], TYPES.get(name, "metadata")) == []


@pytest.mark.parametrize(("which", "old", "new", "what", "fix"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_an_error_at_its_place(which: str, old: str, new: str, what: str, fix: str) -> None:
    """One mistake, one error, with the next thing to do."""
    assert GOOD[which].count(old) == 1, old
    text = GOOD[which].replace(old, new)
    before = text.partition("¦")[0]
    place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    problems = found(text.replace("¦", ""), TYPES.get(which, "metadata"))

    assert [is_error for *_, is_error in problems] == [True], problems
    assert what in problems[0][1]
    assert fix in problems[0][2]
    if "¦" in text:
        assert problems[0][0] == place


TAKEN = {
    "address of a secret": ("metadata", "https://c.acme.io/api", "${T}"),
    "address of a variable and a secret": ("metadata", "https://c.acme.io/api", "https://${T}"),
    "pattern of a secret": ("metadata", "excludes: [b]", 'excludes: ["(${T}"]'),
    "pattern of a variable": ("metadata", "excludes: [b]", 'excludes: ["(${X})"]'),
    "connection of a variable": ("metadata", "{type: Postgres,", '{type: "${T}",'),
    "source of a variable": ("metadata", "type: postgres", 'type: "${T}"'),
    "source in capitals": ("metadata", "type: postgres", "type: Postgres"),
    "key of the same name elsewhere": ("metadata", "hostPort: h", "hostPort: h, sandboxDomain: x"),
    "a UUID": ("metadata", '"${RUN}"\n', "\n"),
    "usage of a custom source": ("usage", "query-log-usage", "customDatabase"),
}


@pytest.mark.parametrize(("which", "old", "new"), TAKEN.values(), ids=TAKEN)
def test_what_may_be_right_is_taken(which: str, old: str, new: str) -> None:
    """What is known only at run time is left to the run."""
    assert GOOD[which].count(old) == 1, old
    assert found(GOOD[which].replace(old, new), TYPES.get(which, "metadata")) == []


WARNINGS = {
    "server without /api": ("https://c.acme.io/api", "https://c.acme.io", "does not end in /api"),
    "connection without a type": ("{type: Postgres, ", "{", "guesses from its keys what it connects to"),
    "flags in the middle": ("excludes: [b]", "excludes: ['a(?i)b']", "global flags not at the start"),
    "the same id for every run": ('"${RUN}"', "01234567-89ab-cdef-0123-456789abcdef", "the last of them only"),
}


@pytest.mark.parametrize(("old", "new", "what"), WARNINGS.values(), ids=WARNINGS)
def test_what_may_be_meant_is_a_warning_of_the_plan(tmp_path: Path, old: str, new: str, what: str) -> None:
    """With the file and the line, and it stops nobody."""
    text = METADATA.replace("${T}", "${PASSWORD}").replace('pipelineRunId: "${RUN}"\n', "")
    text += 'pipelineRunId: "${PASSWORD}"\n'
    text = text.replace(old if "RUN" not in old else '"${PASSWORD}"\n', new + ("\n" if "RUN" in old else ""))
    warnings = compile_plan(loaded(tmp_path, files={"warehouse.yaml": text})).warnings
    said = [warning for warning in warnings if what in warning]

    assert len(said) == 1, warnings
    assert said[0].startswith("warehouse.yaml:")


@pytest.mark.parametrize("settings", [None, SETTINGS.model_copy(update={"auth": None})])
def test_without_the_projects_token_the_file_must_have_one(settings: OpenMetadata | None) -> None:
    """Nothing fills it in then."""
    problems = found(PROFILER, "profiler", settings)

    assert [(place, "has no token" in what) for place, what, _, _ in problems] == [("1:1", True)]


def test_every_workflow_type_with_a_source_has_its_steps() -> None:
    """A new type says which steps its class reads, unless no package that was tried runs it."""
    run = {name for name, row in WORKFLOW_TYPES.items() if not all(map(row.missing, OPENMETADATA_LINES))}
    assert {name for name in run if WORKFLOW_TYPES[name].needs_source} - {"application"} <= STEPS.keys()


HOLDS: Mapping[str, Mapping[str, list[str]]] = {
    "sources": {"postgres": ["lineage"], "mysql": ["lineage", "usage"], "query": ["lineage", "usage"]},
    "steps": {"sink": ["file", "metadata_rest"], "stage": ["table_usage"], "bulksink": ["metadata_usage"]},
}
ABSENT = {
    # name: (which, old, new, what, fix)
    "source": ("metadata", "type: postgres", "type: postgers", "no source of type 'postgers'", "'postgres'"),
    "usage of a source": (
        *("usage", "query-log-usage", "postgres-usage"),
        *("there is no usage of 'postgres'", "write type: query-log-usage with queryLogFilePath"),
    ),
    "sink": ("metadata", "metadata-rest", "metadata-rset", "there is no sink 'metadata-rset'", "'metadata-rest'"),
    "stage": ("usage", "table-usage", "tables", "there is no stage 'tables'", "table-usage"),
    "bulk sink": ("usage", "metadata-usage", "usage", "there is no bulkSink 'usage'", "metadata-usage"),
}


@pytest.mark.parametrize(("which", "old", "new", "what", "fix"), ABSENT.values(), ids=ABSENT)
def test_what_the_package_does_not_have_is_named(which: str, old: str, new: str, what: str, fix: str) -> None:
    """Sources, their usage and lineage, sinks: by the files of the package."""
    kind = TYPES.get(which, "metadata")
    assert list(installed.check(workflow.read(parse(GOOD[which], "w.yaml")), kind, HOLDS)) == []
    problems = list(installed.check(workflow.read(parse(GOOD[which].replace(old, new), "w.yaml")), kind, HOLDS))

    assert [what in problem.what for problem in problems] == [True], problems
    assert fix in problems[0].fix


def test_what_the_package_does_not_have_is_an_error_of_its_version_only(tmp_path: Path) -> None:
    """For another version of the release line it is a note."""
    text = METADATA.replace("${T}", "${PASSWORD}").replace('pipelineRunId: "${RUN}"\n', "")
    known = shapes()
    known.faults = lambda *_: ()  # type: ignore[method-assign]  these shapes are of other models
    known.holds = {**HOLDS, "sources": {"mysql": []}}
    path = write(tmp_path, ("1.12.14", "1.12.3"), files={"warehouse.yaml": text})
    notes = load(path, shapes=lambda _: known).notes

    assert [note.what for note in notes] == [
        "there is no source of type 'postgres' (OpenMetadata 1.12.14.2); the server is 1.12.3"
    ]
    with pytest.raises(Exception, match=r"warehouse.yaml:2:9: there is no source of type 'postgres'"):
        load(write(tmp_path, files={"warehouse.yaml": text}), shapes=lambda _: known)


TWO = (
    "        openmetadata: {type: metadata, config: warehouse.yaml}\n",
    "        openmetadata: {type: metadata, config: warehouse.yaml}\n"
    "      - {name: second, openmetadata: {type: KIND, config: second.yaml}}\n",
)


def _two(folder: Path, first: str, second: str, kind: str = "metadata") -> Path:
    old, new = TWO
    return write(folder, (old, new.replace("KIND", kind)), files={"warehouse.yaml": first, "second.yaml": second})


def test_two_sources_of_one_service_collide(tmp_path: Path) -> None:
    """The server has one database service of a name, and would show the tables of both in it."""
    first = PROFILER.replace("Profiler", "DatabaseMetadata")
    second = PROFILER.replace("postgres", "mysql")
    found_errors = errors(_two(tmp_path, first, second, "profiler"))

    assert [where for where, _, _ in found_errors] == ["second.yaml:1:36"]
    assert "service 's' is of type mysql here, and of type postgres at" in found_errors[0][1]
    assert "warehouse.yaml:1:39" in found_errors[0][1]


@pytest.mark.parametrize(
    ("second", "kind"),
    [
        (PROFILER, "profiler"),
        (USAGE.replace("/q}", "/tmp/q}"), "usage"),
        (PROFILER.replace("Profiler", "DashboardMetadata").replace("postgres", "superset"), "metadata"),
        (PROFILER.replace("Profiler", "DBT").replace("postgres", "dbt"), "dbt"),
        (PROFILER.replace("serviceName: s", 'serviceName: "${HOST}"').replace("postgres", "mysql"), "profiler"),
    ],
)
def test_services_that_do_not_collide(tmp_path: Path, second: str, kind: str) -> None:
    """The same source, a query log of any database, a service of another kind, dbt's models of it."""
    assert load(_two(tmp_path, PROFILER.replace("Profiler", "DatabaseMetadata"), second, kind)).workflows


def test_one_pipeline_of_two_types_is_an_error_and_of_one_type_a_warning(tmp_path: Path) -> None:
    """The server's pipeline has one type; runs of two tasks of that are shown in one list."""
    first = PROFILER.replace("Profiler", "DatabaseMetadata") + "ingestionPipelineFQN: s.p\n"
    ((where, what, fix),) = errors(_two(tmp_path / "a", first, PROFILER + "ingestionPipelineFQN: s.p\n", "profiler"))
    assert (where, fix[:27]) == ("second.yaml:4:23", "remove ingestionPipelineFQN")
    assert "report as one pipeline, 's.p', one of profiler and one of metadata" in what

    plan = compile_plan(load(_two(tmp_path / "b", first, first)))
    assert [warning.partition(": ")[0] for warning in plan.warnings if "as one pipeline" in warning] == [
        "second.yaml:4:23"
    ]


@pytest.mark.parametrize(
    ("text", "folder", "ending"),
    [
        ("Postgres", "postgres", ""),
        ("redshift-usage", "redshift", "usage"),
        ("query-log-lineage", "query", "lineage"),
        ("usage", "usage", ""),
    ],
)
def test_source_type_is_taken_apart_as_by_the_package(text: str, folder: str, ending: str) -> None:
    """The folder is what stands before the first dash, the ending what stands behind the last."""
    parsed = source.parse(text)

    assert (parsed.folder, parsed.ending) == (folder, ending)
