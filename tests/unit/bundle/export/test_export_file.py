"""`penstock dags export`: what is in the file, for each operator."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.bundle.export.dag_file import pick
from penstock.bundle.export.target import NEWEST, OLDEST, Operator, release_line
from penstock.compile.compiler import compile_plan
from penstock_runtime import contract
from penstock_runtime.errors import InputError
from tests.unit.bundle.export.exported_files import RESOURCES, exported, imported
from tests.unit.project_files import loaded

GOLDEN = Path(__file__).with_name("exported_virtualenv.txt")
TASKS = "      - {name: load, meltano: tap-a target-b}\n"
LATER = f"{TASKS}      - name: catalogue\n"
MANY = (
    "    timezone: Europe/Berlin\n",
    "    timezone: Europe/Berlin\n    retry_delay_seconds: 90\n    email: [a@b.example]\n"
    "  - {name: often, job: warehouse, interval: every 90 minutes, catchup: true}\n"
    "  - {name: by-hand, job: warehouse, interval: '@manual', paused: true}\n",
)
GRAPH = (
    LATER,
    "      - {name: load, meltano: tap-a target-b, env: {JINJA: '{{ x }} {% y'}, ephemeral_storage_gib: 50}\n"
    "      - {name: 2-look, command: [sh, -c, 'echo {{ x }}; run.sh'], after: [], image: busybox, spot: true}\n"
    "      - name: catalogue\n        after: [load, 2-look]\n",
)
EVERY = [(operator, line) for operator in Operator for line in ((2, 9), (2, 11), (3, 0), (3, 3))]


def test_the_file_is_as_agreed(tmp_path: Path) -> None:
    """The whole text of one, read by a person: `docs/operators.md` says how it is meant to read."""
    made = exported(tmp_path, Operator.virtualenv)

    assert made.text == GOLDEN.read_text()


@pytest.mark.parametrize(("operator", "line"), EVERY, ids=str)
def test_a_formatter_and_a_linter_have_nothing_to_say(
    tmp_path: Path, operator: Operator, line: tuple[int, int]
) -> None:
    """Black's layout (ruff's is the same), imports in order, no name that is not used or not defined."""
    file = tmp_path / "exported_dag.py"
    file.write_text(exported(tmp_path, operator, GRAPH, MANY, airflow=line, name="often").text)
    ruff = [str(Path(sys.executable).with_name("ruff"))]

    for command in (
        [*ruff, "format", "--isolated", "--line-length", "88", "--diff", str(file)],
        [*ruff, "check", "--isolated", "--no-cache", "--select", "E,F,I,W", "--line-length", "300", str(file)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("operator", Operator)
def test_schedule_and_order_are_the_plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operator: Operator) -> None:
    """Retries, time zone, cron, owner and tags; every task once, after those that it waits for, with its limit."""
    made = imported(exported(tmp_path, operator, GRAPH, MANY).text, monkeypatch, tmp_path)

    assert made.dag["dag_id"] == "daily"
    assert made.dag["schedule"] == (("0 3 * * *",), {"timezone": "Europe/Berlin"})
    assert made.dag["start_date"] == ((2024, 1, 1), {"tz": "Europe/Berlin"})
    assert (made.dag["catchup"], made.dag["is_paused_upon_creation"], made.dag["max_active_runs"]) == (False, False, 1)
    assert made.dag["default_args"]["retry_delay"].total_seconds() == 90
    assert made.dag["default_args"]["email"] == ["a@b.example"]
    assert sorted(made.order) == [("2-look", "catalogue"), ("load", "catalogue")]
    spare = 15 if operator is Operator.ecs else 0
    limits = {name: task["execution_timeout"].total_seconds() / 60 for name, task in made.tasks.items()}
    assert limits == dict.fromkeys(("load", "2-look", "catalogue"), 60 + spare)


def test_intervals_without_cron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many minutes are a timedelta, by hand is None; neither imports a timetable."""
    often = imported(exported(tmp_path, Operator.ecs, MANY, name="often").text, monkeypatch, tmp_path)
    by_hand = imported(exported(tmp_path, Operator.ecs, MANY, name="by-hand").text, monkeypatch, tmp_path)

    assert (often.dag["schedule"].total_seconds(), often.dag["catchup"]) == (5400, True)
    assert (by_hand.dag["schedule"], by_hand.dag["is_paused_upon_creation"]) == (None, True)
    assert "CronTriggerTimetable" not in often.names


def test_each_engine_has_its_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Meltano and commands run in a shell where workflows run in Python."""
    kinds = {
        operator: set(imported(exported(tmp_path, operator).text, monkeypatch, tmp_path).kinds.items())
        for operator in Operator
    }

    assert kinds == {
        Operator.ecs: {("load", "EcsRunTaskOperator"), ("catalogue", "EcsRunTaskOperator")},
        Operator.docker: {("load", "DockerOperator"), ("catalogue", "DockerOperator")},
        Operator.python: {("load", "BashOperator"), ("catalogue", "PythonOperator")},
        Operator.virtualenv: {("load", "BashOperator"), ("catalogue", "PythonVirtualenvOperator")},
        Operator.bash: {("load", "BashOperator"), ("catalogue", "BashOperator")},
    }


def test_ecs_asks_for_what_penstocks_own_operator_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployed task definition, in the deploy's network, with the environment that the container reads."""
    made = imported(exported(tmp_path, Operator.ecs, GRAPH).text, monkeypatch, tmp_path)
    load, look = made.tasks["load"], made.tasks["2-look"]
    (container,) = load["overrides"]["containerOverrides"]
    environment = {one["name"]: one["value"] for one in container["environment"]}

    assert load["task_definition"].startswith("acme-dev-meltano-")
    assert load["network_configuration"]["awsvpcConfiguration"] == {
        "subnets": list(RESOURCES.subnets),
        "securityGroups": list(RESOURCES.security_groups),
        "assignPublicIp": "DISABLED",
    }
    assert load["overrides"]["ephemeralStorage"] == {"sizeInGiB": 50}
    assert json.loads(environment[contract.COMMAND]) == ["run", "tap-a", "target-b"]
    assert _rendered(environment["JINJA"]) == "{{ x }} {% y"
    run = environment[contract.RUN].replace("{{ ti.task_id | tojson }}", '"load"')
    run = run.replace("{{ run_id | tojson }}", '"manual"').replace("{{ ti.try_number }}", "2")
    assert json.loads(run) == {
        "project": "acme",
        "environment": "dev",
        "schedule": "daily",
        "job": "warehouse",
        "task": "load",
        "dag_run": "manual",
        "try": 2,
    }
    assert (load["launch_type"], look.get("launch_type")) == ("FARGATE", None)
    assert look["capacity_provider_strategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert [_rendered(word) for word in look["overrides"]["containerOverrides"][0]["command"]] == [
        "sh",
        "-c",
        "echo {{ x }}; run.sh",
    ]


def test_docker_has_what_the_documentation_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Socket, network and removal, with the names of today's provider; the image is that of the server's version."""
    made = imported(exported(tmp_path, Operator.docker).text, monkeypatch, tmp_path)
    catalogue = made.tasks["catalogue"]

    assert catalogue["image"] == "docker.getcollate.io/openmetadata/ingestion-base:1.12.14"
    assert catalogue["docker_url"] == "unix://var/run/docker.sock"
    assert (catalogue["network_mode"], catalogue["auto_remove"], catalogue["tty"]) == ("host", "force", True)
    assert (catalogue["cpus"], catalogue["mem_limit"]) == (0.5, "1024m")
    assert "{{" not in "".join(catalogue["command"])
    ast.parse("".join(catalogue["command"]))


def test_commands_are_not_taken_for_template_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow opens a file where a templated command ends in `.sh`."""
    command = "      - {name: look, command: ./run.sh, image: busybox}\n"
    for operator in (Operator.bash, Operator.docker):
        text = exported(tmp_path, operator, (LATER, f"{command}{LATER}")).text
        look = imported(text, monkeypatch, tmp_path).tasks["look"]
        assert (look.get("bash_command") or look["command"]) == "./run.sh "


@pytest.mark.parametrize("operator", Operator)
def test_what_is_lost_is_said_twice(tmp_path: Path, operator: Operator) -> None:
    """At the top of the file, and to whoever exports it."""
    made = exported(tmp_path, operator, GRAPH)
    top = " ".join((ast.get_docstring(ast.parse(made.text)) or "").split())

    assert len(made.notes) > 3
    assert [note for note in made.notes if " ".join(note.split()) not in top] == []


def test_losses_follow_from_the_schedule(tmp_path: Path) -> None:
    """Growing memory and Spot are named where a task has them, with the task."""
    plain = exported(tmp_path, Operator.ecs).notes
    growing = "- {name: load, memory_mib: {start: 1024, max: 4096}, spot: true, "
    notes = exported(tmp_path, Operator.ecs, ("- {name: load, ", growing)).notes

    assert {note for note in notes if note not in plain} == {
        "A retry after running out of memory has no more of it: load.",
        "After interruptions of Spot, or without capacity there, nothing falls back to on demand: load.",
    }


def test_a_variable_without_a_value_is_airflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server that the project does not name is read while the task runs, and the file says so."""
    made = exported(tmp_path, Operator.python, ("  server: https://catalog.acme.io/api\n", ""))
    catalogue = imported(made.text, monkeypatch, tmp_path).tasks["catalogue"]

    assert catalogue["op_kwargs"]["variables"]["OPENMETADATA_SERVER"] == "{{ var.value.openmetadata_server }}"
    assert "Set the Airflow variable openmetadata_server: the value of OPENMETADATA_SERVER." in made.notes


@pytest.mark.parametrize("operator", [one for one in Operator if one is not Operator.ecs])
def test_files_need_the_runtime(tmp_path: Path, operator: Operator) -> None:
    """A task whose files nothing would write is refused, with the way out."""
    with pytest.raises(InputError, match="gets files") as caught:
        exported(
            tmp_path,
            operator,
            (LATER, TASKS + "      - name: catalogue\n        files: {/tmp/x.pem: ca.pem}\n"),
            files={"ca.pem": "x"},
        )

    assert "--operator ecs" in caught.value.fix


def test_secrets_of_an_image_without_python(tmp_path: Path) -> None:
    """Nothing in it could read them."""
    command = "      - {name: look, command: ls, image: busybox, secrets: [PASSWORD]}\n"

    with pytest.raises(InputError, match="no Python") as caught:
        exported(tmp_path, Operator.docker, (LATER, f"{command}{LATER}"))

    assert "--operator ecs" in caught.value.fix


def test_unknown_schedule(tmp_path: Path) -> None:
    """The error names those that there are."""
    with pytest.raises(InputError, match="no schedule 'nightly'") as caught:
        pick(compile_plan(loaded(tmp_path)), "nightly")

    assert "daily" in caught.value.fix


@pytest.mark.parametrize("version", ["2.8", "2.8.1", "3.4", "4.0.0", "three", "3", "3.0.6.1", ""])
def test_versions_that_cannot_be(version: str) -> None:
    """The error says which can."""
    with pytest.raises(InputError) as caught:
        release_line(version)

    assert "2.9 to 3.3" in caught.value.fix


def test_versions_that_can_be() -> None:
    """A release line, or a version of it."""
    assert release_line("2.9") == OLDEST
    assert release_line("3.3.1") == NEWEST


def _rendered(text: str) -> Any:
    """What Airflow's templates make of a text in which they may only find single braces."""
    return text.replace("{{ '{' }}", "{")
