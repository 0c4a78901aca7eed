"""InvokeRestApi in the embedded AWS: which calls MWAA refuses, and as whom Airflow is asked."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from penstock.local.aws import airflow_api, iam
from penstock.local.aws.airflow_server import Server, Users
from tests.unit.local.servers import server

NAME = "acme-dev"


class FakeAirflow(ThreadingHTTPServer):
    """Answers every call with what it was, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[tuple[str, str, str, Any]] = []
        self.refuses: list[int] = []
        """Statuses of the next answers."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeAirflow

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = json.loads(body) if body else None
        said = self.headers.get("Authorization") or ""
        self.server.calls.append((self.command, self.path, said, data))
        if self.path == "/auth/token":
            status, answer = 201, {"access_token": f"token-of-{data['username']}-{len(self.server.calls)}"}
        else:
            status = self.server.refuses.pop(0) if self.server.refuses else 200
            answer = {"path": self.path}
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = _any

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def fake() -> Iterator[FakeAirflow]:
    with FakeAirflow() as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield one
        one.shutdown()


def stands_in(fake: FakeAirflow, version: str) -> Server:
    """The fake one, as what stands for an environment."""
    return Server(NAME, version, fake.url, server(version).users())


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ({"Path": "/dags", "Method": "GET"}, None),
        ({"Path": "/" + "d" * 63, "Method": "GET"}, None),
        ({"Path": "/" + "d" * 64, "Method": "GET"}, "length less than or equal to 64"),
        ({"Path": "", "Method": "GET"}, "'path' failed to satisfy constraint"),
        ({"Method": "GET"}, "'path' failed to satisfy constraint"),
        ({"Path": "/dags", "Method": "HEAD"}, "'method' failed to satisfy constraint"),
    ],
)
def test_what_mwaa_refuses_before_it_asks_airflow(call: dict[str, str], what: str | None) -> None:
    """The limits of botocore's model."""
    found = airflow_api.problem(call)

    assert (found is None) if what is None else (found is not None and what in found)


def test_airflow_3_is_asked_with_a_token_of_the_roles_own_user(fake: FakeAirflow) -> None:
    """The token is kept for the next call; one that has run out is fetched again."""
    users, there = Users(), stands_in(fake, "3.0.6")
    call = {"Path": "/dags", "Method": "GET", "QueryParameters": {"limit": "100", "offset": "0"}}
    first, second = (users.send(there, "Viewer", call) for _ in range(2))
    fake.refuses.append(401)
    third = users.send(there, "Viewer", call)

    assert [status for status, _ in (first, second, third)] == [200, 200, 200]
    assert [path for _, path, _, _ in fake.calls] == [
        "/auth/token", *["/api/v2/dags?limit=100&offset=0"] * 3, "/auth/token", "/api/v2/dags?limit=100&offset=0",
    ]  # fmt: skip
    assert fake.calls[0][3]["username"] == "mwaa-viewer"
    assert fake.calls[-1][2] == "Bearer token-of-mwaa-viewer-5"


def test_airflow_2_gets_the_user_by_its_own_api(fake: FakeAirflow) -> None:
    """Made once by the administrator, with just that role; a user who is there already is taken."""
    there = stands_in(fake, "2.11.0")
    fake.refuses.append(409)
    status, _ = Users().send(there, "Viewer", {"Path": "/dags?order_by=dag_id", "Method": "GET"})
    made, asked = fake.calls

    assert status == 200
    assert (made[0], made[1], made[3]["roles"]) == ("POST", "/api/v1/users", [{"name": "Viewer"}])
    assert base64.b64decode(made[2].removeprefix("Basic ")).startswith(b"admin:")
    assert asked[1] == "/api/v1/dags?order_by=dag_id"
    assert base64.b64decode(asked[2].removeprefix("Basic ")).startswith(b"mwaa-viewer:")


def test_body_goes_along_and_query_is_added(fake: FakeAirflow) -> None:
    """As a mapping or as text, since the package sends either."""
    users, there = Users(), stands_in(fake, "3.0.6")
    for body in ({"is_paused": True}, '{"is_paused": true}'):
        call = {"Path": "/dags/a?x=1", "Method": "PATCH", "Body": body, "QueryParameters": {"y": "2"}}
        users.send(there, "Admin", call)

    assert [sent[1:2] + sent[3:] for sent in fake.calls[1:]] == [("/api/v2/dags/a?x=1&y=2", {"is_paused": True})] * 2


def test_what_stands_for_the_environment_is_read_back(tmp_path: Path) -> None:
    """Its passwords are for its owner only."""
    there = Server(NAME, "3.0.6", "http://127.0.0.1:8080", server("3.0.6").users())
    assert Server.load(tmp_path) is None
    there.write(tmp_path)

    assert Server.load(tmp_path) == there
    assert (tmp_path / "airflow.json").stat().st_mode & 0o777 == 0o600


def test_caller_acts_as_the_mightiest_role_that_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Granted on `role/<environment>/<role>`; who is granted none is asked about the least."""
    granted = {"Viewer", "User"}

    def denial(_action: str, resource: str, _context: Any = None) -> str | None:
        return None if resource.rpartition("/")[2] in granted else "denied"

    monkeypatch.setattr(iam, "caller_denial", denial)
    assert str(iam.mwaa_resource("/restapi/acme-dev")).endswith(":role/acme-dev/User")
    granted.clear()
    assert str(iam.mwaa_resource("/restapi/acme-dev")).endswith(":role/acme-dev/Public")
    assert str(iam.mwaa_resource("/environments/acme-dev")).endswith(":environment/acme-dev")
