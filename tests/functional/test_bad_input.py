"""A wrong project through the real commands, each a process of its own: place, fix, exit code, nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.project_files import WORKFLOW, write

ROOT = Path(__file__).resolve().parents[2]
PENSTOCK = [str(Path(sys.executable).parent / "penstock"), "--project", "penstock.yaml"]
HANG_SECONDS = 120

COMMANDS = {
    "validate": [*PENSTOCK, "validate"],
    "plan": [*PENSTOCK, "plan", "--format", "json"],
    "dags build": [*PENSTOCK, "dags", "build"],
    "schedule list": [*PENSTOCK, "schedule", "list"],
    "run": [*PENSTOCK, "run", "warehouse", "--up"],
    "up": [*PENSTOCK, "up"],
    "app.py": [sys.executable, str(ROOT / "app.py")],
}


def _run(command: list[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_each_command_names_every_mistake_and_changes_nothing(tmp_path: Path, command: list[str]) -> None:
    """A mistake in the project file and one in a workflow file come together."""
    files = {"warehouse.yaml": WORKFLOW.replace("${HOST}", "${HOTS}")}
    write(tmp_path, ("job: warehouse", "job: warehous"), files=files)
    ended = _run(command, tmp_path)

    assert ended.returncode == 2, ended.stderr
    assert "penstock.yaml:26:10: schedule 'daily' names job 'warehous'" in ended.stderr
    assert "fix: did you mean 'warehouse'?" in ended.stderr
    assert "warehouse.yaml:5:40: ${HOTS} is neither a secret nor a variable" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["meltano", "penstock.yaml", "warehouse.yaml"]


@pytest.mark.parametrize(
    ("context", "what"),
    [
        ("project=nowhere.yaml", "nowhere.yaml does not exist"),
        ("environment=prd", "there is no environment 'prd'"),
        ("airflow=three", "must have three parts"),
        ("variables=[1]", "the context 'variables' is not a JSON object of strings"),
    ],
)
def test_cdk_synth_says_what_is_wrong_with_its_context(tmp_path: Path, context: str, what: str) -> None:
    """The CDK CLI shows our words, and fails."""
    command = [
        str(ROOT / "node_modules/.bin/cdk"),
        "synth",
        "--quiet",
        "-c",
        context,
        "--output",
        str(tmp_path / "out"),
    ]
    ended = _run([*command, "--app", f"{sys.executable} app.py"], ROOT)

    assert ended.returncode != 0
    assert what in ended.stderr
    assert "fix: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_context_of_another_type_is_refused(tmp_path: Path) -> None:
    """cdk.json may hold `"airflow": 3.0`, which is a number."""
    write(tmp_path)
    ended = _run(COMMANDS["app.py"], tmp_path, CDK_CONTEXT_JSON='{"airflow": 3.0}')

    assert ended.returncode == 2
    assert "the context 'airflow' is not text" in ended.stderr
