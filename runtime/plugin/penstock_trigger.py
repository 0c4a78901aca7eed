"""Waits in Airflow's triggerer for Fargate tasks to stop: one poller asks ECS for all of them.

Airflow 3's triggerer does not import from the DAG folder, so this module is in plugins.zip. It stands alone: it belongs
to no release of the DAGs, and changes seldom, since MWAA restarts to take in another plugins.zip. It is one file,
because Airflow loads each file of its plugins folder as a module of that file's name.

The operator shows the log and judges the end. Here a run costs a future, and a call of DescribeTasks serves a hundred.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, ClassVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

POLL_SECONDS = 5.0
"""Between two looks at all tasks, and up to a fifth more or less."""
SLOWEST_SECONDS = 60.0
"""The same, while ECS throttles or cannot be reached."""
MOST_DESCRIBED = 100
"""Tasks of one call (ECS API, DescribeTasks)."""
UNSEEN_LOOKS = 60
"""So many looks in a row at which ECS does not know a task end its wait: answers may lag behind its start."""
STOP_SECONDS = 25.0
"""How long a kill goes on asking ECS; Airflow gives it 30 s (`triggerer.on_kill_timeout`)."""
KILLED = "Penstock: Airflow ended this try of its task"
"""The reason for StopTask, as the operator gives it."""

GONE = "gone"
ENDED = ("success", "failed", "skipped", "upstream_failed", "removed", GONE)
"""States of an Airflow task that nobody waits in any more."""

log = logging.getLogger(__name__)


class FargateTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires when a Fargate task has stopped, is past its deadline, or is unknown to ECS.

    Args:
        region: of the cluster.
        cluster: its name.
        arn: of the task.
        deadline: in seconds since 1970.
        dag_id: with the next three, the Airflow task that waits.
    """

    def __init__(
        self,
        region: str,
        cluster: str,
        arn: str,
        deadline: float,
        dag_id: str,
        run_id: str,
        task_id: str,
        map_index: int,
    ) -> None:
        super().__init__()
        self.region, self.cluster, self.arn, self.deadline = region, cluster, arn, deadline
        self.dag_id, self.run_id, self.waiting_task, self.map_index = dag_id, run_id, task_id, map_index

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What Airflow keeps of it; another triggerer goes on from there."""
        return "penstock_trigger.FargateTrigger", {
            "region": self.region,
            "cluster": self.cluster,
            "arn": self.arn,
            "deadline": self.deadline,
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "task_id": self.waiting_task,
            "map_index": self.map_index,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait. The operator looks at the task again, so the event only says why it was woken."""
        try:
            yield TriggerEvent({"arn": self.arn, "because": await self._poller().ended(self.arn, self.deadline)})
        except asyncio.CancelledError:
            # Airflow cancels a trigger also to hand it to another triggerer. From 3.3 on it calls on_kill itself.
            if not hasattr(BaseTrigger, "on_kill") and await self._state_of_the_wait() in ENDED:
                await self._stop()
            raise

    async def on_kill(self) -> None:
        """Stop the Fargate task, if the Airflow task has been marked or deleted.

        Airflow calls this also in a triggerer that was slow to report, when another one goes on with the task. After a
        clear, the next try stops what this one leaves.
        """
        if await self._state_of_the_wait() in (*ENDED, None):
            await self._stop()

    async def _stop(self) -> None:
        await asyncio.shield(asyncio.to_thread(self._poller().stop, self.arn))

    def _poller(self) -> Poller:
        return Poller.of(self.region, self.cluster)

    async def _state_of_the_wait(self) -> str | None:
        """The state of the Airflow task: empty after a clear, `gone` if it was deleted. None: nobody can say."""
        try:
            from asgiref.sync import sync_to_async

            # Not asyncio.to_thread: Airflow 3 answers on this event loop.
            return str(await sync_to_async(self._state)())
        except Exception as error:  # noqa: BLE001  the next try, the deadline or the reaper takes care of it
            log.warning("cannot ask Airflow for the state of the task that waits for %s: %s", self.arn, error)
            return None

    def _state(self) -> str:
        try:
            from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
        except ImportError:
            return self._state_in_2()
        answer = RuntimeTaskInstance.get_task_states(
            dag_id=self.dag_id, task_ids=[self.waiting_task], run_ids=[self.run_id], map_index=self.map_index
        )
        states = answer.get(self.run_id, {})
        name = self.waiting_task if self.map_index < 0 else f"{self.waiting_task}_{self.map_index}"
        return _text(states[name]) if name in states else GONE

    def _state_in_2(self) -> str:
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils.session import create_session

        identity = {"dag_id": self.dag_id, "run_id": self.run_id, "task_id": self.waiting_task}
        with create_session() as session:
            found = session.query(TaskInstance.state).filter_by(**identity, map_index=self.map_index).first()
        return GONE if found is None else _text(found[0])


def _text(state: Any) -> str:
    return "" if state is None else str(getattr(state, "value", state))


class Poller:
    """Looks at all tasks of one cluster for which triggers of one triggerer process wait.

    Args:
        make_client: makes boto3's ECS client.
    """

    _pollers: ClassVar[dict[tuple[Any, str, str], Poller]] = {}

    def __init__(self, cluster: str, make_client: Callable[[], Any]) -> None:
        self._cluster, self._make_client = cluster, make_client
        self._made: Any = None
        self._waiting: dict[str, list[tuple[asyncio.Future[str], float]]] = {}
        self._unseen: dict[str, int] = {}
        self._work: asyncio.Task[None] | None = None
        self._complaint = ""

    @classmethod
    def of(cls, region: str, cluster: str) -> Poller:
        """The one of this process and event loop."""
        key = (asyncio.get_running_loop(), region, cluster)
        return cls._pollers.setdefault(key, cls(cluster, lambda: _client(region)))

    async def ended(self, arn: str, deadline: float) -> str:
        """Wait for a task: `stopped`, `deadline` or `unknown`."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        entry = (future, deadline)
        self._waiting.setdefault(arn, []).append(entry)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._look_again_and_again())
        try:
            return await future
        finally:
            self._waiting[arn].remove(entry)
            if not self._waiting[arn]:
                del self._waiting[arn]
                self._unseen.pop(arn, None)

    def stop(self, arn: str) -> None:
        """StopTask, until ECS has taken it; blocks."""
        until = time.monotonic() + STOP_SECONDS
        while True:
            try:
                self._client().stop_task(cluster=self._cluster, task=arn, reason=KILLED)
                return
            except Exception as error:  # noqa: BLE001  whatever it is, the task must not be left running
                if "not found" in str(error):
                    return
                if time.monotonic() > until:
                    log.error("%s could not be stopped: %s", arn, error)
                    return
                self._complain(f"cannot stop {arn}, trying again: {error}")
                time.sleep(1.0)

    async def _look_again_and_again(self) -> None:
        pause = POLL_SECONDS
        while self._waiting:
            # Triggerers that start together are not to ask together.
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            try:
                for arns in _chunks(list(self._waiting)):
                    self._take(arns, await asyncio.to_thread(self._describe, arns))
                pause = POLL_SECONDS
            except Exception as error:  # noqa: BLE001  no error of AWS or the network ends a wait
                pause = min(pause * 2, SLOWEST_SECONDS)
                self._complain(f"cannot look at {len(self._waiting)} tasks of {self._cluster}, trying again: {error}")
            now = time.time()
            for entries in self._waiting.values():
                for future, deadline in entries:
                    if now > deadline:
                        _fire(future, "deadline")

    def _describe(self, arns: list[str]) -> dict[str, Any]:
        return dict(self._client().describe_tasks(cluster=self._cluster, tasks=arns))

    def _take(self, arns: list[str], answer: dict[str, Any]) -> None:
        known = {task["taskArn"]: task for task in answer["tasks"]}
        for arn in arns:
            self._unseen[arn] = 0 if arn in known else self._unseen.get(arn, 0) + 1
            stopped = arn in known and known[arn]["lastStatus"] == "STOPPED"
            for future, _ in self._waiting.get(arn, []):
                if stopped or self._unseen[arn] >= UNSEEN_LOOKS:
                    _fire(future, "stopped" if stopped else "unknown")

    def _client(self) -> Any:
        if self._made is None:
            self._made = self._make_client()
        return self._made

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            log.warning("%s", text)


def _fire(future: asyncio.Future[str], because: str) -> None:
    if not future.done():
        future.set_result(because)


def _chunks(arns: list[str]) -> Iterable[list[str]]:
    return (arns[start : start + MOST_DESCRIBED] for start in range(0, len(arns), MOST_DESCRIBED))


def _client(region: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.session.Session(region_name=region).client("ecs", config=config)
