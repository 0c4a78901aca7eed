"""A real dag-processor over 500 and 2,000 schedules, and a worker's parse for one DAG of them.

    python -m benchmarks.dag_processing [AIRFLOW_VERSION]

Penstock's bundle is beside what people write instead (`dag_folders`), with the same schedules: a file for each DAG and
a loop in one file, both with the stock operator, and dag-factory. An empty folder is the floor: what the processor
takes to start and end. All of it includes what Airflow does with each DAG: storing it in the database.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks import dag_folders, measure, peers, projects
from penstock.compile.compiler import compile_plan
from penstock.local import setup
from penstock.project.load import load
from penstock_runtime.plan.plan import Plan

SCHEDULES = (500, 2000)
KINDS = ("bundle", "loop", "dag_factory", "files")
WORKER_ROUNDS = 5
LEAST_RATIO = 5
"""What is promised for 500: so many times faster than dag-factory, and no slower than the loop."""
_SCRIPT = Path(__file__).parent / "under_airflow" / "parse.py"


def main(version: str = "3.0.6", *schedules: str) -> None:
    """Print the figures."""
    environment = setup.airflow(version, lambda _: None)
    counts = tuple(map(int, schedules)) or SCHEDULES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peers.install(environment, folder / "peer", "dag-factory", alone=True)
        plans = {
            count: compile_plan(load(projects.write(folder / f"project-{count}", schedules=count))) for count in counts
        }
        dag_folders.empty(plans[counts[0]], folder / "empty")
        floor = _process(environment, folder, "empty", 0)
        beyond: dict[str, dict[str, float]] = {}
        for count, plan in plans.items():
            found = {}
            for kind in KINDS:
                dag_folders.KINDS[kind](plan, folder / f"{kind}-{count}")
                found[kind] = round(_process(environment, folder, f"{kind}-{count}", count) - floor, 1)
            beyond[str(count)] = found
        workers = _workers(environment, folder, plans)
        factory = peers.version(folder / "peer", "dag_factory")
    least = beyond[str(counts[0])]
    measure.report(
        "dag_processing",
        airflow=version,
        dag_factory=factory,
        empty_seconds=round(floor, 1),
        seconds_beyond_empty=beyond,
        worker_parse_seconds=workers,
        ratio_of_dag_factory=round(least["dag_factory"] / least["bundle"], 1) if least["bundle"] > 0 else None,
        # Below the floor is noise of a busy machine, and says nothing.
        goal_met=0 < least["bundle"] <= least["loop"] and least["dag_factory"] >= LEAST_RATIO * least["bundle"],
    )


def _process(environment: Path, folder: Path, name: str, expected: int) -> float:
    """Seconds of one pass over a folder, all of whose DAGs must be in the database then."""
    dags, home = folder / name, folder / f"airflow-{name}"
    home.mkdir()
    environ = _environ(folder, home, dags)
    airflow = environment / "bin" / "airflow"
    measure.command([airflow, "db", "migrate"], home, environ)
    seconds = measure.timed(lambda: measure.command([airflow, "dag-processor", "--num-runs", "1"], home, environ))
    with sqlite3.connect(home / "airflow.db") as database:
        ((dags_read,),) = database.execute("select count(*) from serialized_dag").fetchall()
    if dags_read != expected:
        sys.exit(f"{dags_read} of {expected} DAGs of {dags} were read")
    return seconds


def _environ(folder: Path, home: Path, dags: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder / "peer") if dags.name.startswith("dag_factory") else "",
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Airflow's own limits (30 and 50 s) are for files of people; one of 2,000 DAGs may take longer here.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "600",
        "DO_NOT_TRACK": "1",
    }


def _workers(environment: Path, folder: Path, plans: dict[int, Plan]) -> dict[str, float]:
    """Median seconds of a worker's parse for one DAG; in turn, a process each."""
    found: dict[str, list[float]] = {}
    home = folder / "airflow-worker"
    home.mkdir()
    for _ in range(WORKER_ROUNDS):
        for count, plan in plans.items():
            for kind in ("bundle", "loop", "dag_factory"):
                dags = folder / f"{kind}-{count}"
                dag_id = plan.schedules[count // 2].dag_id
                answer = home / "answer.json"
                command: list[str | Path] = [
                    environment / "bin" / "python",
                    _SCRIPT,
                    answer,
                    _file(dags, dag_id),
                    dag_id,
                ]
                measure.command(command, home, _environ(folder, home, dags))
                found.setdefault(f"{kind} of {count}", []).append(json.loads(answer.read_text())["seconds"])
    return {name: round(statistics.median(seconds), 3) for name, seconds in found.items()}


def _file(dags: Path, dag_id: str) -> Path:
    """The DAG file that a worker is told to parse: Airflow has noted it with the DAG."""
    home = dags.with_name(f"airflow-{dags.name}")
    with sqlite3.connect(home / "airflow.db") as database:
        ((place,),) = database.execute("select fileloc from dag where dag_id = ?", [dag_id]).fetchall()
    return Path(place)


if __name__ == "__main__":
    main(*sys.argv[1:])
