"""The ECS calls that run tasks, with ECS's own checks. ministack's take the place of Docker; these start processes.

Limits and error texts: Amazon ECS API reference (botocore's model) and answers of the real service.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from penstock.local.aws import compat, definition, iam
from penstock.local.aws.runtask import Refusal, check_run_task
from penstock.local.aws.task import Task, TaskHost

Answer = tuple[int, dict[str, str], bytes]
Call = dict[str, Any]

MAX_DESCRIBED = 100
KEEP_STOPPED_SECONDS = 3600
"""ECS shows a stopped task for at least an hour."""


class Ecs:
    """The tasks of one server."""

    def __init__(self, place: TaskHost) -> None:
        self._place = place
        self._lock = threading.RLock()
        self._tasks: dict[str, Task] = {}
        self._tokens: dict[tuple[str, str], tuple[str, list[str]]] = {}

    def install(self) -> None:
        """Put our handlers in the place of ministack's."""
        definition.install()
        compat.ecs._ACTION_MAP.update(
            RunTask=_answering(self.run_task),
            StopTask=_answering(self.stop_task),
            DescribeTasks=_answering(self.describe_tasks),
            ListTasks=_answering(self.list_tasks),
            RegisterTaskDefinition=_register(compat.ecs._register_task_definition),
        )

    def close(self, seconds: float) -> None:
        """Kill every container and wait, together for at most `seconds`, until their folders are gone."""
        with self._lock:
            running = [task for task in self._tasks.values() if not task.done.is_set()]
        for task in running:
            task.kill()
        until = time.monotonic() + seconds
        for task in running:
            task.done.wait(max(0.0, until - time.monotonic()))

    def run_task(self, call: Call) -> Call:
        """RunTask."""
        wanted = check_run_task(call)
        cluster, token = wanted.cluster, call.get("clientToken")
        body = json.dumps(call, sort_keys=True)
        with self._lock:
            self._prune()
            if token and (cluster, token) in self._tokens:
                before, arns = self._tokens[cluster, token]
                if before != body:
                    raise Refusal("ConflictException", "The clientToken was already used with different parameters.")
                return {"tasks": [_shown(self._tasks[arn]) for arn in arns], "failures": []}
            tags = _tags(call, wanted.definition)
            record = {**wanted.values, "tags": tags}
            tasks = [Task(_record(call, record), wanted.definition, self._place) for _ in range(wanted.count)]
            if tags:
                context = {**iam.cluster_key(call), "ecs:CreateAction": "RunTask"}
                for task in tasks:
                    refused = iam.caller_denial("ecs:TagResource", task.record()["taskArn"], context)
                    if refused:
                        raise Refusal("AccessDeniedException", refused)
            self._tasks |= {task.record()["taskArn"]: task for task in tasks}
            if token:
                self._tokens[cluster, token] = (body, [task.record()["taskArn"] for task in tasks])
            answer = {"tasks": [_shown(task) for task in tasks], "failures": []}
        for task in tasks:
            threading.Thread(target=task.run, daemon=True, name=f"task-{task.id}").start()
        return answer

    def stop_task(self, call: Call) -> Call:
        """StopTask: SIGTERM now, SIGKILL after the container's stop timeout."""
        task = self._find(str(call.get("task") or ""), _cluster(call))
        if task is None:
            raise Refusal("InvalidParameterException", "The referenced task was not found.")
        task.stop(str(call.get("reason") or "Task stopped by user"))
        return {"task": _shown(task)}

    def describe_tasks(self, call: Call) -> Call:
        """DescribeTasks; every task named is authorized, not only the first."""
        cluster, references = _cluster(call), [str(one) for one in call.get("tasks") or []]
        if not references:
            raise Refusal("InvalidParameterException", "Tasks cannot be empty.")
        if len(references) > MAX_DESCRIBED:
            raise Refusal(
                "InvalidParameterException",
                f"The number of tasks must be less than or equal to {MAX_DESCRIBED}.",
            )
        found: list[Call] = []
        failures: list[Call] = []
        for reference in references:
            arn = iam.task_arn(reference, cluster)
            refused = iam.caller_denial("ecs:DescribeTasks", arn, iam.cluster_key(call))
            if refused:
                raise Refusal("AccessDeniedException", refused)
            task = self._find(reference, cluster)
            if task is None:
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(_shown(task, with_tags="TAGS" in (call.get("include") or [])))
        return {"tasks": found, "failures": failures}

    def list_tasks(self, call: Call) -> Call:
        """ListTasks by cluster, family, startedBy, desiredStatus and launchType."""
        cluster = _cluster(call)
        if call.get("startedBy") and (call.get("family") or call.get("serviceName")):
            raise Refusal("InvalidParameterException", "startedBy cannot be combined with another filter.")
        with self._lock:
            records = [task.record() for task in self._tasks.values()]
        arns = [
            one["taskArn"]
            for one in records
            if one["clusterArn"] == iam.ecs_arn(f"cluster/{cluster}")
            and one["desiredStatus"] == call.get("desiredStatus", "RUNNING")
            and call.get("startedBy", one["startedBy"]) == one["startedBy"]
            and (not call.get("family") or f"/{call['family']}:" in one["taskDefinitionArn"])
            and call.get("launchType", one.get("launchType", "FARGATE")) == one.get("launchType", "FARGATE")
        ]
        start, size = int(call.get("nextToken") or 0), int(call.get("maxResults") or 100)
        answer: Call = {"taskArns": arns[start : start + size]}
        return answer | ({"nextToken": str(start + size)} if start + size < len(arns) else {})

    def _find(self, reference: str, cluster: str) -> Task | None:
        with self._lock:
            task = self._tasks.get(iam.task_arn(reference, cluster))
        return task if task and task.record()["clusterArn"] == iam.ecs_arn(f"cluster/{cluster}") else None

    def _prune(self) -> None:
        """Forget what stopped long ago, and the client tokens that brought it."""
        limit = time.time() - KEEP_STOPPED_SECONDS
        old = {arn for arn, task in self._tasks.items() if task.done.is_set() and task.record()["stoppedAt"] < limit}
        for arn in old:
            del self._tasks[arn]
        self._tokens = {key: one for key, one in self._tokens.items() if not old.intersection(one[1])}


def _record(call: Mapping[str, Any], values: Mapping[str, Any]) -> Call:
    """A new task as DescribeTasks shows it; `values` are those that the checks have worked out."""
    cluster, number = values["clusterArn"].rsplit("/", 1)[-1], uuid.uuid4().hex
    arn = iam.ecs_arn(f"task/{cluster}/{number}")
    network = values["network"]
    address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
    details = {"subnetId": network["subnets"][0], "privateIPv4Address": address}
    attachment = {
        "id": str(uuid.uuid4()),
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }
    container = values["container"]
    return {
        "taskArn": arn,
        "clusterArn": values["clusterArn"],
        "taskDefinitionArn": values["taskDefinitionArn"],
        **values["capacity"],
        "lastStatus": "PROVISIONING",
        "desiredStatus": "RUNNING",
        "cpu": values["cpu"],
        "memory": values["memory"],
        "ephemeralStorage": {"sizeInGiB": values["storage"]},
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "connectivity": "CONNECTED",
        "createdAt": time.time(),
        "group": call.get("group") or f"family:{values['family']}",
        "startedBy": call.get("startedBy") or "",
        "version": 1,
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": [], **values["overrides"]},
        "tags": values["tags"],
        "healthStatus": "UNKNOWN",
        "availabilityZone": compat.ec2._subnets[network["subnets"][0]]["AvailabilityZone"],
        "enableExecuteCommand": bool(call.get("enableExecuteCommand", False)),
        "attachments": [attachment],
        "containers": [
            {
                "containerArn": iam.ecs_arn(f"container/{cluster}/{number}/{uuid.uuid4()}"),
                "taskArn": arn,
                "name": container["name"],
                "image": container["image"],
                "lastStatus": "PENDING",
                "networkInterfaces": [{"attachmentId": attachment["id"], "privateIpv4Address": address}],
                "healthStatus": "UNKNOWN",
                "cpu": str(container.get("cpu") or 0),
            }
        ],
    }


def _tags(call: Mapping[str, Any], definition: Mapping[str, Any]) -> list[Call]:
    """The tags of the new tasks: the call's, and those of the task definition if the call asks for them."""
    given = {one["key"]: one for one in call.get("tags") or []}
    if call.get("propagateTags") == "TASK_DEFINITION":
        own = {one["key"]: one for one in compat.ecs._tags.get(definition["taskDefinitionArn"], [])}
        return list((own | given).values())
    return list(given.values())


def _shown(task: Task, *, with_tags: bool = True) -> Call:
    return {name: value for name, value in task.record().items() if name != "tags" or with_tags}


def _cluster(call: Mapping[str, Any]) -> str:
    name = compat.ecs._resolve_cluster_name(call.get("cluster") or "default")
    if name is None or name not in compat.ecs._clusters:
        raise Refusal("ClusterNotFoundException", "Cluster not found.")
    return str(name)


def _answering(handler: Callable[[Call], Call]) -> Callable[[Call], Answer]:
    """A handler of ours as one of ministack's."""

    def answer(call: Call) -> Answer:
        try:
            found: Answer = compat.responses.json_response(handler(call))
        except Refusal as refusal:
            found = compat.responses.error_response_json(refusal.code, str(refusal), 400)
        return found

    return answer


def _register(inner: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """RegisterTaskDefinition with the checks of ECS and iam:PassRole."""

    def answer(call: Call) -> Answer:
        refused = iam.pass_role_denial(call.get("taskRoleArn"), call.get("executionRoleArn"))
        wrong = definition.problem(call)
        if refused or wrong:
            code = "AccessDeniedException" if refused else "ClientException"
            found: Answer = compat.responses.error_response_json(code, refused or wrong, 400)
            return found
        return inner(call)

    return answer
