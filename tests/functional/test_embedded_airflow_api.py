"""InvokeRestApi of the embedded AWS: who may call it, as whom, and what comes back. Airflow is a small server here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from penstock.local.aws.airflow_server import STATE_FILE, Server
from penstock.local.aws.endpoint import AIRFLOW_ROLES
from tests.functional.embedded import Aws, aws, deploy
from tests.functional.embedded_mwaa import airflow

__all__ = ["aws"]


class _Airflow(BaseHTTPRequestHandler):
    """Answers with who asked for what."""

    def _any(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        answer: dict[str, Any] = {"who": self.headers.get("Authorization"), "path": self.path, "body": body}
        status = 200
        if self.path == "/auth/token":
            answer = {"access_token": body["username"]}
        for word, code in (("missing", 404), ("broken", 500)):
            status = code if word in self.path else status
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = _any

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def there(aws: Aws) -> Iterator[Aws]:
    """An environment, and what stands for its Airflow."""
    deploy(aws.endpoint, "airflow", airflow(aws))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Airflow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        users = {role: (role.lower(), "password") for role in AIRFLOW_ROLES}
        Server("acme", "3.0.6", f"http://127.0.0.1:{server.server_address[1]}", users).write(aws.endpoint.state)
        yield aws
        server.shutdown()
    (aws.endpoint.state / STATE_FILE).unlink()


def caller(aws: Aws, name: str, *roles: str) -> Any:
    """MWAA's client of a role that is granted these roles of Airflow in the environment `acme`."""
    place = f"arn:aws:airflow:{aws.endpoint.region}:{aws.endpoint.account}:role/acme"
    grant = {"Action": "airflow:InvokeRestApi", "Resource": [f"{place}/{role}" for role in roles]}
    return aws.client("mwaa", aws.role(name, *([grant] if roles else [])))


def test_call_is_made_as_the_role_that_is_granted(there: Aws) -> None:
    """The mightiest of several; path, query and body go along, and the answer comes back with its status."""
    viewer, op = caller(there, "viewer", "Viewer"), caller(there, "op", "Viewer", "Op")
    found = viewer.invoke_rest_api(Name="acme", Path="/dags", Method="GET", QueryParameters={"limit": "2"})
    by_op = op.invoke_rest_api(Name="acme", Path="/dags/a", Method="PATCH", Body={"is_paused": True})

    assert found["RestApiStatusCode"] == 200
    assert found["RestApiResponse"] == {"who": "Bearer viewer", "path": "/api/v2/dags?limit=2", "body": None}
    assert by_op["RestApiResponse"] == {"who": "Bearer op", "path": "/api/v2/dags/a", "body": {"is_paused": True}}


def test_who_is_granted_none_is_denied(there: Aws) -> None:
    """By IAM, before anything is asked of Airflow; and a grant on one environment is none on another."""
    for client, name in ((caller(there, "nobody"), "acme"), (caller(there, "elsewhere", "Admin"), "other")):
        with pytest.raises(client.exceptions.AccessDeniedException, match="airflow:InvokeRestApi"):
            client.invoke_rest_api(Name=name, Path="/dags", Method="GET")


def test_what_airflow_refuses_is_an_error_of_its_own(there: Aws) -> None:
    """With Airflow's status and answer."""
    client = there.client("mwaa")
    with pytest.raises(client.exceptions.RestApiClientException) as refused:
        client.invoke_rest_api(Name="acme", Path="/dags/missing", Method="GET")
    with pytest.raises(client.exceptions.RestApiServerException) as broken:
        client.invoke_rest_api(Name="acme", Path="/dags/broken", Method="GET")

    assert refused.value.response["RestApiStatusCode"] == 404
    assert refused.value.response["RestApiResponse"]["path"] == "/api/v2/dags/missing"
    assert broken.value.response["RestApiStatusCode"] == 500


def test_mwaas_own_refusals(there: Aws) -> None:
    """A path of more than 64 characters, another method, an environment that does not exist or has no Airflow here."""
    client = there.client("mwaa")
    with pytest.raises(client.exceptions.ValidationException, match="less than or equal to 64"):
        client.invoke_rest_api(Name="acme", Path="/" + "d" * 64, Method="GET")
    with pytest.raises(client.exceptions.ValidationException, match="enum value set"):
        client.invoke_rest_api(Name="acme", Path="/dags", Method="HEAD")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke_rest_api(Name="other", Path="/dags", Method="GET")
    (there.endpoint.state / STATE_FILE).write_text(
        json.dumps({"environment": "another", "version": "3.0.6", "url": "http://127.0.0.1:1", "users": {}})
    )
    with pytest.raises(client.exceptions.InternalServerException, match="no Airflow runs here"):
        client.invoke_rest_api(Name="acme", Path="/dags", Method="GET")
