"""The Airflow that stands for an MWAA environment, as the embedded AWS reaches it. Imports nothing of the emulator."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from penstock.local import files
from penstock.local.aws.endpoint import AIRFLOW_ROLES

STATE_FILE = "airflow.json"
"""Written by whoever starts Airflow: a `Server`."""
TIMEOUT_SECONDS = 10
"""How long MWAA waits. Source: MWAA User Guide, "Using the Apache Airflow REST API"."""
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Server:
    """The Airflow that stands for an MWAA environment."""

    environment: str
    version: str
    url: str
    users: Mapping[str, tuple[str, str]]
    """Airflow role → name and password of a user who has it. In Airflow 2 only the first is there from the start."""

    def write(self, state: Path) -> None:
        """Tell the embedded AWS whose state folder this is; the file is its owner's only."""
        files.write(state / STATE_FILE, json.dumps(asdict(self)))

    @classmethod
    def load(cls, state: Path) -> Server | None:
        """What `write` wrote; None: no Airflow has been started."""
        try:
            data = json.loads((state / STATE_FILE).read_text())
        except FileNotFoundError:
            return None
        return cls(**{**data, "users": {role: tuple(user) for role, user in data["users"].items()}})

    @property
    def is_three(self) -> bool:
        """Whether it is Airflow 3, which has another API and other log-ins."""
        return not self.version.startswith("2.")

    @property
    def api(self) -> str:
        """What a call's path follows; MWAA's paths begin behind the API's version."""
        return f"{self.url}/api/{'v2' if self.is_three else 'v1'}"


class Users:
    """Log-ins of the users that stand for Airflow's roles; kept, because each takes a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], str] = {}

    def send(self, server: Server, role: str, call: Mapping[str, Any]) -> tuple[int, bytes]:
        """Airflow's answer to a call of a user with that role: status and content."""
        query = call.get("QueryParameters") or {}
        mark = "&" if "?" in call["Path"] else "?"
        address = server.api + call["Path"] + (mark + urlencode(query, doseq=True) if query else "")
        body = call.get("Body")
        for attempt in (1, 2):
            header = self._authorization(server, role, again=attempt == 2)
            status, answer = _send(call["Method"], address, body, header)
            if status != 401:
                break
        return status, answer

    def _authorization(self, server: Server, role: str, *, again: bool) -> str:
        key = server.url, role
        with self._lock:
            if again or key not in self._made:
                self._made[key] = _token(server, role) if server.is_three else _basic(server, role)
            return self._made[key]


def _token(server: Server, role: str) -> str:
    name, password = server.users[role]
    status, answer = _send("POST", f"{server.url}/auth/token", {"username": name, "password": password}, None)
    if status >= 400:
        raise ValueError(f"it refuses the log-in of {name} with {status}")
    return f"Bearer {json.loads(answer)['access_token']}"


def _basic(server: Server, role: str) -> str:
    """Airflow 2 has one user; whoever else is needed is made by its own API."""
    name, password = server.users[role]
    admin = "Basic " + base64.b64encode(":".join(server.users[AIRFLOW_ROLES[0]]).encode()).decode()
    if role == AIRFLOW_ROLES[0]:
        return admin
    user = {
        "username": name, "password": password, "email": f"{name}@localhost", "first_name": "MWAA", "last_name": role,
        "roles": [{"name": role}],
    }  # fmt: skip
    status, _ = _send("POST", f"{server.api}/users", user, admin)
    if status >= 400 and status != 409:
        raise ValueError(f"it does not make the user {name}: {status}")
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def _send(method: str, address: str, body: Any, authorization: str | None) -> tuple[int, bytes]:
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(address, data=data, headers=headers, method=method)
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with contextlib.closing(error):
            return error.code, error.read()
