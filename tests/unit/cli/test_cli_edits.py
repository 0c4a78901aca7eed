"""`penstock job` and `penstock schedule`: Meltano's commands, on `meltano.yml` and on `penstock.yaml`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from penstock.cli.main import app
from penstock_runtime.errors import InputError
from tests.unit.project_files import MELTANO, write

MORE = """\
  extractors:
    - name: tap-gitlab   # the public one
    - name: tap-a
  utilities: [{name: dbt-postgres}]
"""
ORCHESTRATE = (
    "job add gitlab-to-postgres --tasks 'tap-gitlab target-b'",
    """job add gitlab-to-postgres-with-dbt --tasks '["tap-gitlab target-b", "dbt-postgres:run"]'""",
    "schedule add daily-gitlab-load --job gitlab-to-postgres --interval @daily",
    "schedule add gitlab-elt --extractor tap-gitlab --loader target-b --transform run --interval '0 6 * * *'",
    "schedule set daily-gitlab-load --interval @hourly",
    """job set gitlab-to-postgres --tasks '[["tap-gitlab target-b"], "dbt-postgres:test"]'""",
)
AFTER = (
    MELTANO
    + MORE
    + """\
jobs:
  - name: gitlab-to-postgres
    tasks:
      - [tap-gitlab target-b]
      - dbt-postgres:test
  - name: gitlab-to-postgres-with-dbt
    tasks:
      - tap-gitlab target-b
      - dbt-postgres:run
schedules:
  - name: daily-gitlab-load
    job: gitlab-to-postgres
    interval: "@hourly"
  - name: gitlab-elt
    extractor: tap-gitlab
    loader: target-b
    transform: run
    interval: "0 6 * * *"
"""
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a Meltano project, as the current folder."""
    write(tmp_path)
    (tmp_path / "meltano/meltano.yml").write_text(MELTANO + MORE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _penstock(line: str) -> str:
    """What a command prints on stdout."""
    result = CliRunner().invoke(app, shlex.split(line))
    if result.exception is not None:
        raise result.exception
    return result.stdout


def _error(line: str) -> InputError:
    with pytest.raises(InputError) as raised:
        _penstock(line)
    return raised.value


def test_what_meltano_users_type_ends_up_in_meltano_yml(folder: Path) -> None:
    said = [_penstock(line).strip() for line in ORCHESTRATE]
    assert (folder / "meltano/meltano.yml").read_text() == AFTER
    assert said == [
        "Added job gitlab-to-postgres: ['tap-gitlab target-b']",
        "Added job gitlab-to-postgres-with-dbt: ['tap-gitlab target-b', 'dbt-postgres:run']",
        "Scheduled job 'daily-gitlab-load' at @daily",
        "Scheduled elt 'gitlab-elt' at 0 6 * * *",
        "Updated schedule 'daily-gitlab-load'",
        "Updated job gitlab-to-postgres: [['tap-gitlab target-b'], 'dbt-postgres:test']",
    ]


def test_the_lists_are_meltanos(folder: Path) -> None:
    (folder / "meltano/meltano.yml").write_text(AFTER)
    listed: dict[str, Any] = json.loads(_penstock("schedule list --format=json"))["schedules"]
    assert listed["job"] == [
        {
            "name": "daily-gitlab-load",
            "interval": "@hourly",
            "cron_interval": "0 * * * *",
            "env": {},
            "job": {"name": "gitlab-to-postgres", "tasks": [["tap-gitlab target-b"], "dbt-postgres:test"]},
        }
    ]
    assert [schedule["elt_args"] for schedule in listed["elt"]] == [
        ["tap-gitlab", "target-b", "--transform=run", "--state-id=gitlab-elt"]
    ]
    assert [row["schedule"] for row in listed["penstock"]] == ["daily"]
    assert json.loads(_penstock("job list --format=json")) == {
        "jobs": [
            {"job_name": "gitlab-to-postgres", "tasks": [["tap-gitlab target-b"], "dbt-postgres:test"]},
            {"job_name": "gitlab-to-postgres-with-dbt", "tasks": ["tap-gitlab target-b", "dbt-postgres:run"]},
        ],
        "penstock": [{"job_name": "warehouse", "tasks": ["load", "catalogue"]}],
    }
    assert _penstock("job list gitlab-to-postgres-with-dbt") == (
        "gitlab-to-postgres-with-dbt: ['tap-gitlab target-b', 'dbt-postgres:run']\n"
    )


def test_removing_leaves_the_file_as_it_was(folder: Path) -> None:
    for line in ORCHESTRATE:
        _penstock(line)
    for name in ("daily-gitlab-load", "gitlab-elt"):
        assert _penstock(f"schedule remove {name}") == f"Removed schedule '{name}'.\n"
    for name in ("gitlab-to-postgres", "gitlab-to-postgres-with-dbt"):
        assert _penstock(f"job remove {name}") == f"Removed job '{name}'.\n"
    assert (folder / "meltano/meltano.yml").read_text() == f"{MELTANO}{MORE}jobs: []\nschedules: []\n"


def test_what_meltano_cannot_have_goes_into_penstock_yaml(folder: Path) -> None:
    """Workflows and commands, and schedules with a time zone or every so many minutes."""
    before = (folder / "penstock.yaml").read_text()
    _penstock("job add nightly --tasks 'tap-a target-b'")
    _penstock("job add catalogue --workflow metadata=warehouse.yaml --workflow lineage=warehouse.yaml --command 'sh x'")
    _penstock("schedule add one --job nightly --interval 'every 90 minutes'")
    _penstock("schedule add two --job nightly --interval @daily --timezone Europe/Berlin")
    _penstock("schedule add three --job catalogue --interval @daily")
    _penstock("schedule set three --timezone Asia/Tokyo --interval @weekly")
    _penstock("schedule remove one")

    text = (folder / "penstock.yaml").read_text()
    assert text.startswith(before[: before.index("schedules:")])
    assert text[len(before[: before.index("schedules:")]) :] == (
        "  catalogue:\n"
        "    tasks:\n"
        "      - name: warehouse\n"
        "        openmetadata:\n"
        "          type: metadata\n"
        "          config: warehouse.yaml\n"
        "      - name: warehouse-2\n"
        "        openmetadata:\n"
        "          type: lineage\n"
        "          config: warehouse.yaml\n"
        "      - name: sh\n"
        "        command: sh x\n"
        + before[before.index("schedules:") :]
        + '  - name: two\n    job: nightly\n    interval: "@daily"\n    timezone: Europe/Berlin\n'
        + '  - name: three\n    job: catalogue\n    interval: "@weekly"\n    timezone: Asia/Tokyo\n'
    )
    assert '"three"' in _penstock("schedule list --format=json")


MISTAKES = {
    "schedule add x --job nothing --interval @daily": "there is no job 'nothing'",
    "schedule add x --job warehouse --interval @fortnightly": "unknown preset '@fortnightly'",
    "schedule add daily --job warehouse --interval @daily": "there is a schedule 'daily' already",
    "schedule add x --extractor tap-x --loader target-b --interval @daily": "there is no extractor 'tap-x'",
    "schedule add x --extractor tap-a --loader target-x --interval @daily": "there is no loader 'target-x'",
    "schedule add x --extractor tap-a --loader target-b --transform all --interval @daily": "is not a transform",
    "schedule add x --extractor tap-a --interval @daily": "--loader is missing",
    "schedule add x --job warehouse --loader target-b --interval @daily": "--job cannot be mixed",
    "schedule set nothing --interval @daily": "there is no schedule 'nothing'",
    "schedule set daily": "nothing to change",
    "schedule set daily --extractor tap-a": "runs a job, so it has no extractor",
    "schedule remove dayly": "there is no schedule 'dayly'",
    "job add warehouse --tasks 'tap-a target-b'": "there is a job 'warehouse' already",
    "job add warehouse --command ls": "there is a job 'warehouse' already",
    "job add x": "name what the job runs",
    "job add x --tasks '{a: b}'": "is not a list of tasks",
    "job add x --tasks '[a, 1]'": "is not a list of tasks",
    "job add x --tasks ''": "--tasks is empty",
    """job add x --tasks "tap 'a" """: "task 1 cannot be split into arguments",
    "job add x --workflow warehouse.yaml": "is not a workflow's type and file",
    "job add '-x' --command ls": "No such option",
    "job add 'a b' --command ls": "'a b' cannot be a name",
    "job remove warehouse": "schedule 'daily' runs job 'warehouse'",
    "job remove nothing": "there is no job 'nothing'",
    "job set warehouse --tasks a": "stands in penstock.yaml",
    "job list nothing": "there is no job 'nothing'",
}


@pytest.mark.parametrize(("line", "what"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_changes_nothing(folder: Path, line: str, what: str) -> None:
    files = [folder / "penstock.yaml", folder / "meltano/meltano.yml"]
    before = [path.read_text() for path in files]
    if what == "No such option":
        assert CliRunner().invoke(app, shlex.split(line)).exit_code == 2
    else:
        error = _error(line)
        assert what in error.what
        assert error.fix
    assert [path.read_text() for path in files] == before


def test_a_job_that_schedules_run_stays(folder: Path) -> None:
    _penstock("job add nightly --tasks 'tap-a target-b'")
    _penstock("schedule add one --job nightly --interval @daily")
    assert _error("job remove nightly").fix == "remove it first: penstock schedule remove one"
    _penstock("schedule remove one")
    _penstock("schedule add two --job nightly --interval 'every 2 hours'")
    assert _error("job remove nightly").fix == "remove it first: penstock schedule remove two"


def test_a_project_that_is_wrong_can_be_edited(folder: Path) -> None:
    """The edit may be what mends it."""
    (folder / "meltano/meltano.yml").write_text(AFTER.replace("job: gitlab-to-postgres\n", "job: gone\n"))
    assert _error("schedule list --format=json").what.startswith("schedule 'daily-gitlab-load' names job 'gone'")
    _penstock("schedule remove daily-gitlab-load")
    _penstock("schedule list --format=json")
