"""What becomes of runs of real Airflow that something goes wrong for: many at once on one system. Tests import it.

A `Row` is one fault and the schedule that it befalls; `Table.play` starts the runs of several rows together, lets each
have its fault, and reports on each what ECS and Airflow's task log say. Rules of the fault proxy name their row's run,
by `startedBy` or by the Fargate task's id, so that rows do not disturb each other.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from penstock.local import fargate, images, system
from penstock.local.faults.client import Faults
from penstock.local.run import ENDED
from penstock_runtime.errors import PenstockError
from tests.functional.embedded_system import EmbeddedSystem
from tests.functional.fault_project import LINES, NO_IMAGE, NO_SECRET, PLUGINS, TASK, flag, project
from tests.functional.fault_row import Play, Report, Row

LINE = r"(?:^|INFO - )line (\d+)$"
"""Airflow 2 writes time and place before a line of its log."""
ORPHAN_SECONDS = 60
"""A Fargate task that still runs so long after its Airflow run's end has been lost."""
APART_SECONDS = 1.2
"""Between the starts of two rows: Airflow needs most of a core for each."""
MOST_STARTING = 4
"""So many rows at most wait for Airflow to start their process when another is started: a slow machine takes its time,
and a scheduler with too much at once takes itself for dead."""
PATIENCE_SECONDS = 180
SECONDS = 900
"""A table that takes longer is broken: what has not come to its end by then is reported all the same. With room for a
machine that is much slower than most."""


class Table:
    """The rows of one system, which is brought up with all their schedules.

    Args:
        folder: for the project; empty.
        rows: all that will be played.
        airflow: its version.
        deferrable: whether Airflow waits in its triggerer.
        line: what a command's line looks like in Airflow's log.
    """

    def __init__(self, folder: Path, rows: Sequence[Row], *, airflow: str, deferrable: bool, line: str = LINE) -> None:
        self._line = re.compile(line, re.MULTILINE)
        self._rules = threading.Lock()
        self.embedded = EmbeddedSystem(folder, secrets={"GONE": "x"})
        self.embedded.file.write_text(project(folder, rows, airflow, deferrable=deferrable))
        (folder / "faults.yaml").write_text("faults: []\n")
        (folder / PLUGINS).mkdir()
        shutil.copy(Path(__file__).with_name("fault_plugin.py"), folder / PLUGINS)

    def up(self) -> None:
        """Bring the system up; take away what two of the rows miss."""
        self.deploy()
        place = system.faults_place(self.system.instance)
        assert place is not None
        self.faults = Faults(place.url)
        self.ecs: Any = self.system.endpoint.client("ecs")
        secrets: Any = self.system.endpoint.client("secretsmanager")
        secrets.delete_secret(SecretId=NO_SECRET, ForceDeleteWithoutRecovery=True)
        (self.embedded.state / "images" / images.file_name(NO_IMAGE)).unlink()

    def deploy(self) -> None:
        """Bring the system up, or up to date with the project file."""
        self.embedded.cli("up", "--faults", str(self.embedded.folder / "faults.yaml"))
        self.system = self.embedded.attach()

    def down(self) -> None:
        """End the system."""
        self.embedded.cli("down", check=False)

    def play_all(self, together: Sequence[Row], alone: Sequence[Row]) -> dict[str, Report]:
        """Play rows at the same time, then others one after the other; the reports are in `reports.json`, too."""
        found: dict[str, Report] = {}
        for rows in (together, *([row] for row in alone)):
            if not rows:
                continue
            with contextlib.ExitStack() as holding:
                for row in rows:
                    if row.within:
                        holding.enter_context(row.within(self))
                found |= self.play(rows)
            data = {name: asdict(report) for name, report in found.items()}
            (self.embedded.folder / "reports.json").write_text(json.dumps(data, indent=1))
        return found

    def play(self, rows: Sequence[Row]) -> dict[str, Report]:
        """Run rows at the same time, to the end of each; what became of each, by its name."""
        self.faults.set([_about(f"penstock/{row.name}/", rule) for row in rows for rule in row.starting])
        waiting, plays = list(rows), list[Play]()
        until, due = time.monotonic() + SECONDS, 0.0
        with ThreadPoolExecutor(len(rows)) as hands:
            # What has not come to its end by then is reported all the same.
            while (waiting or not all(self._is_over(play) for play in plays)) and time.monotonic() < until:
                if waiting and time.monotonic() > due and self._starting(plays) < MOST_STARTING:
                    row, due = waiting.pop(0), time.monotonic() + APART_SECONDS
                    plays.append(Play(row, [self._trigger(row) for _ in range(row.runs)]))
                for play in plays:
                    # Before the states are read, which what is done may change.
                    play.acted = play.acting is not None and play.acting.done()
                tasks, states = self.tasks(), self._states()
                for play in plays:
                    self._step(play, tasks, states, hands)
                time.sleep(0.5)
        return {play.row.name: self._report(play) for play in plays}

    def _trigger(self, row: Row) -> str:
        """Start a run. Airflow forgets a DAG for a while whose file takes too long to be read on a busy machine."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.system.airflow.trigger(row.name)
            except PenstockError:
                if time.monotonic() > until:
                    raise
            time.sleep(2)

    def tasks(self) -> list[dict[str, Any]]:
        """All Fargate tasks that the embedded ECS knows."""
        return fargate.described(self.ecs, self.system.plan.cluster)

    def counting(self, call: str, text: str) -> Callable[[], int]:
        """How often Airflow has made a call about this text from now on. Each comes a tenth of a second late."""
        with self._rules:
            self.faults.add([_about(text, {"call": call, "fault": "late", "seconds": 0.1})])
            number = len(self.faults.counts().seen) - 1
        return lambda: self.faults.counts().seen[number]

    def instance(self, play: Play) -> dict[str, Any]:
        """The row's Airflow task, as Airflow's REST API has it."""
        path = f"/dags/{play.row.name}/dagRuns/{play.run_ids[-1].replace('+', '%2B')}/taskInstances/{TASK}"
        found: dict[str, Any] = self.system.airflow._call("GET", path)
        return found

    def _starting(self, plays: Sequence[Play]) -> int:
        """How many rows wait for Airflow to start the process of their operator."""
        if all(play.begun for play in plays):
            return 0
        with contextlib.suppress(PenstockError):
            page = self.system.airflow._call("GET", "/dags/~/dagRuns/~/taskInstances?limit=100")
            begun = {one["dag_run_id"] for one in page["task_instances"] if one["start_date"]}
            for play in plays:
                play.begun = play.begun or play.run_id in begun
        return sum(not play.begun for play in plays)

    def _states(self) -> dict[tuple[str, str], str]:
        """Of all DAG runs, by DAG and run; empty while Airflow's API is gone, which may be what happens to a row."""
        found: dict[tuple[str, str], str] = {}
        with contextlib.suppress(PenstockError):
            while True:
                page = self.system.airflow._call("GET", f"/dags/~/dagRuns?limit=100&offset={len(found)}&order_by=id")
                found |= {(one["dag_id"], one["dag_run_id"]): one["state"] for one in page["dag_runs"]}
                if len(found) >= page["total_entries"]:
                    break
        return found

    def _step(
        self,
        play: Play,
        tasks: Sequence[dict[str, Any]],
        states: Mapping[tuple[str, str], str],
        hands: ThreadPoolExecutor,
    ) -> None:
        """Look at a row, and let happen what is due."""
        if self._is_over(play):
            return
        row, now = play.row, time.monotonic()
        own = [task for task in tasks if task["startedBy"].startswith(f"penstock/{row.name}/")]
        play.arns = {task["taskArn"]: task["lastStatus"] for task in own}
        alive = [task for task in own if task["lastStatus"] != "STOPPED"]
        if own and not play.watched and (alive or row.watching):
            play.watched = True
            number = own[0]["taskArn"].rsplit("/", 1)[-1]
            if row.watching:
                with self._rules:
                    self.faults.add([_about(number, rule) for rule in row.watching])
        if row.act and play.first_at is None and any(row.act_on in ("known", task["lastStatus"]) for task in own):
            play.first_at = now
        if row.act and play.acting is None and play.first_at is not None and now > play.first_at + row.act_after:
            play.acts_now()
            play.acting = hands.submit(self._act, play)
        play.quiet_at = None if alive else play.quiet_at or now
        ended = all(states.get((row.name, run_id)) in ENDED for run_id in play.run_ids)
        never = play.acting is None and play.quiet_at is not None and now > play.quiet_at + ORPHAN_SECONDS
        if play.ended_at is None and ended and (row.act is None or play.acted or never):
            play.ended_at = now

    def _act(self, play: Play) -> None:
        assert play.row.act
        try:
            play.row.act(self, play)
        finally:
            flag(self.embedded.folder, play.row).touch()

    def _is_over(self, play: Play) -> bool:
        if play.ended_at is None:
            return False
        return play.quiet_at is not None or time.monotonic() > play.ended_at + ORPHAN_SECONDS

    def _report(self, play: Play) -> Report:
        airflow, name = self.system.airflow, play.row.name
        error = repr(play.acting.exception() or "") if play.acting and play.acting.done() else "it was never done"
        own = sorted(
            (task for task in self.tasks() if task["startedBy"].startswith(f"penstock/{name}/")),
            key=lambda task: task["createdAt"],
        )
        tries = self.instance(play)["try_number"]
        logs = tuple(self.log(play, number) for number in range(1, tries + 1)) or ("",)
        shown = Counter(int(number) for number in self._line.findall(logs[-1]))
        return Report(
            states=tuple(airflow.run_state(name, run_id) for run_id in play.run_ids),
            tries=tries,
            started=len(own),
            most_at_once=_most_at_once(own),
            orphans=sum(task["lastStatus"] != "STOPPED" for task in own),
            lost=tuple(number for number in range(1, LINES + 1) if number not in shown),
            doubled=tuple(number for number, count in shown.items() if count > 1),
            quiet_after=None if play.acted_at is None else _quiet_after(own, play.acted_at),
            exits=tuple(task["containers"][0].get("exitCode") for task in own),
            reasons=tuple(task.get("stoppedReason", "") for task in own),
            log=logs[-1],
            logs=logs,
            error=error.strip("'") if play.row.act else "",
        )

    def log(self, play: Play, number: int) -> str:
        """Of one try; empty if Airflow has none."""
        try:
            return self.system.airflow.log(play.row.name, play.run_ids[-1], TASK, number)
        except PenstockError:
            return ""


def _most_at_once(tasks: Sequence[Mapping[str, Any]]) -> int:
    """How many ran at the same time at most; one that stops at the moment at which another begins does not count."""
    spans = [(task["createdAt"], task.get("stoppedAt")) for task in tasks]
    return max((sum(a <= begin and (b is None or b > begin) for a, b in spans) for begin, _ in spans), default=0)


def _quiet_after(tasks: Sequence[Mapping[str, Any]], moment: float) -> float | None:
    """Seconds from a moment to the end of the last task that was there; None: one still runs."""
    there = [task.get("stoppedAt") for task in tasks if task["createdAt"].timestamp() <= moment]
    return None if None in there else max((one.timestamp() - moment for one in there if one), default=0.0)


def _about(text: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    return {"from": "airflow", "containing": text, **rule}
