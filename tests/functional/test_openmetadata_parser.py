"""What `validate` refuses of an OpenMetadata file is what the real parser refuses, asked in the real package."""

from __future__ import annotations

import json
import random
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.local import deep, environments, openmetadata_shapes
from penstock.project.document.composer import Node
from penstock.project.document.document import Document, parse
from penstock.project.load import load
from penstock.project.openmetadata import workflow
from penstock.project.openmetadata.model import Auth, OpenMetadata
from penstock.project.openmetadata.shapes import shape_file
from penstock.project.openmetadata.shapes.faults import Fault
from penstock.project.openmetadata.shapes.shapes import Shapes
from penstock_runtime.fill import fill, names
from penstock_runtime.workflow_types import TYPE_OF_CONFIG
from tests.functional.servers import ROOT
from tests.functional.workflow_mistakes import mistake
from tests.unit.project_files import write

VERSION = "1.12.14"
SEED = 20261130
MISTAKES = 500
JUDGE = Path(__file__).with_name("judge_workflows.py")
SETTINGS = OpenMetadata(server="https://catalog.acme.io/api", version=VERSION, auth=Auth(jwt_token="${OM_JWT}"))


@pytest.fixture(scope="module")
def environment() -> Path:
    """The virtual environment that holds the real package."""
    lock = shape_file.lock_of(VERSION)
    assert lock is not None
    return environments.ensure(lock.stem, lock, report=print)


@pytest.fixture(scope="module")
def shapes(environment: Path) -> Shapes:
    """What it takes, as `validate` knows it."""
    known_shapes = openmetadata_shapes.known(VERSION, print)
    assert isinstance(known_shapes, Shapes)
    return known_shapes


@pytest.fixture(scope="module")
def examples(environment: Path) -> dict[str, dict[str, Any]]:
    """The package's own examples, read where it is installed, and the sample's files, as the container gets them."""
    folder = next(environment.glob("lib/python*/site-packages/metadata/examples/workflows"))
    workflows = {path.name: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))}
    for path in sorted((ROOT / "ingestion").glob("*.yaml")):
        read = workflow.Workflow(parse(path.read_text(), path.name), {}, {})
        data = workflow.completed(read.document.root.plain(), SETTINGS, server=SETTINGS.server, pipeline="p")
        known = dict.fromkeys(names(data), "5432")
        workflows[path.name] = fill(data, known, known)
    return workflows


def _verdicts(environment: Path, data: list[dict[str, Any]]) -> list[str | None]:
    """What the real parser says of each, in one process; None: it takes it."""
    done = subprocess.run(
        [environment / "bin" / "python", JUDGE],
        input=json.dumps([["workflow", one] for one in data]),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    verdicts: list[str | None] = json.loads(done.stdout)
    return verdicts


def _faults(shapes: Shapes, data: dict[str, Any]) -> tuple[Document, list[Fault]]:
    document = parse(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "w.yaml")
    return document, list(shapes.faults("workflow", document.root))


def test_every_example_of_the_package_is_taken(shapes: Shapes, examples: dict[str, dict[str, Any]]) -> None:
    """They are what people start from."""
    assert len(examples) > 100
    assert {name: faults[0].what for name, data in examples.items() if (faults := _faults(shapes, data)[1])} == {}


@pytest.mark.parametrize(
    "project", [ROOT, *sorted(ROOT.glob("tests/golden/*/project"))], ids=lambda path: path.parent.name
)
def test_projects_of_this_repository_are_taken(shapes: Shapes, project: Path) -> None:
    """The sample and the golden cases are what others copy from."""
    assert load(project, shapes=lambda _: shapes).notes == ()


def test_single_mistakes_are_judged_as_by_the_real_parser(
    environment: Path, shapes: Shapes, examples: dict[str, dict[str, Any]]
) -> None:
    """All that it refuses is refused, with a place and a fix; nothing that it takes is."""
    chance, files = random.Random(SEED), sorted(examples)
    mistakes = [mistake(examples[chance.choice(files)], chance) for _ in range(MISTAKES)]
    verdicts = _verdicts(environment, [data for data, _, _ in mistakes])
    counted: Counter[tuple[str, bool]] = Counter()
    for (data, kind, path), verdict in zip(mistakes, verdicts, strict=True):
        document, faults = _faults(shapes, data)
        assert bool(faults) is (verdict is not None), f"{kind} at {path}: {verdict}\n{document.text}"
        assert all(fault.fix and 0 <= fault.node.line < document.text.count("\n") for fault in faults)
        counted[kind, bool(faults)] += 1

    assert sum(count for (_, refused), count in counted.items() if refused) > 69
    assert all(counted[kind, True] for kind in ("value", "misspelt", "missing", "extra", "wrap")), counted


def test_fix_of_a_misspelt_key_mends_the_file(
    environment: Path, shapes: Shapes, examples: dict[str, dict[str, Any]]
) -> None:
    """Where the error asks `did you mean`, the real parser takes what it names."""
    chance, files = random.Random(SEED + 1), sorted(examples)
    mended, asked = [], 0
    while asked < 60:
        data, kind, _ = mistake(examples[chance.choice(files)], chance)
        document, faults = _faults(shapes, data)
        if kind != "misspelt" or not faults:
            continue
        asked += 1
        if len(faults) == 1 and faults[0].fix.startswith("did you mean '"):
            mended.append(_mended(document, faults[0]))
    verdicts = _verdicts(environment, mended)

    assert len(mended) > 0.9 * asked
    assert [verdict for verdict in verdicts if verdict] == []


def _mended(document: Document, fault: Fault) -> dict[str, Any]:
    lines = document.text.splitlines()
    node: Node = fault.node
    line = lines[node.line]
    wrong = document.text[node.start : node.end]
    right = fault.fix.split("'")[1]
    lines[node.line] = line[: node.column] + line[node.column :].replace(wrong, right, 1)
    data: dict[str, Any] = yaml.safe_load("\n".join(lines))
    return data


def test_export_understands_the_whole_package(shapes: Shapes) -> None:
    """Nothing of its classes is passed over; and each type of a source's config is in the table of workflow types."""
    lock = shape_file.lock_of(VERSION)
    assert lock is not None
    data = json.loads(shape_file.path_of(lock).read_text())

    assert data["unread"] == []
    assert data["package"].startswith(VERSION)
    config = next(one for one in data["shapes"] if one.get("name") == "SourceConfig")["fields"]["config"][0]
    types = set()
    union = data["shapes"][data["shapes"][config]["of"]]
    for index in union["of"]:
        field = data["shapes"][data["shapes"][index]["fields"]["type"][0]]
        types |= set(field["values"] if field["kind"] == "enum" else data["shapes"][field["of"]]["values"])
    # The server itself runs reverse ingestion; the other two came with 1.13 and 2.0.
    assert types - {"ReverseIngestion"} == set(TYPE_OF_CONFIG) - {"McpMetadata", "PolicyAgent"}


GUESSED = """\
source:
  type: databricks
  serviceName: s
  serviceConnection: {config: {catalog: c, hostPort: "h:443", authType: {token: "${PASSWORD}"}}}
  sourceConfig: {config: {type: DatabaseMetadata}}
sink: {type: metadata-rest, config: {}}
"""
NO_DRIVER = """\
source: {type: snowflake, serviceName: t, sourceConfig: {config: {type: DatabaseMetadata}}}
sink: {type: metadata-rest, config: {}}
"""


def test_deep_check_asks_the_package_itself(environment: Path, tmp_path: Path) -> None:
    """What it guesses of a connection without a type, and a driver that is not here, come with their places."""
    second = "config: warehouse.yaml}\n      - {name: two, openmetadata: {type: metadata, config: two.yaml}}\n"
    files = {"warehouse.yaml": GUESSED, "two.yaml": NO_DRIVER}
    project = load(write(tmp_path, ("config: warehouse.yaml}\n", second), files=files))
    found = dict.fromkeys(
        (one.where.removeprefix(f"{tmp_path}/"), one.what, one.is_error)
        for one in deep.check(project, ["dev", "prod"], print)
    )

    assert list(found) == [
        (
            "warehouse.yaml:4:31",
            "the connection is taken for one of type UnityCatalog, which a source of type databricks does not take "
            "(OpenMetadata 1.12.14.2 itself)",
            True,
        ),
        (
            "two.yaml:1:16",
            "its class cannot be imported: ModuleNotFoundError: No module named 'snowflake' "
            "(OpenMetadata 1.12.14.2 itself)",
            False,
        ),
    ]


@pytest.fixture
def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a virtual environment that is there; returns its Python, which does nothing yet."""
    monkeypatch.setenv("PENSTOCK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(environments, "installed", lambda *_: tmp_path / "environment")
    python = tmp_path / "environment" / "bin" / "python"
    python.parent.mkdir(parents=True)
    return python


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_environment_that_is_there_is_asked_once(pretended: Path) -> None:
    """The first command exports the shapes and says so; the next one reads them."""
    _program(pretended, 'echo \'{"package": "1.12.14.2", "roots": {}, "shapes": []}\' > "$3"')
    said: list[str] = []
    found = [openmetadata_shapes.known(VERSION, said.append) for _ in range(2)]

    assert [isinstance(one, Shapes) for one in found] == [True, True]
    assert len(said) == 1


def test_package_that_cannot_be_read_stops_nobody(pretended: Path) -> None:
    """A broken environment leaves shapes unchecked, with the reason and a way out."""
    _program(pretended, "echo no module named metadata >&2; exit 1")
    known_shapes = openmetadata_shapes.known(VERSION, print)

    assert isinstance(known_shapes, shape_file.Unknown)
    assert "no module named metadata" in known_shapes.why
    assert "validate --install" in known_shapes.fix
