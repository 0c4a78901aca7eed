"""Real Airflow in the embedded mode: its settings, its processes, how it is made ready to start.

The leanest Airflow that is still a real one: LocalExecutor on PostgreSQL, every component a process of its
own, all of it on 127.0.0.1. What MWAA sets itself (executor, broker, logging to CloudWatch) differs here;
the project's own Airflow options are applied as on MWAA.

Airflow 3 has api-server, scheduler, dag-processor and triggerer; Airflow 2 has webserver, scheduler and
triggerer.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penstock.local import cache
from penstock.local.airflow_client import AirflowClient
from penstock.local.aws.endpoint import AIRFLOW_ROLES
from penstock_runtime import contract
from penstock_runtime.errors import PenstockError

__all__ = ["AirflowClient", "AirflowServer", "Component"]

USER = "admin"
_ADMIN = f"--role Admin --username {USER} --firstname Penstock --lastname Admin --email admin@localhost".split()
_SIMPLE = "airflow.api_fastapi.auth.managers.simple"
PREPARE_SECONDS = 180
"""Creating the metadata database takes 4 to 6 seconds on two cores."""


@dataclass(frozen=True)
class Component:
    """One process of Airflow."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class AirflowServer:
    """One Airflow on this machine."""

    version: str
    """`3.0.6`, `2.11.0`."""
    environment: Path
    """The virtual environment that holds it."""
    home: Path
    """AIRFLOW_HOME: settings, logs."""
    dags: Path
    """The DAG folder."""
    database: str
    """Metadata database: `postgresql://user:password@host:port/name`."""
    port: int
    """Of the web page and the REST API, on 127.0.0.1."""
    password: str
    """Of the user `admin`."""
    secret: str
    """Every key of the installation is made of it; any text of good length."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Airflow configuration options of the project, `section.key` to value, as MWAA takes them."""
    plugins: Path | None = None
    """Folder that plugins.zip was unpacked into; None: Airflow's own, which is empty. Another archive is another
    folder, so that a change of it is one of the settings."""

    @property
    def major(self) -> int:
        """2 or 3."""
        return int(self.version.split(".")[0])

    @property
    def user(self) -> str:
        """The one user; see `password`."""
        return USER

    @property
    def url(self) -> str:
        """Address of the web page and the REST API."""
        return f"http://127.0.0.1:{self.port}"

    def users(self) -> dict[str, tuple[str, str]]:
        """Role → name and password of a user who has it: `admin`, and those that MWAA's InvokeRestApi acts as.

        Airflow 3 has them all from its start; Airflow 2 gets them by its API, when they are needed.
        """
        return {
            role: (USER, self.password) if role == "Admin" else (f"mwaa-{role.lower()}", self._key(role)[:32])
            for role in AIRFLOW_ROLES
        }

    def client(self) -> AirflowClient:
        """A client of its REST API."""
        return AirflowClient(self.version, self.url, self.user, self.password)

    def components(self) -> tuple[Component, ...]:
        """The processes to start, in any order; each runs in the foreground and ends on SIGTERM.

        Task logs are read from the disk that they share; the log servers would listen on every address.
        """
        front = ("api-server",) if self.major >= 3 else ("webserver",)
        names = [front, ("scheduler", "--skip-serve-logs"), ("triggerer", "--skip-serve-logs")]
        if self.major >= 3:
            names.append(("dag-processor",))
        return tuple(Component(f"airflow-{name[0]}", (self.command, *name)) for name in names)

    def environ(self) -> dict[str, str]:
        """Environment variables of every component, to be added to those of the machine and of AWS."""
        settings = {
            "core.load_examples": "False",
            "core.dags_folder": str(self.dags),
            "core.executor": "LocalExecutor",
            "core.parallelism": "4",
            "core.fernet_key": self._fernet_key(),
            "database.sql_alchemy_conn": "postgresql+psycopg2://" + self.database.partition("://")[2],
            "logging.base_log_folder": str(self.home / "logs"),
            "scheduler.scheduler_heartbeat_sec": "2",
            "webserver.secret_key": self._key("webserver"),
            "usage_data_collection.enabled": "False",
            **({"core.plugins_folder": str(self.plugins)} if self.plugins else {}),
            **(self._settings_of_3() if self.major >= 3 else self._settings_of_2()),
            **self.options,
        }
        paths = os.pathsep.join([str(self.environment / "bin"), os.environ.get("PATH", os.defpath)])
        return {
            "AIRFLOW_HOME": str(self.home),
            "PATH": paths,
            # Shared by all systems of this machine: an environment is the same wherever its lock is.
            contract.VENVS: str(cache.root() / "worker-venvs"),
            **{f"AIRFLOW__{name.replace('.', '__', 1).upper()}": value for name, value in settings.items()},
        }

    def prepare(self, environ: Mapping[str, str], log: Path) -> None:
        """Write its files, and create or migrate its metadata database. May run again.

        Args:
            environ: what the processes get besides `environ()`; PATH and HOME at least.
            log: file that takes the commands' output.

        Raises:
            PenstockError: a command failed; says where its output is.
        """
        for folder in (self.home / "logs", self.dags):
            folder.mkdir(parents=True, exist_ok=True)
        if self.major >= 3:
            self._passwords_file.touch(mode=0o600)
            self._passwords_file.write_text(json.dumps(dict(self.users().values())))
        self._run(("db", "migrate"), environ, log)
        if self.major < 3:
            # Asks for the password twice; on a command line, every user of the machine could read it.
            self._run(("users", "create", *_ADMIN), environ, log, stdin=f"{self.password}\n" * 2)

    def _settings_of_3(self) -> dict[str, str]:
        return {
            "api.host": "127.0.0.1",
            "api.port": str(self.port),
            "api.base_url": self.url,
            "api.workers": "1",
            "api.secret_key": self._key("webserver"),
            "api_auth.jwt_secret": self._key("jwt"),
            "core.execution_api_server_url": f"{self.url}/execution/",
            "core.auth_manager": f"{_SIMPLE}.simple_auth_manager.SimpleAuthManager",
            "core.simple_auth_manager_users": ",".join(
                f"{name}:{role.lower()}" for role, (name, _) in self.users().items() if role != "Public"
            ),
            "core.simple_auth_manager_passwords_file": str(self._passwords_file),
            # How soon a new or changed file in the DAG folder is seen, in seconds.
            "dag_processor.refresh_interval": "2",
            "dag_processor.bundle_refresh_check_interval": "1",
        }

    def _settings_of_2(self) -> dict[str, str]:
        return {
            "webserver.web_server_host": "127.0.0.1",
            "webserver.web_server_port": str(self.port),
            "webserver.base_url": self.url,
            "webserver.workers": "1",
            "api.auth_backends": (
                "airflow.providers.fab.auth_manager.api.auth.backend.basic_auth,airflow.api.auth.backend.session"
            ),
            "scheduler.dag_dir_list_interval": "2",
        }

    @property
    def command(self) -> str:
        """The program `airflow`."""
        return str(self.environment / "bin" / "airflow")

    @property
    def _passwords_file(self) -> Path:
        return self.home / "passwords.json"

    def _key(self, purpose: str) -> str:
        return hashlib.sha512(f"{purpose}:{self.secret}".encode()).hexdigest()

    def _fernet_key(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(f"fernet:{self.secret}".encode()).digest()).decode()

    def _run(self, arguments: Sequence[str], environ: Mapping[str, str], log: Path, stdin: str = "") -> None:
        command = f"airflow {arguments[0]} {arguments[1]}"
        with log.open("a") as output:
            try:
                done = subprocess.run(
                    [self.command, *arguments],
                    env={**environ, **self.environ()},
                    input=stdin,
                    text=True,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=PREPARE_SECONDS,
                    check=False,
                    start_new_session=True,  # without a terminal, passwords are read from stdin
                )
            except subprocess.TimeoutExpired as error:
                raise PenstockError(
                    f"`{command}` did not end within {PREPARE_SECONDS} seconds",
                    fix=f"read {log}, then run penstock up again",
                ) from error
        if done.returncode != 0:
            raise PenstockError(
                f"`{command}` ended with {done.returncode}", fix=f"read {log}, then run penstock up again"
            )
