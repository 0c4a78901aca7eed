"""Plan → files: what is there, what stays the same, what a new schedule touches."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.bundle.build import Bundle, build_bundle, shard_of
from penstock.compile.compiler import compile_plan
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.release.infrastructure import plan_sha256
from tests.unit.project_files import loaded

DAGS = Path(__file__).resolve().parents[3] / "dags"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan of one schedule, with a DAG file of the user's."""
    return compile_plan(loaded(tmp_path_factory.mktemp("project"), files={"dags/mine/own.py": "# mine\n"}))


def _with(plan: Plan, count: int, *, tasks: int = 1) -> Plan:
    """So many schedules of so many tasks."""
    (schedule,) = plan.schedules
    listed = tuple(replace(schedule.tasks[0], name=f"t{number}", after=()) for number in range(tasks))
    named = tuple(replace(schedule, name=f"s{n}", dag_id=f"s{n}", tasks=listed) for n in range(count))
    return replace(plan, schedules=named)


def _shards(bundle: Bundle) -> dict[str, bytes]:
    return {path[-7:]: content for path, content in bundle.dags.items() if "/shards/" in path}


def test_same_plan_gives_same_bytes(plan: Plan) -> None:
    """Content hashes, and a deploy that changes nothing, rest on it."""
    first, second = build_bundle(plan, dags_folder=DAGS), build_bundle(Plan.from_json(plan.to_json()), dags_folder=DAGS)

    assert first == second


def test_everything_is_below_the_prefix_and_in_the_release(plan: Plan) -> None:
    """Beside the release only what Airflow looks for by name: the ignore files, loaders, the user's own files."""
    bundle = build_bundle(plan, dags_folder=DAGS)
    beside = {path for path in bundle.dags if f"/release/{bundle.release}/" not in path}

    assert beside == {
        "acme-dev/.airflowignore",
        "acme-dev/release/.airflowignore",
        "acme-dev/schedules_00.py",
        "acme-dev/mine/own.py",
    }
    assert bundle.dags["acme-dev/mine/own.py"] == b"# mine\n"


def test_loader_names_its_release_and_shard_and_is_otherwise_the_template(plan: Plan) -> None:
    """A person who reads the file in the bucket finds what they know from the repository."""
    bundle = build_bundle(plan, dags_folder=DAGS)
    loader = bundle.dags["acme-dev/schedules_00.py"].decode()
    constants = {
        node.targets[0].id: node.value.value
        for node in ast.parse(loader).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }

    assert {"RELEASE": bundle.release, "SHARD": "00"}.items() <= constants.items()
    template = (DAGS / "schedules.py").read_text().splitlines()
    assert len([line for line, old in zip(loader.splitlines(), template, strict=True) if line != old]) == 2


@pytest.mark.parametrize(
    "text", ['RELEASE = ""\n', 'RELEASE = ""\nSHARD = ""\nSHARD = ""\n', 'RELEASE = "x"\nSHARD = ""\n']
)
def test_template_without_its_constants_is_refused(plan: Plan, tmp_path: Path, text: str) -> None:
    """Better no bundle than loaders that load nothing."""
    (tmp_path / "schedules.py").write_text(text)

    with pytest.raises(PenstockError, match="times"):
        build_bundle(plan, dags_folder=tmp_path)


def test_shard_is_compact_json_of_what_airflow_needs(plan: Plan) -> None:
    """Decoding is part of every parse: no spaces, no configs, no task definitions."""
    text = _shards(build_bundle(plan, dags_folder=DAGS))["00.json"].decode()
    shard = json.loads(text)

    assert text == json.dumps(shard, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    assert {key: value for key, value in shard.items() if key != "schedules"} == {
        "format": 1,
        "project": "acme",
        "environment": "dev",
        "prefix": "acme-dev",
    }
    assert [schedule["dag_id"] for schedule in shard["schedules"]] == ["daily"]


def test_new_schedule_changes_one_shard(plan: Plan) -> None:
    """The others keep their content, so their DAGs keep their place and their file."""
    before = _shards(build_bundle(_with(plan, 760), dags_folder=DAGS))
    after = _shards(build_bundle(_with(plan, 761), dags_folder=DAGS))

    assert len(before) == 4
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == [f"{shard_of('s760', 4):02}.json"]


@pytest.mark.parametrize(
    ("schedules", "tasks", "expected"), [(0, 1, 1), (200, 1, 1), (201, 1, 2), (500, 1, 4), (50, 4, 1), (51, 4, 2)]
)
def test_shards_hold_about_two_hundred_tasks(plan: Plan, schedules: int, tasks: int, expected: int) -> None:
    """Their number doubles as tasks are added; every schedule is in one, and each shard has a loader."""
    bundle = build_bundle(_with(plan, schedules, tasks=tasks), dags_folder=DAGS)

    shards = [json.loads(content)["schedules"] for content in _shards(bundle).values()]
    loaders = [path for path in bundle.dags if re.search(r"/schedules_\d\d\.py$", path)]
    assert len(shards) == len(loaders) == expected
    assert sum(len(shard) for shard in shards) == schedules
    assert max(len(shard) for shard in shards) * tasks <= 260


def test_ignore_file_hides_releases_in_both_syntaxes(plan: Plan) -> None:
    """Airflow 2 searches each line as a regular expression, Airflow 3 takes it for a glob as in .gitignore."""
    lines = build_bundle(plan, dags_folder=DAGS).dags["acme-dev/.airflowignore"].decode().split()

    def hidden_in_2(path: str) -> bool:
        return any(re.search(line, path) for line in lines)

    assert hidden_in_2("release/0123/penstock_runtime/plan/schedule.py")
    assert not hidden_in_2("schedules_00.py")
    assert not hidden_in_2("prerelease/own.py")
    assert "/release/" in lines, "as a glob: the folder `release` beside the file, and no other"


def test_release_holds_what_the_airflow_side_imports_and_no_more(plan: Plan) -> None:
    """Engines, the container's entry point and the rest of the plan have no business beside the DAGs."""
    bundle = build_bundle(plan, dags_folder=DAGS)
    start = f"acme-dev/release/{bundle.release}/penstock_runtime/"
    modules = {path.removeprefix(start) for path in bundle.dags if path.startswith(start)}

    assert {
        "__init__.py",
        "plan/schedule.py",
        "release/resources.py",
        "airflow/__init__.py",
        "airflow/dags.py",
    } <= modules
    assert not {"__main__.py", "plan/plan.py", "plan/network.py"} & modules
    assert not [path for path in modules if path.startswith("container/")]


def test_runtime_archive_runs_by_itself(plan: Plan, tmp_path: Path) -> None:
    """It is what the container puts on its path: importable from the zip, nothing of Airflow in it, hash as said."""
    bundle = build_bundle(plan, dags_folder=DAGS)
    content = bundle.artifacts[f"runtime/{bundle.runtime_sha256}.zip"]
    (tmp_path / "runtime.zip").write_bytes(content)
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()

    assert hashlib.sha256(content).hexdigest() == bundle.runtime_sha256
    assert not [name for name in names if name.startswith("penstock_runtime/airflow/")]
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import penstock_runtime.container.main as c; print(c.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(tmp_path / "runtime.zip")], capture_output=True, text=True
    )
    assert done.stdout.strip() == str(tmp_path / "runtime.zip" / "penstock_runtime" / "container" / "main.py"), (
        done.stderr
    )


def test_configs_are_under_their_hash(plan: Plan) -> None:
    """The container checks it."""
    bundle = build_bundle(plan, dags_folder=DAGS)

    for key, content in bundle.artifacts.items():
        assert hashlib.sha256(content).hexdigest() in key
    assert f"plans/{plan_sha256(plan)}.json" in bundle.artifacts


def test_bundle_is_written_with_loaders_last(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into the two folders that the deploy uploads; a loader never comes before what it names."""
    written: dict[str, bytes] = {}
    monkeypatch.setattr(
        Path, "write_bytes", lambda path, content: written.update({path.relative_to(tmp_path).as_posix(): content})
    )
    bundle = build_bundle(plan, dags_folder=DAGS)
    bundle.write(tmp_path)

    assert written == {
        **{f"dags/{path}": content for path, content in bundle.dags.items()},
        **{f"artifacts/{key}": content for key, content in bundle.artifacts.items()},
    }
    assert list(written)[-1] == "dags/acme-dev/schedules_00.py"


def test_files_beside_the_release_are_in_its_hash(plan: Plan) -> None:
    """They are uploaded into the release's folder, so two bundles must never share one."""
    (file,) = plan.dag_files
    other = replace(plan, dag_files=(replace(file, text="# other\n"),))

    assert build_bundle(other, dags_folder=DAGS).release != build_bundle(plan, dags_folder=DAGS).release


def test_tasks_in_workers_bring_what_they_run(tmp_path: Path) -> None:
    """The runtime's own program with all that it imports, the workflow and the lock; without such tasks none of it."""
    config = "        openmetadata: {type: metadata, config: warehouse.yaml}\n"
    plan = compile_plan(loaded(tmp_path, (config, f"{config}        operator: virtualenv\n")))
    (lock,), (workflow,) = plan.requirements, plan.configs

    def held(plan: Plan) -> dict[str, bytes]:
        bundle = build_bundle(plan, dags_folder=DAGS)
        return {path.partition(f"{bundle.release}/")[2]: content for path, content in bundle.dags.items()}

    files, others = held(plan), held(compile_plan(loaded(tmp_path)))

    assert files[f"requirements/{lock.sha256}.txt"] == lock.text.encode()
    assert files[f"configs/{workflow.sha256}.yaml"] == workflow.text.encode()
    own = {"penstock_runtime/__main__.py", "penstock_runtime/container/engines/openmetadata.py"}
    assert own <= files.keys()
    assert not {path for path in others if path in own or path.startswith(("requirements/", "configs/"))}
