"""The OpenMetadata engine, as far as it goes without OpenMetadata's package."""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from penstock_runtime import contract
from penstock_runtime.container.engines import Counts, Report, openmetadata
from penstock_runtime.container.engines.results import Results
from penstock_runtime.container.environment import Run
from penstock_runtime.contract import Exit
from penstock_runtime.errors import RunError

RUN = {
    "project": "acme", "environment": "dev", "schedule": "daily", "job": "warehouse", "task": "catalogue",
    "dag_run": "scheduled__2026-01-01", "try": 1,
}  # fmt: skip


def environ(folder: Path, text: str, **more: str) -> dict[str, str]:
    path = folder / "config with space.yaml"
    path.write_text(text)
    return {
        contract.ENGINE: "openmetadata",
        contract.WORKFLOW_TYPE: "metadata",
        contract.CONFIG_URI: path.as_uri(),
        contract.CONFIG_SHA256: hashlib.sha256(text.encode()).hexdigest(),
        contract.NAMES: '["HOST"]',
        contract.RUN: json.dumps(RUN),
        "HOST": "db",
        **more,
    }


def test_fills_the_config(tmp_path: Path) -> None:
    """Fetched by URI, checked, parsed, then filled: a value cannot change the structure."""
    given = environ(tmp_path, "source: {host: '${HOST}'}\n", HOST="x}, sink: {")

    assert openmetadata.config(given) == {"source": {"host": "x}, sink: {"}}


def test_gives_each_try_its_own_run_id(tmp_path: Path) -> None:
    """With a pipeline to report to, a run gets a UUID: the same for the same try, another for the next."""
    given = environ(tmp_path, "ingestionPipelineFQN: warehouse.metadata\n")

    first, again = openmetadata.config(given)["pipelineRunId"], openmetadata.config(given)["pipelineRunId"]
    second = openmetadata.config(given | {contract.RUN: json.dumps(RUN | {"try": 2})})["pipelineRunId"]

    assert first == again == str(uuid.UUID(first))
    assert second != first
    assert first == str(openmetadata.run_id(Run.read(given)))


def test_what_the_file_says_wins(tmp_path: Path) -> None:
    """A run id in the file stays; without a pipeline there is none."""
    fixed = environ(tmp_path, "{ingestionPipelineFQN: a.b, pipelineRunId: 0b8e}\n")
    assert openmetadata.config(fixed)["pipelineRunId"] == "0b8e"
    assert "pipelineRunId" not in openmetadata.config(environ(tmp_path, "source: {}\n"))


@pytest.mark.parametrize(
    ("text", "change", "code", "says"),
    [
        ("a: 1\n", {contract.CONFIG_SHA256: "0" * 64}, Exit.ARTIFACT, "its SHA-256 is"),
        ("a: 1\n", {contract.CONFIG_URI: "file:///no/such/file"}, Exit.ARTIFACT, "No such file"),
        ("a: 1\n", {contract.CONFIG_URI: "http://x/y"}, Exit.ARTIFACT, "neither s3:// nor file://"),
        ("a: [1\n", {}, Exit.WRONG_INPUT, "is not YAML"),
        ("- 1\n", {}, Exit.WRONG_INPUT, "is not a YAML mapping"),
        ("a: ${OTHER}\n", {}, Exit.WRONG_INPUT, "OTHER"),
        ("ingestionPipelineFQN: a.b\n", {contract.RUN: "{}"}, Exit.WRONG_INPUT, "PENSTOCK_RUN"),
    ],
)
def test_refuses_a_wrong_config(tmp_path: Path, text: str, change: dict[str, str], code: Exit, says: str) -> None:
    """Each has its documented exit code and says what is wrong."""
    with pytest.raises(RunError) as caught:
        openmetadata.config(environ(tmp_path, text, **change))

    assert caught.value.exit_code == code
    assert says in caught.value.what


def test_the_stock_contract_takes_the_config_literally() -> None:
    """As upstream's main.py does: no filling, its own run id, none of Penstock's variables."""
    given = {"config": "source: {host: '${HOST}'}", "pipelineType": "profiler", "pipelineRunId": "abc"}

    assert openmetadata.stock(given)
    assert openmetadata.config(given) == {"source": {"host": "${HOST}"}, "pipelineRunId": "abc"}
    assert "profiler" in openmetadata.launch(given).title
    assert not openmetadata.stock(given | {contract.ENGINE: "openmetadata"})


def test_the_child_finds_the_package(tmp_path: Path) -> None:
    """The process runs the same package as its parent, also from the archive; the caller's PYTHONPATH stays."""
    launch = openmetadata.launch(environ(tmp_path, "a: 1\n", PYTHONPATH="/theirs"))

    assert launch.command == (sys.executable, "-m", "penstock_runtime.container.engines.openmetadata")
    first, second = launch.environment["PYTHONPATH"].split(":")
    assert (Path(first) / "penstock_runtime" / "package.py").exists()
    assert second == "/theirs"


def test_refuses_an_unknown_workflow_type(tmp_path: Path) -> None:
    """The error names what there is."""
    with pytest.raises(RunError, match="unknown workflow type 'metdata'") as caught:
        openmetadata.launch(environ(tmp_path, "a: 1\n", **{contract.WORKFLOW_TYPE: "metdata"}))

    assert "autoClassification" in caught.value.fix


def test_refuses_a_workflow_type_without_a_class(tmp_path: Path) -> None:
    """dataInsight is in the documentation and in no package of today: the error says what does its work."""
    with pytest.raises(RunError, match="has nothing that runs workflow type dataInsight") as caught:
        openmetadata.launch(environ(tmp_path, "a: 1\n", **{contract.WORKFLOW_TYPE: "dataInsight"}))

    assert caught.value.exit_code == Exit.WRONG_INPUT
    assert "Data Insights" in caught.value.fix


def test_a_report_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process may be killed while it writes: the container then finds none, not half of one."""
    step = SimpleNamespace(failures=["x"], warnings=[], records=["a", "b"])
    workflow = SimpleNamespace(source=None, workflow_steps=lambda: [SimpleNamespace(get_status=lambda: step)])
    seen = Results("TestSuite", tests={"a.b": "Success", "a.c": "Failed"})
    report, write_text = tmp_path / "report.json", Path.write_text
    monkeypatch.setenv(contract.REPORT, str(report))

    def killed(path: Path, text: str) -> int:
        write_text(path, text[:9])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            openmetadata._report(workflow, seen)
    assert not report.exists()

    openmetadata._report(workflow, seen)
    assert Report.from_json(report.read_text()).counts == Counts(records=2, failures=1, warnings=1)
