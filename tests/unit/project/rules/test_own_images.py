"""Plain commands in images of the user's own: when the runtime starts there, and what is said where it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.local import images
from penstock.local.aws.process import Image
from penstock.project.load import load
from penstock.project.rules.own_images import is_openmetadata
from penstock_runtime import contract
from penstock_runtime.airflow.operators import run_task
from penstock_runtime.errors import InputError, InputErrors
from penstock_runtime.functions.overdue import watched
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask
from penstock_runtime.release.resources import Resources

RESOURCES = Resources(
    "eu-west-1", "c", ("subnet-1",), ("sg-1",), assign_public_ip=False, log_group="/l", artifacts_bucket="b"
)
PROJECT = """\
name: acme
environments: {{dev: {{region: eu-west-1}}}}
network: {{create: {{}}}}
airflow: {{create: {{version: 3.0.6}}}}
openmetadata: {{server: "https://catalog.acme.io/api", version: 1.12.14}}
secrets: {{TOKEN: "secretsmanager:acme/token"}}
observability: {{alarms: {{overdue: {overdue}}}}}
jobs:
  j:
    tasks:
{tasks}
schedules: [{{name: s, job: j, interval: "@daily"}}]
"""
BUSYBOX = 'image: "public.ecr.aws/docker/library/busybox:1.37"'


def plan_of(folder: Path, *tasks: str, overdue: str = "{}") -> Plan:
    folder.mkdir(exist_ok=True)
    file = folder / "penstock.yaml"
    text = PROJECT.format(tasks="\n".join(f"      - {{{task}}}" for task in tasks), overdue=overdue)
    if "TOKEN" not in "".join(tasks):
        text = text.replace('secrets: {TOKEN: "secretsmanager:acme/token"}', "secrets: {}")
    file.write_text(text)
    return compile_plan(load(file))


def task_of(plan: Plan, name: str = "x") -> FargateTask:
    return next(task for schedule in plan.schedules for task in schedule.tasks if task.name == name)


@pytest.mark.parametrize(
    ("keys", "runtime"),
    [
        ("command: ls", True),
        (f"command: ls, {BUSYBOX}", False),
        ("command: ls, image: alpine", False),
        ('command: ls, image: "python:3.12-slim"', False),
        ('command: ls, image: "python:3.12-slim", python: true', True),
        ('command: ls, image: "python:3.12-slim", python: false', False),
        ('command: ls, image: "docker.getcollate.io/openmetadata/ingestion-base:1.12.14"', True),
        ('command: ls, image: "openmetadata/ingestion:1.12.14"', True),
        ('command: ls, image: "openmetadata/ingestion-base:1.12.14", python: false', False),
    ],
)
def test_the_runtime_starts_where_python_is_known_to_be(tmp_path: Path, keys: str, runtime: bool) -> None:
    """In OpenMetadata's images, and where the task says so; the task definition is of the same mind."""
    plan = plan_of(tmp_path / "p", f"name: x, {keys}")
    (definition,) = plan.task_definitions

    assert (task_of(plan).runtime, definition.runtime) == (runtime, runtime)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("openmetadata/ingestion", True),
        ("1.dkr.ecr.eu-west-1.amazonaws.com/m/openmetadata/ingestion-base@sha256:0", True),
        ("acme/openmetadata-ingestion:1", False),
        ("openmetadata/ingestion-mine:1", False),
        ("openmetadata/server:1", False),
    ],
)
def test_openmetadata_s_images_are_known_by_name(name: str, found: bool) -> None:
    """Of any registry, and no other image."""
    assert is_openmetadata(name) is found


@pytest.mark.parametrize("kind", ["command: ls", "openmetadata: {type: metadata, config: w.yaml}"])
def test_python_is_said_of_an_image(tmp_path: Path, kind: str) -> None:
    """Without one it says nothing: an error at the key."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "w.yaml").write_text("source: {type: mysql, serviceName: a}\n")
    with pytest.raises((InputError, InputErrors), match="python says what its image holds, and it names no image"):
        plan_of(tmp_path / "p", f"name: x, {kind}, python: true")


def test_with_and_without_the_runtime_are_two_families(tmp_path: Path) -> None:
    """A release that still runs hands its commands to the runtime: that definition keeps its name."""
    both = [f"name: {name}, command: ls, {BUSYBOX}, python: {name}" for name in ("true", "false")]
    one, two = plan_of(tmp_path / "p", *(text.replace("name: ", "name: t-", 1) for text in both)).task_definitions
    (before,) = plan_of(tmp_path / "q", f"name: x, command: ls, {BUSYBOX}, python: true").task_definitions

    assert one.runtime is not two.runtime
    assert before.family == next(found.family for found in (one, two) if found.runtime)


def test_run_task_hands_the_command_to_the_image(tmp_path: Path) -> None:
    """Argument by argument; of our variables only those that say which run it is, and when Airflow stops it."""
    words = ["a b", "", "it's", '"', "$HOME", "$(TOKEN)", "{{ ds }}", "ü"]
    listed = ", ".join(repr(word) if word != "it's" else '"it\'s"' for word in words)
    plan = plan_of(tmp_path / "p", f"name: x, command: [printf, {listed}], {BUSYBOX}, env: {{A: b}}")
    (container,) = run_task.overrides(task_of(plan), RESOURCES, {"task": "x"}, 0)["containerOverrides"]

    assert container["command"] == ["printf", *words]
    assert container["environment"] == [
        {"name": "A", "value": "b"},
        {"name": contract.DEADLINE, "value": "0"},
        {"name": contract.RUN, "value": '{"task":"x"}'},
    ]
    (other,) = run_task.overrides(
        task_of(plan_of(tmp_path / "p", "name: x, command: ls")), RESOURCES, {"task": "x"}, 0
    )["containerOverrides"]
    assert "command" not in other


def test_secrets_that_nobody_masks_are_a_warning(tmp_path: Path) -> None:
    """Once for all such tasks, at the first; none where the runtime starts."""
    tasks = [f"name: {name}, command: ls, {BUSYBOX}, secrets: [TOKEN]" for name in ("x", "y")]
    warned = [warning for warning in plan_of(tmp_path / "p", *tasks).warnings if "masks" in warning]
    quiet = plan_of(tmp_path / "q", *(f"{task}, python: true" for task in tasks)).warnings

    (found,) = warned
    assert "penstock.yaml:11:9: task 'x' gets secrets, and nothing masks them in its log" in found
    assert "(so for 1 more)" in found
    assert "python: true" in found
    assert quiet == ()


def test_a_schedule_whose_end_nobody_sees_is_not_watched_and_that_is_said(tmp_path: Path) -> None:
    """Its success is not a metric, so it would be overdue for ever. One last task that is seen is enough."""
    first, last = "name: a, command: ls", f"name: x, command: ls, {BUSYBOX}"
    unseen = plan_of(tmp_path / "p", first, last)
    seen = plan_of(tmp_path / "q", first, f"{last}, after: []")

    assert unseen.schedules[0].overdue_after_minutes is None
    (warning,) = unseen.warnings
    assert (
        "nobody is notified when schedule 's' is overdue, since its last task runs by its image's own entry" in warning
    )
    assert "s: 0 in observability.alarms.overdue" in warning
    assert seen.warnings == ()
    assert [one.task for one in watched(_data(seen))] == ["a"]


def test_the_fixes_of_that_warning_work(tmp_path: Path) -> None:
    """Both of them."""
    last = f"name: x, command: ls, {BUSYBOX}"

    assert plan_of(tmp_path / "p", last, overdue="{s: 0}").warnings == ()
    assert plan_of(tmp_path / "q", f"{last}, python: true").warnings == ()


def test_it_cannot_be_asked_for_by_name(tmp_path: Path) -> None:
    """As for a schedule that runs by hand only."""
    with pytest.raises(InputError, match="schedule 's' cannot be watched for being overdue") as caught:
        plan_of(tmp_path / "p", f"name: x, command: ls, {BUSYBOX}", overdue="{s: 60}")

    assert "python: true" in caught.value.fix


def test_what_stands_for_images_of_the_user_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's programs; a bare Python where the image has one by its name, or is said to have one."""
    monkeypatch.setenv("PENSTOCK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(images, "bare_python", lambda _report: tmp_path / "python")
    told: list[str] = []
    plan = plan_of(
        tmp_path / "p",
        f"name: a, command: ls, {BUSYBOX}",
        'name: b, command: ls, image: "python:3.12-slim"',
        'name: c, command: ls, image: "acme/etl:1", python: true',
    )

    paths = {one.reference: list(one.path) for one in images.stand_ins(plan, told.append)}

    bare = [str(tmp_path / "python" / "bin")]
    assert paths == {"public.ecr.aws/docker/library/busybox:1.37": [], "python:3.12-slim": bare, "acme/etl:1": bare}
    assert [one.partition(": ")[2] for one in told] == [
        "a bare Python and this machine's programs stand for it",
        "this machine's programs stand for it",
        "a bare Python and this machine's programs stand for it",
    ]


def test_what_a_container_starts() -> None:
    """ECS's settings take the place of the image's own, as Docker's do."""
    image = Image("x", (), None, {}, ("entry",), ("by", "default"))

    assert image.argv(None, None) == ["entry", "by", "default"]
    assert image.argv(None, ["a", ""]) == ["entry", "a", ""]
    assert image.argv(["python3", "-c", "x"], None) == ["python3", "-c", "x"]
    assert image.argv(["python3"], ["a"]) == ["python3", "a"]


def _data(plan: Plan) -> dict[str, object]:
    found: dict[str, object] = json.loads(plan.to_json())
    return found


def test_a_home_of_the_task_s_own_is_kept(tmp_path: Path) -> None:
    """The runtime is told not to give another one, where the root is read-only."""
    tasks = ["name: x, command: ls, read_only_root: true, env: {HOME: /tmp/x}", "name: y, command: ls"]
    plan = plan_of(tmp_path / "p", *tasks)

    def variables(name: str) -> dict[str, str]:
        (container,) = run_task.overrides(task_of(plan, name), RESOURCES, {}, 0)["containerOverrides"]
        return {one["name"]: one["value"] for one in container["environment"]}

    assert variables("x").items() >= {"HOME": "/tmp/x", contract.HOME: ""}.items()
    assert contract.HOME not in variables("y")
