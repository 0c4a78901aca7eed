"""A small client of Airflow's REST API, version 2 (Airflow 3) and version 1 (Airflow 2), for the commands."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from penstock_runtime.errors import PenstockError

TIMEOUT_SECONDS = 30.0
PAGE = 100
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Dag:
    """A DAG that Airflow has parsed."""

    dag_id: str
    paused: bool
    tags: tuple[str, ...]
    timetable: str
    """When it runs, in Airflow's words: the cron expression (3) or its description (2)."""
    parsed: datetime
    """When its file was read last."""
    file: str = ""
    """Path of its file."""
    description: str = ""


@dataclass(frozen=True)
class ImportProblem:
    """A DAG file that Airflow could not read."""

    file: str
    """Its path, below the DAG folder (3) or from the root (2)."""
    trace: str
    at: datetime
    """When Airflow last tried."""


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG."""

    run_id: str
    kind: str
    """Airflow's own word: manual, scheduled, backfill, …."""
    state: str
    start: datetime | None = None
    """When it began; None while it is queued."""


@dataclass(frozen=True)
class TaskInstance:
    """One Airflow task of one run, at its latest try."""

    task_id: str
    state: str | None
    """Airflow's own word: queued, running, success, failed, up_for_retry, …; None before it is scheduled."""
    try_number: int
    start: str | None
    end: str | None
    seconds: float | None
    """Duration of the try; None before its end."""


class AirflowClient:
    """Talks to one Airflow, as its one user.

    Raises, from every method but `healthy`:
        PenstockError: Airflow does not answer, or refuses; says what it said.
    """

    def __init__(self, version: str, url: str, user: str, password: str) -> None:
        self.url, self.user = url, user
        self._password = password
        self._three = int(version.split(".")[0]) >= 3
        self._api = f"{url}/api/v2" if self._three else f"{url}/api/v1"
        self._token = ""

    def healthy(self, since: datetime) -> bool:
        """Whether every component has sent a heartbeat after `since`, which has a time zone; False while
        starting.

        An earlier heartbeat may be that of the last start: Airflow takes it for a living one for half a
        minute.
        """
        try:
            address = f"{self._api}/monitor/health" if self._three else f"{self.url}/health"
            with _OPENER.open(address, timeout=TIMEOUT_SECONDS) as response:
                health = json.load(response)
        except (OSError, ValueError):  # refused, reset, or half an answer: it is starting
            return False
        beats = {"scheduler": "latest_scheduler_heartbeat", "triggerer": "latest_triggerer_heartbeat"}
        if self._three:
            beats["dag_processor"] = "latest_dag_processor_heartbeat"
        for component, name in beats.items():
            beat = (health.get(component) or {}).get(name)
            if beat is None or datetime.fromisoformat(beat) < since:
                return False
        return True

    def dags(self) -> list[Dag]:
        """The DAGs that Airflow knows now."""
        found: list[Dag] = []
        while True:
            answer = self._call("GET", f"/dags?{urlencode({'limit': PAGE, 'offset': len(found)})}")
            for one in answer["dags"]:
                tags = tuple(sorted(tag["name"] for tag in one["tags"]))
                timetable = one.get("timetable_summary") or one.get("timetable_description") or ""
                parsed = datetime.fromisoformat(one["last_parsed_time"])
                file, description = one.get("fileloc") or "", one.get("description") or ""
                found.append(Dag(one["dag_id"], one["is_paused"], tags, timetable, parsed, file, description))
            if len(found) >= answer["total_entries"] or not answer["dags"]:
                return found

    def import_errors(self) -> list[ImportProblem]:
        """DAG files that Airflow could not read."""
        answer = self._call("GET", f"/importErrors?limit={PAGE}")
        return [
            ImportProblem(one["filename"], one["stack_trace"], datetime.fromisoformat(one["timestamp"]))
            for one in answer["import_errors"]
        ]

    def wait_for_dags(self, dag_ids: Collection[str], *, seconds: float, since: datetime | None = None) -> None:
        """Wait until Airflow has parsed these DAGs; with `since` (with time zone), after that moment.

        Raises:
            PenstockError: a DAG file cannot be read, or `seconds` went by.
        """
        wanted = set(dag_ids)
        deadline = time.monotonic() + seconds
        while missing := wanted - {dag.dag_id for dag in self.dags() if since is None or dag.parsed > since}:
            if time.monotonic() > deadline:
                errors = "".join(f"\n{error.file}:\n{error.trace}" for error in self.import_errors())
                raise PenstockError(
                    f"Airflow has no DAG {', '.join(sorted(missing))} after {seconds:.0f} seconds{errors}",
                    fix="mend the file named above"
                    if errors
                    else "read the log of airflow-dag-processor or airflow-scheduler",
                )
            time.sleep(0.5)

    def paused(self, dag_id: str) -> bool:
        """Whether the DAG's runs are held back."""
        return bool(self._call("GET", f"/dags/{quote(dag_id)}")["is_paused"])

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        """Hold the DAG's runs back, or let them start."""
        self._call("PATCH", f"/dags/{quote(dag_id)}", {"is_paused": paused})

    def trigger(self, dag_id: str, run_id: str | None = None) -> str:
        """Start a run by hand and return its id. A paused DAG leaves it queued: see `set_paused`."""
        body: dict[str, Any] = {} if run_id is None else {"dag_run_id": run_id}
        if self._three:
            body["logical_date"] = None
        answer = self._call("POST", f"/dags/{quote(dag_id)}/dagRuns", body)
        return str(answer["dag_run_id"])

    def runs(self, dag_id: str) -> list[DagRun]:
        """The latest runs of a DAG, by hand and by its interval, the newest first."""
        order = "-run_after" if self._three else "-execution_date"
        answer = self._call("GET", f"/dags/{quote(dag_id)}/dagRuns?{urlencode({'limit': PAGE, 'order_by': order})}")
        return [
            DagRun(
                one["dag_run_id"],
                one["run_type"],
                one["state"],
                datetime.fromisoformat(one["start_date"]) if one.get("start_date") else None,
            )
            for one in answer["dag_runs"]
        ]

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Queued, running, success or failed."""
        return str(self._call("GET", self._run(dag_id, run_id))["state"])

    def set_run_state(self, dag_id: str, run_id: str, state: str) -> None:
        """End a run as success or failed; its running tasks are killed."""
        self._call("PATCH", self._run(dag_id, run_id), {"state": state})

    def set_task_state(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        """Call an Airflow task success or failed; if it is running, it is killed."""
        body = {"new_state": state} if self._three else {"new_state": state, "dry_run": False}
        self._call("PATCH", f"{self._run(dag_id, run_id)}/taskInstances/{quote(task_id)}", body)

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """The Airflow tasks of a run."""
        answer = self._call("GET", f"{self._run(dag_id, run_id)}/taskInstances?limit={PAGE}")
        return [
            TaskInstance(
                one["task_id"],
                one["state"],
                one["try_number"],
                one["start_date"],
                one["end_date"],
                one["duration"],
            )
            for one in answer["task_instances"]
        ]

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> str:
        """The task log of one try, as text."""
        path = f"{self._run(dag_id, run_id)}/taskInstances/{quote(task_id)}/logs/{try_number}?full_content=true"
        if not self._three:
            return self._send("GET", path, accept="text/plain").decode(errors="replace")
        content = self._call("GET", path)["content"]
        return "\n".join(line for entry in content for line in _lines(entry)) + "\n"

    def _run(self, dag_id: str, run_id: str) -> str:
        return f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(self._send(method, path, body))

    def _send(self, method: str, path: str, body: Any = None, accept: str = "application/json") -> bytes:
        headers = {
            "Accept": accept,
            "Content-Type": "application/json",
            "Authorization": self._authorization(),
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._api + path, data=data, headers=headers, method=method)
        return self._answer(lambda: _OPENER.open(request, timeout=TIMEOUT_SECONDS), f"{method} {path}")

    def _authorization(self) -> str:
        if not self._three:
            return "Basic " + base64.b64encode(f"{self.user}:{self._password}".encode()).decode()
        if not self._token:
            body = json.dumps({"username": self.user, "password": self._password}).encode()
            request = urllib.request.Request(
                f"{self.url}/auth/token", data=body, headers={"Content-Type": "application/json"}
            )
            answer = self._answer(lambda: _OPENER.open(request, timeout=TIMEOUT_SECONDS), "POST /auth/token")
            self._token = json.loads(answer)["access_token"]
        return f"Bearer {self._token}"

    def _answer(self, send: Callable[[], Any], what: str) -> bytes:
        try:
            with send() as response:
                content: bytes = response.read()
                return content
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:500]
            raise PenstockError(f"Airflow answers {what} with {error.code}: {said}", fix="see its log") from error
        except OSError as error:
            raise PenstockError(f"Airflow at {self.url} does not answer: {error}", fix="run penstock up") from error


def _lines(entry: Any) -> list[str]:
    """One entry of Airflow 3's structured log as text: message, then the exception if it carries one."""
    if isinstance(entry, str):
        return [entry]
    if entry["event"].startswith(("::group::", "::endgroup::")):
        return []
    details = entry.get("error_detail") or []
    return [entry["event"], *(f"{one['exc_type']}: {one['exc_value']}" for one in details)]
