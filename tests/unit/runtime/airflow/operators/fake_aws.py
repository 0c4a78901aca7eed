"""ECS and CloudWatch Logs as Python objects that a test scripts: tasks, their logs, and what goes wrong with a call.

Real clients against a real service are in tests/functional; here each fault comes at the moment that the test says.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

Fault = Exception | Callable[[], None]


def refused(code: str, message: str = "", status: int = 400, **members: Any) -> ClientError:
    """An error that AWS answers with."""
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **members},  # type: ignore[typeddict-item]  a part of it
        "Operation",
    )


def unreachable() -> Exception:
    """The connection is refused."""
    return EndpointConnectionError(endpoint_url="https://ecs")


def timed_out() -> Exception:
    """No answer comes."""
    return ReadTimeoutError(endpoint_url="https://ecs")


class FakeAws:
    """Both services. A task runs for so many looks (`looks`), then ends as `endings` say, in the order of starts."""

    def __init__(self) -> None:
        self.tasks: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, str] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.endings: list[dict[str, Any]] = []
        """Of the tasks to come; without one, exit code 0."""
        self.looks = 2
        self.faults: dict[str, list[Exception | None]] = {}
        """Operation → what its next calls raise before anything is done; None: nothing."""
        self.lost: dict[str, list[Exception | None]] = {}
        """The same, once the call is done: the answer is lost."""
        self.failures: list[str] = []
        """Reasons for which the next calls of RunTask place no task."""
        self.lines: list[str] = []
        self.ahead: float | None = None
        """Seconds by which the clock of ECS is ahead; None: its answers have no time."""
        self.during: dict[str, Callable[[], None]] = {}
        """Operation → what happens while its answer is on its way, once."""

    def client(self, service: str) -> FakeAws:
        """What `FargateRun` asks for; one object answers for both."""
        return self

    def of(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of all calls of an operation that were done."""
        return [given for name, given in self.calls if name == operation]

    def run_task(self, **given: Any) -> dict[str, Any]:
        def do() -> dict[str, Any]:
            token = given["clientToken"]
            if self.failures:
                return {"tasks": [], "failures": [{"reason": self.failures.pop(0)}]}
            if token not in self.tokens:
                ending = self.endings.pop(0) if self.endings else {"code": 0}
                self.tokens[token] = self.add(given, ending)
            return {"tasks": [self.tasks[self.tokens[token]]], "failures": []}

        return self._call("run_task", given, do)

    def add(self, given: dict[str, Any], ending: dict[str, Any], **values: Any) -> str:
        """A task that runs, however it was started."""
        arn = f"arn:aws:ecs:eu-west-1:111122223333:task/acme/{len(self.tasks)}"
        self.tasks[arn] = {
            "taskArn": arn,
            "startedBy": given["startedBy"],
            "overrides": given["overrides"],
            "createdAt": 1.0 + len(self.tasks),
            "startedAt": 2.0,
            "lastStatus": "RUNNING",
            "desiredStatus": "RUNNING",
            "containers": [{"name": "main"}],
            "looks": self.looks,
            "ending": ending,
            **values,
        }
        return arn

    def end(self, arn: str, code: int | None = None, **values: Any) -> None:
        """The task has stopped."""
        container = {"name": "main"} | ({} if code is None else {"exitCode": code})
        stopped = {"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stopCode": "EssentialContainerExited"}
        self.tasks[arn] |= {**stopped, "containers": [container], **values}

    def describe_tasks(self, **given: Any) -> dict[str, Any]:
        def do() -> dict[str, Any]:
            known = [self.tasks[arn] for arn in given["tasks"] if arn in self.tasks]
            for task in known:
                task["looks"] -= 1
                if task["looks"] <= 0 and task["lastStatus"] != "STOPPED":
                    self.end(task["taskArn"], **task["ending"])
            return {"tasks": known, "failures": []}

        return self._call("describe_tasks", given, do)

    def list_tasks(self, **given: Any) -> dict[str, Any]:
        def do() -> dict[str, Any]:
            arns = [
                arn
                for arn, task in self.tasks.items()
                if task["startedBy"] == given["startedBy"] and task["desiredStatus"] == given["desiredStatus"]
            ]
            start = int(given.get("nextToken", "0"))
            more = {"nextToken": str(start + 1)} if start + 1 < len(arns) else {}
            return {"taskArns": arns[start : start + 1], **more}

        return self._call("list_tasks", given, do)

    def stop_task(self, **given: Any) -> dict[str, Any]:
        def do() -> dict[str, Any]:
            self.end(given["task"], 143, stopCode="UserInitiated", stoppedReason=given["reason"])
            return {}

        return self._call("stop_task", given, do)

    def get_log_events(self, **given: Any) -> dict[str, Any]:
        def do() -> dict[str, Any]:
            if not self.lines:
                raise refused("ResourceNotFoundException")
            if not given.get("startFromHead"):
                return {"events": [{"message": line} for line in self.lines[-given["limit"] :]]}
            start = int(given.get("nextToken", "0"))
            page = self.lines[start : start + 3]
            return {"events": [{"message": line} for line in page], "nextForwardToken": str(start + len(page))}

        return self._call("get_log_events", given, do)

    def facts(self, number: int) -> dict[str, Any]:
        """PENSTOCK_RUN of the task that was started as that number."""
        task = list(self.tasks.values())[number]
        (container,) = task["overrides"]["containerOverrides"]
        (text,) = [one["value"] for one in container["environment"] if one["name"] == "PENSTOCK_RUN"]
        return dict(json.loads(text))

    def _call(self, name: str, given: dict[str, Any], do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if (faults := self.faults.get(name)) and (fault := faults.pop(0)):
            raise fault
        self.calls.append((name, given))
        answer = do()
        if name in self.during:
            self.during.pop(name)()
        if (lost := self.lost.get(name)) and (fault := lost.pop(0)):
            raise fault
        if self.ahead is None:
            return answer
        return {**answer, "ResponseMetadata": {"HTTPHeaders": {"date": formatdate(time.time() + self.ahead)}}}
