"""A real dag-processor over 500 and 2,000 schedules, what parsing takes of that, and a worker's parse for one DAG.

    python -m benchmarks.dag_processing [AIRFLOW_VERSION [SCHEDULES...]]

Penstock's bundle is beside what people write instead (`dag_folders`), with the same schedules: a file for each DAG and
a loop in one file, both with the stock operator, and dag-factory. An empty folder is the floor: what the processor
takes to start and end. `passes` includes what Airflow does with each DAG, storing it in the database above all, which
is the same for all kinds. `parse` is the rest: reading the DAG files, in a process that has imported Airflow and what
Airflow imports before it forks. `worker` is a worker's parse for one DAG, in a process that has imported Airflow's task
runner. All are medians of rounds in which the kinds take turns, but for the file per DAG in `passes`, which is read
once. CPU seconds vary less where the machine does other work; a pass uses both cores.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import dag_folders, measure, peers, projects
from penstock.compile.compiler import compile_plan
from penstock.local import setup
from penstock.project.load import load
from penstock_runtime.plan.plan import Plan

SCHEDULES = (500, 2000)
KINDS = ("bundle", "loop", "dag_factory")
SLOW = ("files",)
"""Read once: a process for each DAG."""
ROUNDS = 3
"""Of passes over the first number of schedules; more schedules are read once."""
PARSE_ROUNDS = 5
LEAST_RATIO = 5
"""What is promised for 500: so many times faster than dag-factory, and no slower than the loop."""
_SCRIPT = Path(__file__).parent / "under_airflow" / "parse.py"

Figures = dict[str, dict[str, float]]
"""Kind → seconds and CPU seconds."""


def main(version: str = "3.0.6", *schedules: str) -> None:
    """Print the figures."""
    counts = tuple(map(int, schedules)) or SCHEDULES
    with tempfile.TemporaryDirectory() as name:
        bench = _Bench(setup.airflow(version, lambda _: None), Path(name), counts)
        passes = {str(count): bench.passes(count, ROUNDS if count == counts[0] else 1) for count in counts}
        parse = {str(count): bench.parses(count, worker=False) for count in counts}
        worker = {str(count): bench.parses(count, worker=True) for count in counts}
        factory = peers.version(bench.peer, "dag_factory")
    first = {
        kind: {what: max(passes[str(counts[0])][kind][what] - passes[str(counts[0])]["empty"][what], 0) for what in row}
        for kind, row in passes[str(counts[0])].items()
    }
    measure.report(
        "dag_processing",
        airflow=version,
        dag_factory=factory,
        passes=passes,
        beyond_empty={kind: {what: round(value, 2) for what, value in row.items()} for kind, row in first.items()},
        parse=parse,
        worker=worker,
        goals={
            "no_slower_than_the_loop": first["bundle"]["seconds"] <= first["loop"]["seconds"],
            "so_many_times_faster_than_dag_factory": {
                "in_a_pass": _ratio(first, "seconds"),
                "in_a_pass_in_cpu": _ratio(first, "cpu_seconds"),
                "in_parsing_in_cpu": _ratio(parse[str(counts[0])], "cpu_seconds"),
                "promised": LEAST_RATIO,
            },
        },
    )


def _ratio(figures: Figures, what: str) -> float | None:
    """dag-factory's by ours; None where a busy machine hides ours."""
    ours = figures["bundle"][what]
    return round(figures["dag_factory"][what] / ours, 1) if ours > 0 else None


class _Bench:
    """The folders, and what is done with them.

    Args:
        environment: of Airflow.
        folder: an empty one.
        counts: of schedules.
    """

    def __init__(self, environment: Path, folder: Path, counts: Sequence[int]) -> None:
        self._bin, self._folder = environment / "bin", folder
        self.peer = folder / "peer"
        peers.install(environment, self.peer, "dag-factory", alone=True)
        self._plans: dict[int, Plan] = {}
        dag_folders.empty(None, self._dags("empty", 0))
        for count in counts:
            self._plans[count] = compile_plan(load(projects.write(folder / f"project-{count}", schedules=count)))
            for kind in (*KINDS, *SLOW):
                dag_folders.KINDS[kind](self._plans[count], self._dags(kind, count))
        self._clean = folder / "clean.db"
        home = self._home("clean")
        measure.command([self._bin / "airflow", "db", "migrate"], home, self._environ(home, "empty", 0))
        (home / "airflow.db").rename(self._clean)

    def passes(self, count: int, rounds: int) -> Figures:
        """Medians of real passes, an empty folder's included."""
        found: dict[str, list[tuple[float, float]]] = {}
        for number in range(rounds):
            for kind in ("empty", *KINDS, *(SLOW if number == 0 else ())):
                found.setdefault(kind, []).append(self._pass(kind, 0 if kind == "empty" else count))
        return _medians(found)

    def parses(self, count: int, *, worker: bool) -> Figures:
        """Medians of parses, a process each: of all DAGs, or of one as a worker does."""
        found: dict[str, list[tuple[float, float]]] = {}
        one = self._plans[count].schedules[count // 2].dag_id
        for _ in range(PARSE_ROUNDS):
            for kind in (*KINDS, *(SLOW if worker else ())):
                home = self._home("parse")
                what: list[str | Path] = [self._file(kind, count, one), one] if worker else [self._dags(kind, count)]
                command = [self._bin / "python", _SCRIPT, home / "answer.json", *what]
                measure.command(command, home, self._environ(home, kind, count))
                answer = json.loads((home / "answer.json").read_text())
                if not worker and answer["dags"] != count:
                    sys.exit(f"{answer['dags']} of {count} DAGs of {kind} were parsed")
                found.setdefault(kind, []).append((answer["seconds"], answer["cpu_seconds"]))
        return _medians(found)

    def _pass(self, kind: str, count: int) -> tuple[float, float]:
        """Seconds and CPU seconds of one pass over a folder, all of whose DAGs must be in the database then."""
        home = self._home(f"{kind}-{count}")
        database = home / "airflow.db"
        shutil.copy(self._clean, database)
        command: list[str | Path] = [self._bin / "airflow", "dag-processor", "--num-runs", "1"]
        before = _cpu()
        seconds = measure.timed(lambda: measure.command(command, home, self._environ(home, kind, count)))
        cpu = _cpu() - before
        with sqlite3.connect(database) as opened:
            ((dags_read,),) = opened.execute("select count(*) from serialized_dag").fetchall()
        if dags_read != count:
            sys.exit(f"{dags_read} of {count} DAGs of {kind} were read")
        return seconds, cpu

    def _file(self, kind: str, count: int, dag_id: str) -> Path:
        """The DAG file that a worker is told to parse: Airflow has noted it with the DAG."""
        with sqlite3.connect(self._folder / f"airflow-{kind}-{count}" / "airflow.db") as database:
            ((place,),) = database.execute("select fileloc from dag where dag_id = ?", [dag_id]).fetchall()
        return Path(place)

    def _dags(self, kind: str, count: int) -> Path:
        return self._folder / f"{kind}-{count}"

    def _home(self, name: str) -> Path:
        """A home of Airflow, empty."""
        home = self._folder / f"airflow-{name}"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        return home

    def _environ(self, home: Path, kind: str, count: int) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.peer) if kind == "dag_factory" else "",
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self._dags(kind, count)),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # Airflow's own limits (30 and 50 s) are for files of people; one of 2,000 DAGs may take longer here.
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
            "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "600",
            "DO_NOT_TRACK": "1",
        }


def _cpu() -> float:
    """CPU seconds of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _medians(found: Mapping[str, Sequence[tuple[float, float]]]) -> Figures:
    return {
        kind: {
            what: round(statistics.median(values), 3)
            for what, values in zip(("seconds", "cpu_seconds"), zip(*of, strict=True), strict=True)
        }
        for kind, of in found.items()
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
