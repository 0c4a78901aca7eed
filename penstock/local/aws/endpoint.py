"""The way into a running embedded AWS: address, certificate, keys. For the desk; imports nothing of the emulator."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock_runtime.errors import PenstockError

if TYPE_CHECKING:  # elsewhere where it is used: loading it takes longer than a command that calls nobody
    import boto3

STATE_FILE = "aws.json"
"""Written by the server when it is ready: port, ca, account, region."""
ROOT_FILE = "root.json"
"""The root key of this server run, readable by its owner only."""
TASKS_FILE = "tasks-port"
"""The port by which tasks' containers reach this server, where it is another than the server's own: a proxy's."""
SESSION_SECONDS = 7 * 24 * 3600
"""How long `assume`'s sessions last. STS allows at most 12 hours; nobody renews the keys of a local Airflow, as
MWAA does on AWS, and a machine may be left up for days."""

AIRFLOW_ROLES = ("Admin", "Op", "User", "Viewer", "Public")
"""Airflow's own roles, the mightiest first: InvokeRestApi acts as the first of them that its caller is granted."""

NAMED_NETWORK = "Embedded::EC2::NamedNetwork"
"""A resource type of this AWS only; see cfn/named_network.py."""


@dataclass(frozen=True)
class Keys:
    """AWS credentials. `session_token` is None for the root key only."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def environ(self) -> dict[str, str]:
        """The environment variables that AWS SDKs read."""
        variables = {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}
        if self.session_token is not None:
            variables["AWS_SESSION_TOKEN"] = self.session_token
        return variables


@dataclass(frozen=True)
class Endpoint:
    """A running embedded AWS."""

    state: Path
    port: int
    ca: Path
    account: str
    region: str

    @classmethod
    def load(cls, state: Path) -> Endpoint:
        """The server whose state folder is `state`.

        Raises:
            PenstockError: no server has become ready there.
        """
        try:
            data = json.loads((state / STATE_FILE).read_text())
            return cls(state, data["port"], Path(data["ca"]), data["account"], data["region"])
        except (OSError, ValueError, KeyError) as error:
            raise PenstockError(f"no embedded AWS is running in {state}", fix="start it with: penstock up") from error

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def through(self, port: int) -> Endpoint:
        """The same server, by way of a proxy on 127.0.0.1."""
        return replace(self, port=port)

    def for_tasks(self) -> Endpoint:
        """The server as tasks' containers reach it that start now; see `TASKS_FILE`."""
        try:
            return self.through(int((self.state / TASKS_FILE).read_text()))
        except FileNotFoundError:
            return self

    def environ(self, keys: Keys) -> dict[str, str]:
        """Environment variables that point AWS SDKs, in Python or Node, at this server, and give them `keys`."""
        return {**self.addresses(), **keys.environ()}

    def addresses(self) -> dict[str, str]:
        """`environ` without credentials."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_CA_BUNDLE": str(self.ca),
            "NODE_EXTRA_CA_CERTS": str(self.ca),
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            # MWAA's `env.` before the host would be in the way of an IP address.
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }

    def root(self) -> Keys:
        """The account's root key. It skips every permission check: for the desk only, never for Airflow or a task.

        Raises:
            PenstockError: the key file is gone or belongs to somebody else.
        """
        try:
            data = json.loads((self.state / ROOT_FILE).read_text())
        except (OSError, ValueError) as error:
            raise PenstockError(
                f"the key in {self.state / ROOT_FILE} cannot be read", fix="penstock down, then penstock up"
            ) from error
        return Keys(data["access_key_id"], data["secret_access_key"])

    def assume(self, role_arn: str, session_name: str, keys: Keys | None = None) -> Keys:
        """A session of that role, as the service that it trusts would get one; see `SESSION_SECONDS`.

        Args:
            keys: of another role, which takes this one; None: a service does.
        """
        answer = self.client("sts", keys).assume_role(
            RoleArn=role_arn, RoleSessionName=session_name, DurationSeconds=SESSION_SECONDS
        )
        found = answer["Credentials"]
        return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])

    def client(self, service: str, keys: Keys | None = None) -> Any:
        """A boto3 client of this server; with the root key unless `keys` are given."""
        from botocore.config import Config

        keys = keys or self.root()
        return _session().client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.url,
            region_name=self.region,
            verify=str(self.ca),
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token,
            # MWAA's `api.` before the host would be in the way of an IP address.
            config=Config(
                retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=60, inject_host_prefix=False
            ),
        )


_LOCAL = threading.local()


def _session() -> boto3.session.Session:
    """One session per thread: it keeps the services' models, which take longest to load, and is not thread-safe."""
    if not hasattr(_LOCAL, "session"):
        import boto3

        _LOCAL.session = boto3.session.Session()
    found: boto3.session.Session = _LOCAL.session
    return found
