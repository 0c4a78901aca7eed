"""Why a Fargate task ended: an ECS task description → what happened, the cause, and what to do. Pure.

The tables are in `start_reasons` and `reasons`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock_runtime.contract import CONTAINER_NAME, ENDED_BY, METRIC_KEY
from penstock_runtime.diagnosis import reasons, start_reasons
from penstock_runtime.diagnosis.reason import EXITED, FAILED_TO_START, USER_INITIATED, Reason

_SAYS, _FIX = "penstock: ", "  fix: "
"""What the lines of an error in the container's log begin with (`errors.PenstockError`)."""
_CHARACTERS = 2_000
"""How much of ECS's words is compared: the essence is first, and patterns with several `*` are slow in long texts."""


@dataclass(frozen=True)
class Diagnosis:
    """What a person needs to know about one stopped Fargate task."""

    summary: str
    """What happened, in one line, with ECS's own words."""
    cause: str
    fix: str
    transient: bool = False
    """Whether the same task may well succeed when it is tried again: capacity, throttling, Spot, a lost host."""


def diagnose(task: Mapping[str, Any], log: Sequence[str] = ()) -> Diagnosis:
    """Why a Fargate task stopped.

    Args:
        task: one of the `tasks` that ECS's DescribeTasks returns, or the `detail` of its state-change event.
        log: the last lines of its log, if known: ECS does not know whether an exit code is the engine's or Penstock's.
    """
    container = _container(task)
    code = container.get("exitCode")
    words = " · ".join(dict.fromkeys(filter(None, (container.get("reason"), task.get("stoppedReason")))))
    summary = _summary(code, words, str(task.get("stopCode") or ""))
    if code == 0 and (task.get("stopCode") in (None, EXITED) or not runs_alone(task)):
        return Diagnosis(summary, cause="none: the container succeeded", fix="nothing to do")
    reason = reason_of(task, log)
    if reason.name in reasons.SAID_IN_THE_LOG and (said := _said(log)):
        return Diagnosis(summary, *said, reason.transient)
    fix = reason.fix
    if "memory_mib" in fix and task.get("memory"):
        fix += f"; it had {task['memory']} MiB"
    return Diagnosis(summary, reason.cause, fix, reason.transient)


def reason_of(task: Mapping[str, Any], log: Sequence[str] = ()) -> Reason:
    """The reason of a task that did not succeed; see `diagnose`."""
    container = _container(task)
    code, stop_code, alone = container.get("exitCode"), task.get("stopCode"), runs_alone(task)
    ecs_words = [str(text)[:_CHARACTERS] for text in (task.get("stoppedReason"), container.get("reason")) if text]
    if stop_code == FAILED_TO_START and _matches(ecs_words, start_reasons.PROGRAM_MISSING_WORDS):
        return start_reasons.PROGRAM_MISSING if alone else start_reasons.PYTHON_MISSING
    if stop_code == FAILED_TO_START:
        matching = (reason for reason, words in start_reasons.STARTS.items() if _matches(ecs_words, words))
        return next(matching, start_reasons.NOT_STARTED)
    for reason, codes in reasons.STOPS.items():
        if stop_code in codes:
            return reason
    if stop_code not in (EXITED, USER_INITIATED):
        return reasons.UNKNOWN
    if _matches(ecs_words, reasons.OUT_OF_MEMORY_WORDS):
        return reasons.OUT_OF_MEMORY
    if stop_code == USER_INITIATED and _matches(ecs_words, reasons.REAPER_WORDS):
        return reasons.STOPPED_BY_REAPER
    ended_by = _ended_by(log)
    if stop_code == USER_INITIATED and _matches(ecs_words, (reasons.AT_DEADLINE,)):
        return reasons.DEADLINE
    if stop_code == USER_INITIATED and alone and _matches(ecs_words, reasons.ON_KILL_WORDS):
        return reasons.STOPPED_BY_AIRFLOW
    if stop_code == USER_INITIATED and (alone or (code not in reasons.BEFORE_A_STOP and ended_by != "engine")):
        return reasons.STOPPED_BY_SOMEBODY
    if code is None:
        return reasons.NO_EXIT_CODE
    exits = {
        "penstock": reasons.OWN_EXITS,
        "signal": reasons.SIGNAL_EXITS,
        "engine": reasons.ENGINE_EXITS,
    }.get(ended_by, reasons.EXITS)
    if alone:
        exits = reasons.ALONE_EXITS
    return exits.get(code, reasons.OTHER_EXIT)


def is_metric_line(line: str) -> bool:
    """Whether a line of a log is the container's metric line: for CloudWatch, not for people."""
    return line.startswith(f'{{"{METRIC_KEY}"')


def _ended_by(log: Sequence[str]) -> str:
    """Whose the exit code is, by the container's last lines; empty if they do not say."""
    lines = [line for line in log if line.strip()]
    for line in reversed(lines):
        if is_metric_line(line):
            try:
                return str(json.loads(line).get(ENDED_BY, ""))
            except ValueError:
                return ""
    # A container that refused to start its engine ends with its error, and no metric.
    return "penstock" if lines and lines[-1].startswith((_SAYS, _FIX)) else ""


def _said(log: Sequence[str]) -> tuple[str, str] | None:
    """Cause and fix of the last error that the container has told in its log, each in one line."""
    fix = next((index for index in reversed(range(len(log))) if log[index].startswith(_FIX)), None)
    if fix is None:
        return None
    first = next((index for index in reversed(range(fix)) if log[index].startswith(_SAYS)), None)
    if first is None:
        return None
    cause = " ".join(" ".join(log[first:fix]).removeprefix(_SAYS).split())
    return cause[:_CHARACTERS], log[fix].removeprefix(_FIX).strip()[:_CHARACTERS]


def runs_alone(task: Mapping[str, Any]) -> bool:
    """Whether the image's own entry point runs the command, without Penstock's runtime: RunTask gave it the command."""
    overrides = (task.get("overrides") or {}).get("containerOverrides") or []
    return any(override.get("command") for override in overrides if override.get("name") == CONTAINER_NAME)


def _matches(texts: Iterable[str], words: Iterable[str]) -> bool:
    patterns = [re.compile(".*".join(map(re.escape, word.split("*"))), re.DOTALL) for word in words]
    return any(pattern.fullmatch(text) for pattern in patterns for text in texts)


def _container(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """Penstock's container; the only one if it has another name."""
    containers: list[Mapping[str, Any]] = list(task.get("containers") or [])
    main = [container for container in containers if container.get("name") == CONTAINER_NAME]
    return (main or containers or [{}])[0]


def _summary(code: int | None, words: str, stop_code: str) -> str:
    ended = "ended without an exit code" if code is None else f"ended with exit code {code}"
    reason = words or stop_code or "ECS gives no reason"
    return f"the Fargate task {ended}: {reason}"
