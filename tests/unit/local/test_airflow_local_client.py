"""The client of Airflow's REST API, against a server that answers as Airflow 3 and 2 do."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from penstock.local.airflow_client import AirflowClient
from penstock_runtime.errors import PenstockError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUN = "/dags/d/dagRuns/manual__2026%2B00%3A00"


class Server(ThreadingHTTPServer):
    """`answers`: "METHOD path" → (status, body). `asked`: the same names, with headers and body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[tuple[str, str | None, Any]] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = f"{self.command} {self.path}"
        self.server.asked.append((name, self.headers["Authorization"], json.loads(body) if body else None))
        status, answer = self.server.answers.get(name, (404, {"detail": f"no {name}"}))
        content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = _answer

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def airflow() -> Iterator[Server]:
    """A server without answers."""
    with Server() as server:
        server.answers["POST /auth/token"] = (201, {"access_token": "t0ken"})
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def three(server: Server) -> AirflowClient:
    return AirflowClient("3.0.6", server.url, "admin", "secret")


def two(server: Server) -> AirflowClient:
    return AirflowClient("2.11.0", server.url, "admin", "secret")


def test_trigger_on_3_has_no_logical_date(airflow: Server) -> None:
    """A manual run has none on Airflow 3, and the request carries the token of a login."""
    airflow.answers["POST /api/v2/dags/d/dagRuns"] = (200, {"dag_run_id": "manual__1"})

    assert three(airflow).trigger("d") == "manual__1"
    assert airflow.asked[0] == ("POST /auth/token", None, {"username": "admin", "password": "secret"})
    assert airflow.asked[1] == ("POST /api/v2/dags/d/dagRuns", "Bearer t0ken", {"logical_date": None})


def test_trigger_on_2_logs_in_with_each_request(airflow: Server) -> None:
    """Airflow 2 takes user and password, and no `logical_date: null`."""
    airflow.answers["POST /api/v1/dags/d/dagRuns"] = (200, {"dag_run_id": "mine"})

    assert two(airflow).trigger("d", "mine") == "mine"
    basic = "Basic " + base64.b64encode(b"admin:secret").decode()
    assert airflow.asked == [("POST /api/v1/dags/d/dagRuns", basic, {"dag_run_id": "mine"})]


def test_run_and_tasks(airflow: Server) -> None:
    """A run id may hold characters that an address may not."""
    task = {
        "task_id": "load",
        "state": "running",
        "try_number": 2,
        "start_date": "s",
        "end_date": None,
        "duration": None,
    }
    airflow.answers[f"GET /api/v2{RUN}"] = (200, {"state": "running"})
    airflow.answers[f"GET /api/v2{RUN}/taskInstances?limit=100"] = (200, {"task_instances": [task]})

    assert three(airflow).run_state("d", "manual__2026+00:00") == "running"
    (instance,) = three(airflow).task_instances("d", "manual__2026+00:00")
    assert (instance.task_id, instance.state, instance.try_number, instance.seconds) == ("load", "running", 2, None)


@pytest.mark.parametrize(("version", "order"), [(three, "-run_after"), (two, "-execution_date")])
def test_runs_are_listed_with_what_started_them(airflow: Server, version: Any, order: str) -> None:
    """The newest first, in each version's own order; an interval's run is told from one by hand."""
    runs = [{"dag_run_id": "a", "run_type": "scheduled", "state": "running"}]
    api = "v2" if version is three else "v1"
    airflow.answers[f"GET /api/{api}/dags/d/dagRuns?limit=100&order_by={order}"] = (200, {"dag_runs": runs})

    (run,) = version(airflow).runs("d")

    assert (run.run_id, run.kind, run.state) == ("a", "scheduled", "running")


def test_task_is_called_failed(airflow: Server) -> None:
    """Airflow 2 would only try it out without being told not to."""
    for api in ("v1", "v2"):
        airflow.answers[f"PATCH /api/{api}{RUN}/taskInstances/load"] = (200, {})

    for client in (two(airflow), three(airflow)):
        client.set_task_state("d", "manual__2026+00:00", "load", "failed")

    bodies = [body for name, _, body in airflow.asked if name.startswith("PATCH")]
    assert bodies == [{"new_state": "failed", "dry_run": False}, {"new_state": "failed"}]


def test_log_of_3_is_text(airflow: Server) -> None:
    """The structured log becomes lines, with an exception's name and words, without Airflow's folding marks."""
    content = [
        {"event": "::group::Log message source details", "timestamp": None},
        {"event": "row 1"},
        {"event": "Task failed", "error_detail": [{"exc_type": "PenstockError", "exc_value": "out of memory"}]},
    ]
    airflow.answers[f"GET /api/v2{RUN}/taskInstances/load/logs/1?full_content=true"] = (200, {"content": content})

    text = three(airflow).log("d", "manual__2026+00:00", "load", 1)

    assert text == "row 1\nTask failed\nPenstockError: out of memory\n"


def test_dags_are_read_to_the_last_page(airflow: Server) -> None:
    """Airflow gives 100 at a time."""

    def page(names: range) -> tuple[int, Any]:
        rest = {"is_paused": False, "tags": [{"name": "x"}], "timetable_summary": "0 3 * * *"}
        dags = [{"dag_id": f"d{n}", **rest, "last_parsed_time": NOW.isoformat()} for n in names]
        return 200, {"dags": dags, "total_entries": 130}

    airflow.answers["GET /api/v2/dags?limit=100&offset=0"] = page(range(100))
    airflow.answers["GET /api/v2/dags?limit=100&offset=100"] = page(range(100, 130))

    assert [dag.dag_id for dag in three(airflow).dags()] == [f"d{n}" for n in range(130)]


def test_waiting_for_a_dag_that_cannot_be_read(airflow: Server) -> None:
    """The error carries the traceback that Airflow has."""
    airflow.answers["GET /api/v2/dags?limit=100&offset=0"] = (200, {"dags": [], "total_entries": 0})
    errors = {"import_errors": [{"filename": "a.py", "stack_trace": "NameError: x", "timestamp": NOW.isoformat()}]}
    airflow.answers["GET /api/v2/importErrors?limit=100"] = (200, errors)

    with pytest.raises(PenstockError, match=r"no DAG d after 0 seconds(?s:.*)NameError: x"):
        three(airflow).wait_for_dags(["d"], seconds=0)


@pytest.mark.parametrize(("age", "healthy"), [(-1, True), (5, False)])
def test_only_a_fresh_heartbeat_of_all_is_healthy(airflow: Server, age: int, healthy: bool) -> None:
    """One component whose heartbeat is of the last start is enough to wait."""
    old = (NOW - timedelta(seconds=age)).isoformat()
    fresh = (NOW + timedelta(seconds=1)).isoformat()
    health = {
        "scheduler": {"latest_scheduler_heartbeat": fresh},
        "triggerer": {"latest_triggerer_heartbeat": fresh},
        "dag_processor": {"latest_dag_processor_heartbeat": old},
    }
    airflow.answers["GET /api/v2/monitor/health"] = (200, health)

    assert three(airflow).healthy(NOW) is healthy


def test_nothing_answers_yet() -> None:
    """While it starts nobody listens; that is not an error, but for every other question it is one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    client = AirflowClient("2.11.0", address, "admin", "secret")

    assert client.healthy(NOW) is False
    with pytest.raises(PenstockError, match="does not answer"):
        client.dags()


def test_refusal_is_told(airflow: Server) -> None:
    """What Airflow says reaches the user."""
    with pytest.raises(PenstockError, match=r"with 404: .*no GET /api/v2/dags/d/dagRuns/r"):
        three(airflow).run_state("d", "r")
