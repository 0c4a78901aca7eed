"""One Fargate task: its record, as DescribeTasks shows it, and its life from PROVISIONING to STOPPED."""

from __future__ import annotations

import copy
import json
import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.local.aws import compat, events, iam, kept, launch
from penstock.local.aws.endpoint import Endpoint, Keys
from penstock.local.aws.process import Container, StartError
from penstock_runtime import contract

log = logging.getLogger(__name__)

SESSION_SECONDS = 36 * 3600
"""Life of a task's credentials. ECS renews them; a plain process reads them once, and no task may run for longer."""
STOP_TIMEOUT_SECONDS = 30
"""ECS's default between SIGTERM and SIGKILL."""
SPOT_INTERRUPTION = "Your Spot Task was interrupted."
"""ECS's words where AWS takes Spot capacity back. Here StopTask with just this reason does that to a task on Spot."""


@dataclass(frozen=True)
class TaskHost:
    """Where the tasks of this server run."""

    endpoint: Endpoint
    tasks: Path
    images: Path


class Task:
    """A task that was accepted. `run` is its life, in a thread of its own; `stop` may come at any moment."""

    def __init__(self, record: dict[str, Any], definition: Mapping[str, Any], place: TaskHost) -> None:
        self._record, self._definition, self._place = record, definition, place
        self._lock = threading.RLock()
        self._container: Container | None = None
        self._stop_reason: str | None = None
        self.done = threading.Event()
        self.account, self.region = place.endpoint.account, record["taskArn"].split(":")[3]

    @property
    def id(self) -> str:
        return str(self._record["taskArn"]).rsplit("/", 1)[-1]

    def record(self) -> dict[str, Any]:
        """A copy of the task in its present state."""
        with self._lock:
            return copy.deepcopy(self._record)

    def run(self) -> None:
        """Live through the whole life of the task; returns when it has stopped."""
        folder = self._place.tasks / self.id
        with compat.responses.request_scope(self.account, self.region):
            code, reason, stop_code = None, "", "TaskFailedToStart"
            try:
                code = self._live(folder)
                reason, stop_code = "Essential container in task exited", "EssentialContainerExited"
            except (launch.LaunchError, StartError, iam.RoleError) as error:
                reason = str(error)
            except Exception as error:  # a defect of ours must not leave a task RUNNING for ever
                log.exception("task %s", self.id)
                reason = f"ResourceInitializationError: {error}"
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            if self._stop_reason is not None:
                reason, stop_code = self._stop_reason, self._stop_code(self._stop_reason)
            self._end(code, reason, stop_code)
        self.done.set()

    def stop(self, reason: str) -> None:
        """Ask the container to end; after its stop timeout it is killed. Once is enough."""
        with self._lock:
            if self._stop_reason is not None or self._record["lastStatus"] in ("DEPROVISIONING", "STOPPED"):
                return
            self._stop_reason = reason
            container = self._container
        stop_code = self._stop_code(reason)
        self._change(desiredStatus="STOPPED", stoppingAt=time.time(), stoppedReason=reason, stopCode=stop_code)
        if container is not None:
            self._terminate(container)

    def kill(self) -> None:
        """SIGKILL now: the server ends."""
        with self._lock:
            self._stop_reason = self._stop_reason or "the server ended"
            container = self._container
        if container is not None:
            container.kill()

    def _live(self, folder: Path) -> int | None:
        """Start the container and wait for its end; its exit code, or None where it was stopped before."""
        container = self._definition["containerDefinitions"][0]
        self._change(lastStatus="PENDING", pullStartedAt=time.time())
        execution = self._role("executionRoleArn")
        try:
            key = execution.access_key_id if execution else None
            values = launch.secrets(container, key)
            image = launch.pull(container, self._place.images, key)
            stream = launch.log_stream(container, self.id, key)
        finally:
            if execution is not None:
                iam.forget(execution)
        self._change(pullStoppedAt=time.time())

        role = self._role("taskRoleArn")
        override = self._override(container["name"])
        argv = image.argv(container.get("entryPoint"), override.get("command") or container.get("command"))
        folder.mkdir(parents=True)
        try:
            with self._lock:
                if self._stop_reason is not None:
                    return None
            environ = self._environ(container, override, role) | values | {contract.ROOT: str(folder / "root")}
            running = Container.start(image, argv, environ, folder)
            with self._lock:
                self._container = running
                self._record["containers"][0].update(lastStatus="RUNNING", runtimeId=f"{self.id}-1")
                stop_now = self._stop_reason is not None
            self._change(lastStatus="RUNNING", startedAt=time.time())
            if stop_now:
                self._terminate(running)
            for line in running.lines():
                kept.add_line(self._place.endpoint.state, self._record["taskArn"], line)
                if stream is not None:
                    _write(stream, line)
            code = running.wait()
            running.close()
            return code
        finally:
            if role is not None:
                iam.forget(role)

    def _stop_code(self, reason: str) -> str:
        is_spot = self._record.get("capacityProviderName") == "FARGATE_SPOT"
        return "SpotInterruption" if is_spot and reason == SPOT_INTERRUPTION else "UserInitiated"

    def _terminate(self, container: Container) -> None:
        container.terminate()
        seconds = self._definition["containerDefinitions"][0].get("stopTimeout") or STOP_TIMEOUT_SECONDS

        def kill_later() -> None:
            try:
                container.wait(float(seconds))
            except subprocess.TimeoutExpired:
                container.kill()

        threading.Thread(target=kill_later, daemon=True, name=f"stop-{self.id}").start()

    def _role(self, name: str) -> Keys | None:
        arn = self._record["overrides"].get(name) or self._definition.get(name)
        if not arn:
            return None
        try:
            return iam.session(str(arn), self.id, "ecs-tasks.amazonaws.com", SESSION_SECONDS)
        except iam.RoleError as error:
            raise iam.RoleError(
                f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that the "
                "role being passed has the proper trust relationship and permissions and that your IAM user has "
                f"permissions to pass this role. ({error})"
            ) from error

    def _override(self, name: str) -> Mapping[str, Any]:
        found = self._record["overrides"].get("containerOverrides") or []
        return next((one for one in found if one.get("name") == name), {})

    def _environ(self, container: Mapping[str, Any], override: Mapping[str, Any], role: Keys | None) -> dict[str, str]:
        endpoint = self._place.endpoint.for_tasks()
        found = endpoint.environ(role) if role else endpoint.addresses()
        found |= {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        }
        for one in [*(container.get("environment") or []), *(override.get("environment") or [])]:
            found[one["name"]] = str(one.get("value", ""))
        return found

    def _end(self, code: int | None, reason: str, stop_code: str) -> None:
        with self._lock:
            container = self._record["containers"][0]
            container["lastStatus"] = "STOPPED"
            if code is not None:
                container["exitCode"] = code
            elif stop_code == "TaskFailedToStart" and reason.startswith("Cannot"):
                container["reason"] = reason
        now = time.time()
        self._change(
            lastStatus="DEPROVISIONING", desiredStatus="STOPPED", stoppedReason=reason, stopCode=stop_code,
            stoppingAt=self._record.get("stoppingAt", now), executionStoppedAt=now,
        )  # fmt: skip
        self._change(lastStatus="STOPPED", stoppedAt=time.time())

    def _change(self, **values: Any) -> None:
        with self._lock:
            self._record.update(values)
            self._record["version"] += 1
            seen = copy.deepcopy(self._record)
            kept.write(self._place.endpoint.state, seen)
        with compat.responses.request_scope(self.account, self.region):
            events.task_state_change(seen)


def _write(stream: tuple[str, str], line: str) -> None:
    event = {"timestamp": int(time.time() * 1000), "message": line}
    status, _, body = compat.cloudwatch_logs._put_log_events(
        {"logGroupName": stream[0], "logStreamName": stream[1], "logEvents": [event]}
    )
    if status != 200:
        log.warning("a log line of %s is lost: %s", stream[1], json.loads(body).get("message"))
