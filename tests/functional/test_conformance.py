"""Every workflow file of other people is accepted, or refused for a stated reason: tables that say so, file by file.

The files are the examples that four versions of OpenMetadata's package carry, and real ones from public repositories.
These, and the verdicts of the packages' own parsers, lie beside the repository; without them the tests are skipped.
CONFORMANCE=write in the environment writes the tables again: read what changed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from penstock.project.document.document import parse
from penstock.project.load import load
from penstock.project.openmetadata import workflow
from penstock.project.openmetadata.content import check, source
from penstock.project.openmetadata.shapes.shapes import Shapes
from penstock_runtime.errors import InputError, InputErrors
from penstock_runtime.fill import names
from tests.functional.openmetadata_packages import LOCKS, Package, package
from tests.functional.servers import ROOT

CORPORA = ROOT.parent / "shared" / "corpora"
EXAMPLES, WILD = CORPORA / "openmetadata", CORPORA / "openmetadata-wild"
VERSIONS = ("1.6.13.2", "1.9.17.6", "1.12.14.2", "2.0.6.0")
PLAIN_TEXT = re.compile(r"is a secret in plain text|holds an address with a password")
pytestmark = pytest.mark.skipif(
    not (EXAMPLES / "verdicts.json").exists(),
    reason="the corpora of OpenMetadata workflows are not beside the repository",
)
PROJECT = """\
name: acme
environments: {{dev: {{region: eu-west-1}}}}
network: {{create: {{}}}}
airflow: {{create: {{version: 3.0.6, class: mw1.small}}}}
openmetadata: {{server: "https://catalog.acme.io/api", version: {server}, auth: {{jwt_token: "${{OM_JWT}}"}}}}
secrets: {secrets}
jobs: {{one: {{tasks: [{{name: one, openmetadata: {{type: {kind}, config: w.yaml}}}}]}}}}
"""


@pytest.fixture(scope="module", params=VERSIONS)
def installed(request: pytest.FixtureRequest) -> Package:
    """One version of the package."""
    return package(request.param)


class Judged(NamedTuple):
    """What `validate` says of a file, as one of its workflow type."""

    kind: str
    secrets: int
    """In plain text."""
    reasons: list[str]
    """All else that is wrong, each with line and column."""
    warnings: list[str]


def _judged(folder: Path, file: Path, version: str, shapes: Shapes) -> Judged:
    text = file.read_text()
    read = workflow.read(parse(text, "w.yaml"))
    kind = source.workflow_type_of(read) or "metadata"
    folder.mkdir(exist_ok=True)
    secrets = dict.fromkeys(("OM_JWT", *names(read.data)), "secretsmanager:s")
    server = ".".join(version.split(".")[:3])
    (folder / "penstock.yaml").write_text(PROJECT.format(server=server, kind=kind, secrets=json.dumps(secrets)))
    (folder / "w.yaml").write_text(text)
    try:
        load(folder, shapes=lambda _: shapes)
    except InputError as error:
        found = error.errors if isinstance(error, InputErrors) else [error]
    else:
        found = []
    reasons = [f"{one.where.rpartition('w.yaml:')[2]} {one.what}" for one in found if not PLAIN_TEXT.search(one.what)]
    warned = [
        f"{one.where.rpartition('w.yaml:')[2]} {one.what}"
        for one in check.check(read, kind, None, {})
        if not one.is_error
    ]
    return Judged(
        kind, len(found) - len(reasons), [reason.replace(f"{folder}/w.yaml", "the file") for reason in reasons], warned
    )


def _row(name: str, judged: Judged) -> str:
    kind, plain, reasons, warned = judged
    more = [f"warning: {one}" for one in warned]
    more += [f"secrets in plain text, each an error until it is a ${{NAME}} or marked: {plain}"] if plain else []
    return "\n".join(
        [f"{'refused' if reasons else 'accepted'}  {name}  {kind}", *(f"    {one}" for one in reasons + more)]
    )


def _compare(table: Path, rows: Iterable[str]) -> None:
    text = "\n".join(rows) + "\n"
    if os.environ.get("CONFORMANCE") == "write":
        table.write_text(text)
    assert text == table.read_text()


def test_examples_of_the_package(installed: Package, tmp_path: Path) -> None:
    """What the parser refuses is refused. What else is refused has its reason in the table; the rest is accepted."""
    verdicts = json.loads((EXAMPLES / "verdicts.json").read_text())[installed.version]
    shapes = installed.shapes
    judged = {file.name: _judged(tmp_path, file, installed.version, shapes) for file in installed.examples}

    assert len(judged) > 100
    assert verdicts.keys() <= judged.keys()
    assert [name for name, verdict in verdicts.items() if not verdict["parser"] and not judged[name].reasons] == []
    _compare(LOCKS / f"examples-{installed.version}.txt", (_row(name, judged[name]) for name in sorted(judged)))


def test_real_files_of_other_people(tmp_path: Path) -> None:
    """Each against four versions."""
    verdicts = json.loads((WILD / "verdicts.json").read_text())
    rows = []
    for file in sorted(WILD.glob("*.yaml")):
        for version in VERSIONS:
            judged = _judged(tmp_path, file, version, package(version).shapes)
            refused = not verdicts[file.name][version]["parser"]
            assert not refused or judged.reasons, f"{file.name}: the parser of {version} refuses it"
            rows.append(_row(f"{file.name} for {version}", judged))

    assert len(rows) == len(VERSIONS) * len(verdicts)
    _compare(LOCKS / "wild.txt", rows)
