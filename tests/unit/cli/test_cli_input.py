"""Wrong input at the command line: an exit code, what, and a fix; never a traceback."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from penstock.cli import main
from tests.unit.project_files import MELTANO, PROJECT, write


def _run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """`penstock …` in this process: exit code and what it says on stderr."""
    monkeypatch.setattr(sys, "argv", ["penstock", *map(str, arguments)])
    previous = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            main.run()
    finally:
        signal.signal(signal.SIGTERM, previous)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    code = ended.value.code
    return code if isinstance(code, int) else 0, said


COMMANDS = [
    ["validate"],
    ["plan"],
    ["plan", "--format", "json"],
    ["deploy-policy", "--output", "out"],
    ["dags", "build", "--output", "out"],
    ["schedule", "list"],
    ["run", "warehouse"],
    ["run", "warehouse", "--up"],
    ["up"],
    ["status"],
    ["logs"],
    ["catalogue", "list"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command_reports_a_wrong_project_and_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Two lines: place and what, then the fix. No folder is made."""
    write(tmp_path, ("cpu_units: 512", "cpu: 512"))
    monkeypatch.chdir(tmp_path)
    code, said = _run(monkeypatch, capsys, *command)

    assert code == 2
    assert "error: penstock.yaml:17:10: unknown key 'cpu' of defaults.task\n  fix: did you mean 'cpu_units'?" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["meltano", "penstock.yaml", "warehouse.yaml"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--environment", "prd", "validate"], "there is no environment 'prd'\n  fix: did you mean 'prod'?"),
        (["--environment", "prd", "plan"], "there is no environment 'prd'"),
        (["--environment", "prd", "up"], "there is no environment 'prd'"),
        (["--environment", "prd", "status"], "there is no environment 'prd'"),
        (["--environment", "../../x", "down"], "'../../x' is not the name of an environment"),
        (["--environment", "", "down"], "'' is not the name of an environment"),
        (["--project", "nowhere.yaml", "validate"], "nowhere.yaml does not exist"),
        (["--project", "meltano", "validate"], "meltano/penstock.yaml does not exist"),
        (["--project", "x" * 300, "validate"], "File name too long"),
        (["--project", "x" * 300, "status"], "File name too long"),
        (["--project", "warehouse.yaml/x", "validate"], "does not exist"),
        (["--project", "loop", "validate"], "Too many levels of symbolic links"),
        (["--project", "loop", "status"], "Too many levels of symbolic links"),
        (["--project", "/dev/zero", "validate"], "is not a regular file"),
        (["--project", "a\x1b[31m\n.yaml", "validate"], r"a\x1b[31m\n.yaml does not exist"),
        (["plan", "--format", "xml"], "'xml' is not one of"),
        (["run", "nothing"], "nothing is up here"),
        (["run", "nothing", "--up"], "no schedule runs a job 'nothing'"),
        (["up", "--airflow", "three"], "Airflow version 'three' must have three parts"),
        (["dags", "build", "--output", "warehouse.yaml"], "is there and not empty"),
        (["dags", "build", "--output", "warehouse.yaml/out"], "cannot write to warehouse.yaml/out: Not a directory"),
        (["dags", "build", "--output", "meltano"], "is there and not empty"),
        (["dags", "build", "--output", "loop"], "is there and not empty"),
        (["dags", "build", "--output", "x" * 300], "File name too long"),
        (["dags", "build", "--output", "/proc/out"], "cannot write to /proc/out"),
        (["dags", "bild"], "No such command"),
        (["schedule", "list", "--what"], "No such option"),
    ],
)
def test_wrong_command_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    what: str,
) -> None:
    """Says what is wrong, ends with 2 and leaves the folder as it was."""
    write(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    code, said = _run(monkeypatch, capsys, *arguments)

    assert code == 2
    assert what in said
    assert "fix: " in said or "Usage: " in said
    assert sorted(tmp_path.iterdir()) == before


def test_state_of_a_project_named_by_its_folder_is_in_that_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--project folder` and `--project folder/penstock.yaml` are one system, not two."""
    path = write(tmp_path / "project")
    (tmp_path / "project/.penstock/dev").mkdir(parents=True)
    (tmp_path / "project/.penstock/dev/instance.json").write_text("{}")
    for given in (path, path.parent):
        code, said = _run(monkeypatch, capsys, "--project", given, "status")
        assert (code, "instance.json cannot be read" in said) == (1, True)


def test_folder_of_the_state_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where the folder should be."""
    path = write(tmp_path)
    (tmp_path / ".penstock").touch()
    for command in (["up"], ["run", "warehouse", "--up"], ["down"], ["status"]):
        code, said = _run(monkeypatch, capsys, "--project", path, *command)
        assert code in (1, 2)
        assert ".penstock" in said or "nothing is up" in said
        assert "fix: " in said


def test_warning_cannot_write_to_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor can a folder's name in it."""
    folder = tmp_path / "a\x1b[31mb"
    write(folder, files={"penstock.yaml": PROJECT.replace("version: 3.0.6", "version: 9.9.9")})
    monkeypatch.chdir(tmp_path)
    code, said = _run(monkeypatch, capsys, "--project", folder, "validate")

    assert code == 0
    assert "Airflow 9.9.9 is not in the table" in said
    assert "\x1b" not in said


def test_broken_include_is_named_by_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that only `meltano.yml` names has its own lines."""
    more = {"meltano/meltano.yml": f"{MELTANO}include_paths: [more.yml]\n", "meltano/more.yml": "a: 1\n\tb: 2\n"}
    path = write(tmp_path, files=more)
    code, said = _run(monkeypatch, capsys, "--project", path, "validate")

    assert code == 2
    assert f"{tmp_path}/meltano/more.yml:2:" in said
    assert "indent with spaces" in said
