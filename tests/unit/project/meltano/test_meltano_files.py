"""How `meltano.yml` and its includes are read, against Meltano 4.4.1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.compile.compiler import compile_plan
from penstock.project.document.document import parse
from penstock.project.document.yaml_meaning import YAML_1_2
from penstock_runtime.plan.schedule import Schedule
from tests.unit.project_files import MELTANO, errors, loaded, write

Edit = tuple[str, str]
JOB = "jobs: [{name: j, tasks: [tap-a target-b]}]\n"
DAILY = 'schedules: [{{name: {}, job: j, interval: "@daily"}}]\n'

# Each as `ruamel.yaml` 0.18 reads it, by Meltano's own loader.
SCALARS: dict[str, Any] = {
    **{
        text: text for text in ("yes", "no", "on", "off", "y", "Yes", "tRue", "nULL", "0O17", "0o8", "_1", "1e", ".5e3")
    },
    **{text: text for text in ("12:30:45", "190:20:30", "2024-1-1", "0x", "1.2.3", "=")},
    **{"true": True, "True": True, "FALSE": False, "null": None, "~": None},
    **{"0123": 123, "+0123": 123, "09": 9, "0o17": 15, "0x1F": 31, "0b101": 5, "1_000": 1000, "0_7": 7, "-0": 0},
    **{"1e3": 1000.0, "1.5e3": 1500.0, "1.": 1.0, ".5": 0.5, "-.5": -0.5, "08.5": 8.5, "-.inf": float("-inf")},
    **{"'yes'": "yes", '"0123"': "0123"},
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items(), ids=SCALARS)
def test_scalar_means_what_it_means_to_meltano(text: str, value: Any) -> None:
    """YAML 1.2: `yes`, `on` and times are text, a leading zero means nothing."""
    found = parse(f"k: {text}\n", "f", meaning=YAML_1_2).root.value["k"].value

    assert (found, type(found)) == (value, type(value))


def test_file_that_says_it_is_yaml_1_1_is_read_so() -> None:
    """As ruamel.yaml does it."""
    assert parse("%YAML 1.1\n---\nk: yes\n", "f", meaning=YAML_1_2).root.plain() == {"k": True}


def test_merge_keys_and_marks_stay() -> None:
    """Only the meaning of scalars differs."""
    document = parse("a: &x {on: 0123}\nb: {<<: *x}\n", "f", meaning=YAML_1_2)

    assert document.root.plain()["b"] == {"on": 123}
    assert document.where(document.root.value["b"].value["on"]) == "f:1:12"


def _schedules(folder: Path, more: str, *edits: Edit, **files: str) -> list[Schedule]:
    written = {f"meltano/{name}.yml": text for name, text in files.items()}
    project = loaded(folder, *edits, files={"meltano/meltano.yml": MELTANO + more, **written})
    return [schedule for schedule in compile_plan(project).schedules if schedule.dag_id != "daily"]


def _errors(folder: Path, more: str, *edits: Edit, **files: str) -> list[tuple[str, str, str]]:
    written = {f"meltano/{name}.yml": text for name, text in files.items()}
    return errors(write(folder, *edits, files={"meltano/meltano.yml": MELTANO + more, **written}))


def test_names_of_schedules_and_jobs_are_meltanos(tmp_path: Path) -> None:
    """`yes` is not true, `0123` is 123 and not 83."""
    more = "jobs: [{name: on, tasks: [tap-a target-b]}]\nschedules:\n"
    more += "".join(f'  - {{name: {name}, job: on, interval: "@daily"}}\n' for name in ("yes", "0123"))

    assert [schedule.dag_id for schedule in _schedules(tmp_path, more)] == ["meltano_123_on", "meltano_yes_on"]


def test_numbers_in_env_are_those_that_meltano_reads(tmp_path: Path) -> None:
    """What is in quotes stays unchanged."""
    env = 'env: {A: 1_000, B: 0123, C: yes, D: "0123", E: 1.50, F: true}'
    (schedule,) = _schedules(tmp_path, f'{JOB}schedules: [{{name: s, job: j, interval: "@daily", {env}}}]\n')
    variables = schedule.tasks[0].environment

    assert [variables[name] for name in "ABCDEF"] == ["1000", "123", "yes", "0123", "1.5", "true"]


def test_included_files_may_include_others(tmp_path: Path) -> None:
    """Patterns start at the project's folder; a circle ends."""
    a, b = f"include_paths: [b.yml]\n{DAILY.format('a')}", f"include_paths: [a.yml]\n{DAILY.format('b')}"

    schedules = _schedules(tmp_path, f"include_paths: [a.yml]\n{JOB}", a=a, b=b)
    assert [one.name for one in schedules] == ["a", "b"]


def test_includes_go_no_deeper_than_meltano_run_does(tmp_path: Path) -> None:
    """`schedule list` goes one file deeper, and the job of such a schedule is not found when it runs."""
    files = {name: f"include_paths: [{after}.yml]\n" for name, after in ("ab", "bc", "cd")}
    place, what, fix = _errors(tmp_path, "include_paths: [a.yml]\n", **files, d="")[0]

    assert place == "meltano/c.yml:1:16"
    assert "more than 3 files deep" in what
    assert fix == "name the file in include_paths of meltano.yml"


def test_include_outside_the_project_is_refused(tmp_path: Path) -> None:
    """As Meltano does (InvalidIncludePathError), also where a link leads out."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/s.yml").write_text(DAILY.format("s"))
    (tmp_path / "p/meltano").mkdir(parents=True)
    (tmp_path / "p/meltano/link.yml").symlink_to("../../shared/s.yml")

    for pattern in ("../../shared/*.yml", "link.yml"):
        place, what, _ = _errors(tmp_path / "p", f"include_paths: [{pattern}]\n{JOB}")[0]
        assert (place, "outside the Meltano project" in what) == ("meltano/meltano.yml:5:17", True)


def test_include_that_takes_in_a_folder_is_refused(tmp_path: Path) -> None:
    """Meltano: "is not a file"."""
    (tmp_path / "meltano/conf/x.yml").mkdir(parents=True)
    place, what, fix = _errors(tmp_path, f"include_paths: [conf/*]\n{JOB}")[0]

    assert (place, "the folder conf/x.yml" in what) == ("meltano/meltano.yml:5:17", True)
    assert fix == "name files only, such as conf/x.yml/*.yml"


@pytest.mark.parametrize(
    "text", [DAILY.format("s"), JOB, "environments: [{name: x}]\n", "plugins: {mappers: [{name: m}]}\n"]
)
def test_name_twice_in_included_files_is_refused(tmp_path: Path, text: str) -> None:
    """Meltano: "Duplicate plugin name found". In `meltano.yml` and one included file it is allowed."""
    problems = _errors(tmp_path, f"include_paths: [a.yml, b.yml]\n{JOB}", a=text, b=text)[0]

    assert problems[0].startswith("meltano/b.yml:1:")
    assert "the first is at" in problems[1]
    assert _schedules(tmp_path / "once", f"include_paths: [a.yml]\n{JOB}{DAILY.format('s')}", a=JOB)


@pytest.mark.parametrize("start", ['"2027-03-01"', "2027-03-01", '"2027-03-01T00:00:00Z"', "2027-03-01T00:00:00Z"])
def test_start_date_may_be_in_quotes(tmp_path: Path, start: str) -> None:
    """The same day, however it is written."""
    more = f'{JOB}schedules: [{{name: s, job: j, interval: "@daily", start_date: {start}}}]\n'

    assert [schedule.start_date for schedule in _schedules(tmp_path, more)] == ["2027-03-01"]


def test_job_without_tasks_is_an_error_only_where_it_runs(tmp_path: Path) -> None:
    """Meltano lists such a project; `meltano run` of the job exits with 1."""
    more = f"jobs: [{{name: j, tasks: [tap-a target-b]}}, {{name: later, tasks: []}}]\n{DAILY.format('s')}"
    own = ("    job: warehouse\n", "    job: later\n")

    assert [schedule.name for schedule in _schedules(tmp_path / "a", more)] == ["s"]
    place, what, _ = _errors(tmp_path / "b", more, own)[0]
    assert (place, what) == ("meltano/meltano.yml:5:44", "job 'later' has no tasks")


def test_dag_id_is_ascii(tmp_path: Path) -> None:
    """Schedule and task are dimensions of a metric: CloudWatch takes ASCII, and refuses the watch over all others."""
    more = 'jobs: [{name: größen, tasks: [tap-a target-b]}]\nschedules: [{name: x, job: größen, interval: "@daily"}]\n'
    project = loaded(tmp_path, files={"meltano/meltano.yml": MELTANO + more})

    with pytest.raises(Exception, match="'meltano_x_größen' cannot be a DAG id") as caught:
        compile_plan(project)
    assert "letters from A to Z" in str(caught.value)


ELT = "schedules: [{name: s, extractor: tap-a, loader: target-b, transform: skip, interval: '@hourly'}]\n"
NO_ENVIRONMENT = MELTANO.replace("default_environment: prod\nenvironments: [{name: prod}]\n", "")
NO_RUN = ("      - {name: load, meltano: tap-a target-b}\n", "")


def test_elt_runs_in_a_project_without_environments(tmp_path: Path) -> None:
    """`meltano elt` needs none, and stops at one that is not there."""
    edits = (NO_RUN, (", environment: prod}", "}"))
    plan = compile_plan(loaded(tmp_path, *edits, files={"meltano/meltano.yml": NO_ENVIRONMENT + ELT}))
    (task,) = [task for schedule in plan.schedules if schedule.name == "s" for task in schedule.tasks]

    assert "MELTANO_ENVIRONMENT" not in task.environment


def test_environment_that_meltano_does_not_have_is_an_error(tmp_path: Path) -> None:
    """Meltano stops at it, whatever runs; what the fix says is valid."""
    place, what, fix = errors(write(tmp_path, NO_RUN, files={"meltano/meltano.yml": NO_ENVIRONMENT + ELT}))[0]

    assert place == "penstock.yaml:11:42"
    assert what == "Meltano stops at environment 'prod': meltano.yml has no environments"
    assert "leave environment out" in fix


def test_run_needs_an_environment(tmp_path: Path) -> None:
    """`meltano run` does not start without."""
    files = {"meltano/meltano.yml": NO_ENVIRONMENT + ELT}
    _, what, fix = errors(write(tmp_path, (", environment: prod}", "}"), files=files))[0]

    assert what.startswith("task 'load' needs a Meltano environment")
    assert "environments: [{name: prod}]" in fix
