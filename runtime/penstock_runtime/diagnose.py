"""Why a Fargate task ended: an ECS task description → what happened, the cause, and what to do. Pure.

Sources: AWS, "Amazon ECS stopped tasks error messages", "Stop codes" and "CannotPullContainer task errors"; our own
exit codes (`contract.Exit`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock_runtime.contract import CONTAINER_NAME, Exit


@dataclass(frozen=True)
class Diagnosis:
    """What a person needs to know about one stopped Fargate task."""

    summary: str
    """What happened, in one line, with ECS's own words."""
    cause: str
    fix: str
    transient: bool = False
    """Whether the same task may well succeed when it is tried again: capacity, throttling, Spot, a host that went."""


@dataclass(frozen=True)
class _Reason:
    pattern: re.Pattern[str]
    cause: str
    fix: str
    transient: bool = False


def _reason(pattern: str, cause: str, fix: str, *, transient: bool = False) -> _Reason:
    return _Reason(re.compile(pattern, re.IGNORECASE | re.DOTALL), cause, fix, transient)


_REASONS = (
    _reason(
        r"OutOfMemory|Container killed due to memory usage",
        "the container needed more memory than it has",
        "raise memory_mib of the task in penstock.yaml",
    ),
    _reason(
        r"toomanyrequests|pull rate limit",
        "the registry limits how often its images may be pulled",
        "try again later, or copy the image to a registry of your own and name that",
        transient=True,
    ),
    _reason(
        r"CannotPullContainer.*(manifest unknown|not found|does not exist|repository .* not)",
        "the image is not in its registry",
        "check the image's name and tag in penstock.yaml; `cdk deploy` pushes the ones that it builds",
    ),
    _reason(
        r"CannotPullContainer.*(does not contain descriptor matching platform|no match for platform)",
        "the image is not built for the task's architecture",
        "set architecture to one that the image has (x86_64 for OpenMetadata's)",
    ),
    _reason(
        r"CannotPullContainer.*no space left on device",
        "the image does not fit on the task's disk",
        "raise ephemeral_storage_gib of the task",
    ),
    _reason(
        r"CannotPullContainer.*(timeout|timed out|deadline exceeded|no route|refused|canceled)"
        r"|pull registry auth.*(timeout|timed out|deadline exceeded)",
        "the task's subnets do not reach the image's registry",
        "give the private subnets a NAT gateway, or endpoints for ecr.api, ecr.dkr and s3 and an image in ECR",
    ),
    _reason(
        r"CannotPullContainer|pull registry auth|pull image manifest",
        "the execution role or the registry does not let the task pull its image",
        "check the image's name, that the registry allows the pull, and the execution role's ecr permissions",
    ),
    _reason(
        r"(retrieve secret|secretsmanager|from ssm|ssm parameters?).*(AccessDenied|not authorized)",
        "the execution role may not read one of the task's secrets",
        "deploy again; where the secret has a KMS key of its own, allow the role kms:Decrypt on it",
    ),
    _reason(
        r"(retrieve secret|secretsmanager).*did not (contain|find) json key|json key",
        "the secret has no such JSON field",
        "correct the part after # of its reference under secrets in penstock.yaml, or add the field to the secret",
    ),
    _reason(
        r"(retrieve secret|secretsmanager|from ssm|invalid ssm).*"
        r"(ResourceNotFound|can't find|not found|invalid parameters|no such)|invalid ssm parameters",
        "one of the task's secrets does not exist in this account and region",
        "create it, or correct its reference under secrets in penstock.yaml",
    ),
    _reason(
        r"(retrieve secret|secretsmanager|from ssm).*(timeout|timed out|deadline exceeded|connection|RequestCanceled)",
        "the task's subnets do not reach Secrets Manager or SSM",
        "give the private subnets a NAT gateway, or endpoints for secretsmanager and ssm",
    ),
    _reason(
        r"logger args|log (stream|group)|CloudWatch log",
        "the log group is missing, or the execution role may not write to it",
        "deploy again: the ingestion stack makes the log group and the grant",
    ),
    _reason(
        r"InsufficientFreeAddresses",
        "the subnet has no free IP address",
        "name subnets with more addresses, or run fewer tasks at once",
        transient=True,
    ),
    _reason(
        r"Capacity is unavailable|RESOURCE:|capacity unavailable|InsufficientCapacity",
        "AWS had no Fargate capacity in this zone at this time",
        "try again; use more than one zone, and spot: false for what must not wait",
        transient=True,
    ),
    _reason(
        r"Rate exceeded|ThrottlingException|RequestLimitExceeded",
        "AWS throttled the calls that start a task",
        "try again; spread the schedules that start at the same minute",
        transient=True,
    ),
    _reason(
        r"Timeout waiting for (network|ephemeral)|network interface provisioning",
        "AWS did not attach network or storage in time",
        "try again",
        transient=True,
    ),
    _reason(
        r"Spot (Task|interruption)|SpotInterruption",
        "AWS took the Spot capacity back",
        "try again; set spot: false for a task that must not be interrupted",
        transient=True,
    ),
    _reason(
        r"infrastructure|TerminationNotice|host (terminated|failure)|DockerTimeout|CannotInspectContainer",
        "AWS replaced or lost the host under the task",
        "try again",
        transient=True,
    ),
    _reason(
        r"CannotStartContainer|CannotCreateContainer|exec format error|executable file not found",
        "the image could not be started: `python` is not on its PATH, or it is for another architecture",
        "check that the image holds Python 3.10 or later as `python`, and its architecture",
    ),
    _reason(
        r"ResourceInitializationError",
        "AWS could not prepare the task's network, secrets or log",
        "read ECS's words above; check the subnets' way out and the execution role",
    ),
)
"""The first that matches counts: the more telling ones come first."""

_CODES: dict[int, tuple[str, str]] = {
    Exit.FAILED: ("the engine ran and reported a failure", "read the end of the task's log"),
    Exit.WRONG_INPUT: (
        "the container refused its environment or its config",
        "read the line `penstock:` in the task's log; correct the file that it names and deploy again",
    ),
    Exit.ARTIFACT: (
        "the config or the runtime could not be fetched from the artifacts bucket, or is another one than expected",
        "deploy or push again; check that the subnets reach S3 and that the task role may read the bucket",
    ),
    Exit.TIMED_OUT: (
        "the run reached its time limit and ended itself",
        "raise timeout_minutes of the task, or find in its log what took so long",
    ),
    Exit.KILLED: (
        "the container was killed: out of memory, or it still ran after the stop timeout",
        "raise memory_mib of the task if nobody stopped it",
    ),
    Exit.STOPPED: ("the container was asked to stop (SIGTERM)", "run the task again"),
    126: ("the command may not be executed", "check the command of the task and the image"),
    127: ("the command is not in the image", "check the command of the task and the image"),
    139: ("the engine crashed (segmentation fault)", "read the end of the task's log; try another version"),
}


def diagnose(task: Mapping[str, Any]) -> Diagnosis:
    """What a stopped Fargate task died of.

    Args:
        task: one of the `tasks` that ECS's DescribeTasks returns, or the `detail` of its state-change event.
    """
    container = _container(task)
    code = container.get("exitCode")
    stop_code = str(task.get("stopCode") or "")
    words = " · ".join(dict.fromkeys(filter(None, (container.get("reason"), task.get("stoppedReason")))))
    summary = _summary(code, words, stop_code)
    if code == 0:
        return Diagnosis(summary, cause="none: the container succeeded", fix="nothing to do")

    for known in _REASONS:
        if known.pattern.search(f"{stop_code} {words}"):
            return Diagnosis(summary, known.cause, known.fix, known.transient)
    # 124, 65 and 2 are ours alone, and say more than who stopped the rest.
    if stop_code == "UserInitiated" and code in (None, Exit.STOPPED, Exit.KILLED):
        cause = "somebody, or Airflow on behalf of somebody, stopped the task"
        return Diagnosis(summary, cause, "run it again if that was not meant")
    if code in _CODES:
        return Diagnosis(summary, *_CODES[code])
    if code is not None:
        return Diagnosis(summary, "the engine ended with an exit code of its own", "read the end of the task's log")
    return Diagnosis(
        summary,
        "ECS gives no exit code: the container never ran",
        "read ECS's words above; `penstock doctor` checks the rest",
    )


def _container(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our container; the only one where it has another name."""
    containers: list[Mapping[str, Any]] = list(task.get("containers") or [])
    ours = [one for one in containers if one.get("name") == CONTAINER_NAME]
    return (ours or containers or [{}])[0]


def _summary(code: int | None, words: str, stop_code: str) -> str:
    ended = "ended without an exit code" if code is None else f"ended with exit code {code}"
    told = words or stop_code or "ECS gives no reason"
    return f"the Fargate task {ended}: {told}"
