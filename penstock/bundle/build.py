"""Plan → the files that Airflow and the containers read. Pure: the same plan gives the same bytes.

    dags/        what goes under the DAG prefix of the MWAA bucket, below `<prefix>/`
    artifacts/   what goes to the artifacts bucket, under keys that hold the content's hash

MWAA copies file by file, in no order. So everything that a release needs lies in `release/<hash>/`, and the loader
files, which name that hash, are the only ones that change their content: a loader never reads half of a release.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

from penstock import archive
from penstock.bundle import own_dag_files
from penstock.project.airflow.dag_files import IGNORE
from penstock.project.airflow.loader_files import TEMPLATE, is_loader, loader_name
from penstock_runtime import package
from penstock_runtime.contract import (
    CONFIGS_PREFIX,
    RELEASES_FOLDER,
    REQUIREMENTS_PREFIX,
    config_key,
    plan_key,
    runtime_key,
)
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.schedule import Schedule, WorkerTask
from penstock_runtime.release.infrastructure import plan_sha256

TASKS_PER_SHARD = 200
"""Airflow starts a process per DAG file and, before the first DAG, loads there as long as 20 tasks take.
200 are far from the 30 s that Airflow gives a file (`core.dagbag_import_timeout`), on a slow scheduler too."""
SHARD_FORMAT = 1
DISCOVERY = "metadata_database.py"
"""The DAG file that finds Airflow's own database."""


@dataclass(frozen=True)
class Bundle:
    """The files of one release."""

    release: str
    """Hash of everything below `release/`, and of what goes beside it."""
    dags: Mapping[str, bytes]
    """Path below the DAG folder → content."""
    artifacts: Mapping[str, bytes]
    """Key in the artifacts bucket → content."""
    runtime_sha256: str
    """Of the runtime archive, in hex."""

    def write(self, folder: Path) -> None:
        """Write `dags/` and `artifacts/` below `folder`, the loader files last. Nothing else there is touched."""
        files = {f"dags/{path}": content for path, content in self.dags.items()}
        files |= {f"artifacts/{key}": content for key, content in self.artifacts.items()}
        for path in sorted(files, key=lambda path: (is_loader(path), path)):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files[path])


def build_bundle(plan: Plan, *, dags_folder: Path) -> Bundle:
    """The bundle of a plan. `dags_folder` holds the template of the loader files, `schedules.py`, and
    `metadata_database.py`.

    Raises:
        PenstockError: the template does not have exactly one line for each constant.
    """
    runtime = package.files()
    roots = {path for path in runtime if path.startswith("airflow/")}
    if any(isinstance(task, WorkerTask) for schedule in plan.schedules for task in schedule.tasks):
        # Such a task is a process of the runtime, which is in the container otherwise.
        roots.add("__main__.py")
    airflow = package.needed_by(roots, runtime)
    held = {f"shards/{number:02}.json": text.encode() for number, text in enumerate(_shards(plan))}
    held |= {f"{package.NAME}/{path}": runtime[path] for path in airflow}
    held |= dict(_for_workers(plan))
    template = (dags_folder / TEMPLATE).read_text(encoding="utf-8")
    own = dict(own_dag_files.placed(plan.dag_files)) | _discovery(plan, dags_folder)
    # The hash also covers what lies beside the release, so that no two bundles share one.
    release = _release({**held, TEMPLATE: template.encode(), **{f"dags/{path}": own[path] for path in own}})
    dags = {f"{RELEASES_FOLDER}/{release}/{path}": content for path, content in held.items()}
    for number in range(_shard_count(plan)):
        loader = _fill(_fill(template, "RELEASE", release), "SHARD", f"{number:02}")
        dags[loader_name(number)] = loader.encode()
    # Last, so that no pattern of the project's own shows the releases again.
    own[IGNORE] = own.get(IGNORE, b"") + _AIRFLOWIGNORE.encode()
    dags[f"{RELEASES_FOLDER}/{IGNORE}"] = _ALL_IGNORED.encode()
    dags |= own
    in_containers = {path: content for path, content in runtime.items() if not path.startswith("airflow/")}
    runtime_archive = _archive(in_containers)
    sha256 = hashlib.sha256(runtime_archive).hexdigest()
    artifacts = {config_key(config.sha256): config.text.encode() for config in plan.configs}
    artifacts[runtime_key(sha256)] = runtime_archive
    artifacts[plan_key(plan_sha256(plan))] = plan.to_json(indent=None).encode()
    return Bundle(
        release=release,
        dags=MappingProxyType({f"{plan.prefix}/{path}": dags[path] for path in sorted(dags)}),
        artifacts=MappingProxyType(dict(sorted(artifacts.items()))),
        runtime_sha256=sha256,
    )


def _for_workers(plan: Plan) -> Iterator[tuple[str, bytes]]:
    """What tasks that run in Airflow's workers need beside the runtime: their configs and locks, by hash."""
    tasks = [task for schedule in plan.schedules for task in schedule.tasks if isinstance(task, WorkerTask)]
    for config in plan.configs:
        if any(task.config == config.sha256 for task in tasks):
            yield f"{CONFIGS_PREFIX}/{config.sha256}.yaml", config.text.encode()
    for lock in plan.requirements:
        yield f"{REQUIREMENTS_PREFIX}/{lock.sha256}.txt", lock.text.encode()


_AIRFLOWIGNORE = f"^{RELEASES_FOLDER}/\n/{RELEASES_FOLDER}/\n"
"""Airflow 2 searches each line as a regular expression in the path below this file; Airflow 3 takes each for a glob
as in .gitignore. The first line hides the releases in 2 and nothing in 3, the second in 3 (and harmless in 2)."""

_ALL_IGNORED = "[^.]*\n"
"""In the folder of the releases, which is filled before the first one is live, and with it the file above: to Airflow 2
the pattern is found in any path, and to Airflow 3 it is any name that does not begin with a dot."""


def shard_of(name: str, count: int) -> int:
    """The shard of a schedule, of `count` (a power of two): it follows from the schedule's name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % count


def _shard_count(plan: Plan) -> int:
    """The smallest power of two that leaves about `TASKS_PER_SHARD` to each shard."""
    tasks = sum(len(schedule.tasks) for schedule in plan.schedules)
    count = 1
    while count * TASKS_PER_SHARD < tasks:
        count *= 2
    return count


def _shards(plan: Plan) -> list[str]:
    """The text of each shard. Only what Airflow needs of a plan."""
    count = _shard_count(plan)
    shards: list[list[Schedule]] = [[] for _ in range(count)]
    for schedule in plan.schedules:
        shards[shard_of(schedule.dag_id, count)].append(schedule)
    head = {
        "format": SHARD_FORMAT,
        "project": plan.project,
        "environment": plan.environment,
        "prefix": plan.prefix,
    }
    return [
        json.dumps(
            {**head, "schedules": [asdict(schedule) for schedule in shard]},
            separators=(",", ":"),
            sort_keys=True,
            ensure_ascii=False,
        )
        + "\n"
        for shard in shards
    ]


def _discovery(plan: Plan, dags_folder: Path) -> dict[str, bytes]:
    """The DAG that finds Airflow's database, where the catalogue of MWAA's own metadata needs it."""
    catalogue = plan.catalogue
    if catalogue is None or catalogue.secret is None or catalogue.discovery_dag_id is None:
        return {}
    text = (dags_folder / DISCOVERY).read_text(encoding="utf-8")
    filled = {"SECRET": catalogue.secret, "DAG_ID": catalogue.discovery_dag_id, "CRON": catalogue.discovery_cron or ""}
    for name, value in filled.items():
        text = _fill(text, name, value, DISCOVERY)
    return {DISCOVERY: text.encode()}


def _archive(files: Mapping[str, bytes]) -> bytes:
    """The runtime archive: a zip that depends on the files' names and content only."""
    return archive.pack({f"{package.NAME}/{path}": archive.Entry(content, 0o644) for path, content in files.items()})


def _release(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _fill(template: str, name: str, value: str, file: str = TEMPLATE) -> str:
    """The template with its line `NAME = ""` filled; a type between name and value is kept."""
    pattern = re.compile(rf'^({name}(?:: [\w.\[\], ]+)? = )""', re.MULTILINE)
    filled, count = pattern.subn(lambda match: f'{match[1]}"{value}"', template)
    if count != 1:
        raise PenstockError(
            f'{file} holds the line `{name} = ""` {count} times', fix="restore Penstock's own dags/ folder"
        )
    return filled
