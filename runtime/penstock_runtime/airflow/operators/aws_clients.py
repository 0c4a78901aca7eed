"""boto3's clients of one try, by the amazon provider: Airflow's own settings hold, and Airflow is in their user agent.

Most of what a client takes is reading botocore's files: they are read once for all clients of a try. Otherwise three
clients take three times as long as the stock operator's one.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.config import Config

KILL = "kill"
"""Of ECS, for the seconds that a kill has."""
# A call that hangs must not hide that the task has ended. `EcsCalls` and `TaskLog` repeat what fails.
_PATIENT = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2})
_IN_A_HURRY = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})


class Clients:
    """Makes them, as `FargateRun` asks for them.

    Args:
        region: where the cluster is.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self._sessions: dict[bool, Any] = {}

    def __call__(self, service: str) -> Any:
        """A client of `ecs`, `logs`, or `kill`."""
        in_a_hurry = service == KILL
        hook = _Hook(
            aws_conn_id=None,
            client_type="ecs" if in_a_hurry else service,
            region_name=self._region,
            config=_IN_A_HURRY if in_a_hurry else _PATIENT,
        )
        hook.session = self._session(hook, apart=in_a_hurry)
        return hook.conn

    def _session(self, hook: _Hook, *, apart: bool) -> Any:
        """The session of a client. That for kills is apart: it works in a signal handler, maybe while another client
        renews its session's credentials and holds their lock."""
        if apart not in self._sessions:
            session = hook.get_session(region_name=self._region)
            for other in self._sessions.values():
                share_files(other, session)
            self._sessions[apart] = session
        return self._sessions[apart]


class _Hook(AwsBaseHook):  # type: ignore[misc]
    """The provider's hook, which makes its client in `session`, once that is set."""

    session: Any = None

    def get_session(self, region_name: str | None = None, deferrable: bool = False) -> Any:
        """A new session, or the one that is set."""
        return self.session or super().get_session(region_name=region_name, deferrable=deferrable)


def share_files(source: Any, target: Any) -> None:
    """Let a boto3 session use what another one has read of botocore's files.

    botocore's way to replace a part of a session; the amazon provider does the same for its triggers
    (`airflow.providers.amazon.aws.hooks.base_aws`, `_loader`).
    """
    target._session.register_component("data_loader", source._session.get_component("data_loader"))
