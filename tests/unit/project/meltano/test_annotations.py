"""`annotations.penstock` of Meltano's jobs and schedules."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.load import load
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import FargateTask
from tests.unit.project_files import MELTANO, errors, write

JOB = "{{name: j, tasks: [tap-a target-b], annotations: {{penstock: {}}}}}"
SCHEDULE = "{{name: s, interval: '0 6 * * *', job: j, annotations: {{other: 1, penstock: {}}}}}"
SIZE = "{cpu_units: 1024, memory_mib: 4096, timeout_minutes: 90, spot: true}"
TIME = "{timezone: Asia/Tokyo, retries: 3, retry_delay_seconds: 7, tags: [x], timeout_minutes: 10, secrets: [SLACK]}"
SECRET = ("  OM_JWT:", "  SLACK: secretsmanager:slack\n  OM_JWT:")


def _files(job: str = "{}", schedule: str = "{}") -> dict[str, str]:
    text = f"{MELTANO}jobs: [{JOB.format(job)}]\nschedules: [{SCHEDULE.format(schedule)}]\n"
    return {"meltano/meltano.yml": text}


def _plan(folder: Path, job: str = "{}", schedule: str = "{}", *edits: tuple[str, str]) -> Plan:
    return compile_plan(load(write(folder, *edits, files=_files(job, schedule))))


def _task(plan: Plan, name: str) -> FargateTask:
    (task,) = next(schedule.tasks for schedule in plan.schedules if schedule.name == name)
    assert isinstance(task, FargateTask)
    return task


def test_a_job_says_its_size_and_a_schedule_wins(tmp_path: Path) -> None:
    plan = _plan(tmp_path, SIZE, TIME, SECRET)
    (schedule,) = (one for one in plan.schedules if one.name == "s")
    task = _task(plan, "s")

    assert (task.cpu_units, task.memory_mib, task.spot, task.timeout_minutes) == (1024, 4096, True, 10)
    assert (schedule.timezone, schedule.retries, schedule.retry_delay_seconds) == ("Asia/Tokyo", 3, 7)
    assert schedule.tags == ("meltano", "schedule:s", "job:j", "x")
    definition = next(one for one in plan.task_definitions if one.family == task.family)
    assert "SLACK" in [secret.name for secret in definition.secrets]
    assert not any("SLACK" in warning for warning in plan.warnings)


def test_without_one_nothing_changes(tmp_path: Path) -> None:
    plain = _plan(tmp_path)
    (schedule,) = (one for one in plain.schedules if one.name == "s")

    assert (schedule.timezone, schedule.retries) == ("UTC", 1)
    assert _task(plain, "s").timeout_minutes == 60


def test_a_schedule_of_the_project_gets_what_meltanos_job_says(tmp_path: Path) -> None:
    plan = _plan(tmp_path, SIZE, "{}", ("job: warehouse\n    interval", "job: j\n    interval"))

    assert _task(plan, "daily").memory_mib == 4096


WRONG = {
    # name: (job, schedule, what)
    "unknown key": ("{}", "{cpu: 1}", "unknown key 'cpu'"),
    "of the wrong type": ("{}", "{retries: many}", "must be a whole number"),
    "of a schedule, in a job": ("{timezone: UTC}", "{}", "unknown key 'timezone'"),
}


@pytest.mark.parametrize(("job", "schedule", "what"), WRONG.values(), ids=WRONG)
def test_a_wrong_one_costs_its_schedule(tmp_path: Path, job: str, schedule: str, what: str) -> None:
    (left_out,) = _plan(tmp_path, job, schedule).left_out

    assert left_out.startswith("meltano/meltano.yml:")
    assert what in left_out


MISFITS = {
    "a size that Fargate does not have": ("{memory_mib: 300}", "{}", "300 MiB"),
    "a secret that is not declared": ("{}", "{secrets: [OM_JWTT]}", "names secret 'OM_JWTT'"),
    "a time zone that is not one": ("{}", "{timezone: Europe/Bonn}", "Europe/Bonn"),
    "one setting in two units": ("{}", "{retry_delay_minutes: 1, retry_delay_seconds: 1}", "one setting in two units"),
}


@pytest.mark.parametrize(("job", "schedule", "what"), MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_the_project_is_an_error(tmp_path: Path, job: str, schedule: str, what: str) -> None:
    ((where, said, fix),) = errors(write(tmp_path, files=_files(job, schedule)))

    assert where.startswith("meltano/meltano.yml:")
    assert what in said
    assert fix


def test_what_nothing_reads_is_a_warning(tmp_path: Path) -> None:
    text = MELTANO.replace("config:", "annotations: {penstock: {spot: true}}, config:")
    plan = compile_plan(load(write(tmp_path, files={"meltano/meltano.yml": text})))

    (warning,) = (text for text in plan.warnings if "annotations.penstock" in text)
    assert warning.startswith("meltano/meltano.yml:")
