"""The operator `virtualenv` under real Airflow, with a stand-in package: secrets, environment, log, failures, kills."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import worker_package
from samples import DAILY, RELEASE, write_bundle

from penstock_runtime import contract
from penstock_runtime.plan.schedule import WorkerTask

PASSWORD = 's3cret-"quoted"-value'
NAMES = ("succeeds", "again", "fails", "killed-waits", "no-secret", "no-field", "no-lock")


@pytest.fixture(scope="session")
def secrets() -> Iterator[str]:
    """Secrets Manager, as far as the operator uses it; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = asked["SecretId"] == "warehouse"
            body: dict[str, Any] = {"SecretString": json.dumps({"password": PASSWORD})}
            if not known:
                body = {"__type": "AccessDeniedException", "message": "not allowed"}
            data = json.dumps(body).encode()
            self.send_response(200 if known else 400)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def ran(under_airflow: Any, secrets: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One task for each way in which such a task can end."""
    folder = tmp_path_factory.mktemp("worker")
    lock = worker_package.write(folder)
    files = {f"{contract.REQUIREMENTS_PREFIX}/{_sha256(lock)}.txt": lock}
    tasks = []
    for name in NAMES:
        does = "fails" if name == "fails" else "waits" if "waits" in name else "ends"
        text = json.dumps({"does": does, "password": "${PASSWORD}", "host": "${HOST}"})
        files[f"{contract.CONFIGS_PREFIX}/{_sha256(text)}.yaml"] = text
        reference = {"no-secret": "secretsmanager:other", "no-field": "secretsmanager:warehouse#user"}
        task = WorkerTask(
            name=name,
            after=(),
            operator="virtualenv",
            engine="openmetadata",
            timeout_minutes=5,
            environment={"HOST": "{{ ds }}"},
            names=("HOST", "PASSWORD"),
            workflow_type="metadata",
            config=_sha256(text),
            secrets={"PASSWORD": reference.get(name, "secretsmanager:warehouse#password")},
            requirements="0" * 64 if name == "no-lock" else _sha256(lock),
        )
        tasks.append(task)
    write_bundle(folder / "dags", replace(DAILY, dag_id="worker", tasks=tuple(tasks)))
    for path, text in files.items():
        target = folder / "dags" / "acme-dev" / "release" / RELEASE / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)
    environ = {
        "AWS_ENDPOINT_URL": secrets,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        contract.VENVS: str(folder / "venvs"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
    }
    found: dict[str, Any] = under_airflow("run_tasks.py", folder / "dags", "worker", environ=environ)
    return found


def test_it_runs_in_an_environment_of_its_own(ran: dict[str, Any]) -> None:
    """Its config is filled with a variable and a secret; braces stay; Airflow's own settings are not there; no XCom."""
    done = ran["succeeds"]

    assert (done["error"], done["value"]) == (None, None)
    assert "prefix is that of the environment: True" in done["log"]
    assert "database: None" in done["log"]
    assert "password *** of {{ ds }}" in done["log"]
    assert [line for line in done["log"] if line.startswith("penstock: done, exit code 0")]
    assert not [line for line in done["log"] if contract.METRIC_KEY in line]
    assert done["limit_seconds"] == (5 + 30) * 60


def test_the_environment_is_made_once(ran: dict[str, Any]) -> None:
    """The next task with the same lock finds it."""
    made = {name: [line for line in ran[name]["log"] if line.startswith("Installing ")] for name in NAMES}

    assert [name for name, lines in made.items() if lines] == ["succeeds"]


def test_failures_say_why(ran: dict[str, Any]) -> None:
    """The engine's own; a secret that may not be read, or lacks its field; a missing lock. None shows a value."""
    errors = {name: ran[name]["error"] or "" for name in NAMES}

    assert "exit code 1\n  cause: the engine ran and reported a failure" in errors["fails"]
    assert "| penstock: failed, exit code 1" in errors["fails"]
    assert any("all records failed" in line for line in ran["fails"]["log"])
    assert "secret PASSWORD (other) cannot be read" in errors["no-secret"]
    assert "docs/permissions.md" in errors["no-secret"]
    assert "has no field 'user'" in errors["no-field"]
    assert "is missing from the bundle" in errors["no-lock"]
    assert PASSWORD not in json.dumps(ran) + "".join(errors.values())


def test_a_kill_reaches_the_engine(ran: dict[str, Any]) -> None:
    """Long before its 60 seconds, and the error says who stopped it."""
    killed = ran["killed-waits"]

    assert "exit code 143" in killed["error"]
    assert "asked it to stop" in killed["error"]
    assert "status" not in killed["log"]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
