"""Every failure is found once, and told with the diagnosis that the operator gives. Matching is the emulator's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from penstock.local.aws import compat
from penstock_runtime.container.process import EndedBy
from penstock_runtime.contract import Exit
from penstock_runtime.diagnosis import reasons
from penstock_runtime.diagnosis.diagnose import diagnose, reason_of
from penstock_runtime.functions import stopped_tasks as stopped_code
from tests.stacks import plans
from tests.stacks.observability_stack import of_type, plan_with, synthesized
from tests.unit.runtime.diagnosis.stopped_task import BY_REAPER, CASES, metric_line, stopped

ARN = f"arn:aws:ecs:{plans.REGION}:{plans.ACCOUNT}:cluster/acme-dev"
SPOT = {"stop_code": "SpotInterruption", "reason": "Your Spot Task was interrupted."}
GONE = {"stop_code": "TerminationNotice", "reason": "Fargate stops the task to replace its infrastructure"}
PERSON = {"stop_code": "UserInitiated", "reason": "Task stopped by user"}
START = "CannotStartContainerError: unable to start container process: "
OOM = "OutOfMemoryError: Container killed due to memory usage"

FAILURES: list[dict[str, Any]] = [
    *({"code": code, "stop_code": "TaskFailedToStart", "reason": reason} for reason, code, _, _ in CASES),
    {"stop_code": "TaskFailedToStart", "reason": "Something that nobody has seen before"},
    {"stop_code": "TaskFailedToStart", "reason": ""},
    *({"code": int(code)} for code in Exit if code is not Exit.DONE),
    *({"code": code} for code in (126, 127, 139, 3, 255)),
    {"code": None},
    {"code": 137, "container_reason": OOM},
    {"code": 1, "container_reason": OOM},
    {"code": 137, "container_reason": OOM, **PERSON},
    *({"code": code, **how} for code in (None, 1, 143) for how in (SPOT, GONE, PERSON)),
    *({"code": code, **PERSON} for code in (2, 65, 124, 137)),
    *({"code": code, **BY_REAPER, "alone": True} for code in (None, 137)),
    {"code": 143, "stop_code": "UserInitiated", "reason": reasons.AT_DEADLINE},
    {"code": 143, "stop_code": "UserInitiated", "reason": "Task killed by the user", "alone": True},
    {"stop_code": "TaskFailedToStart", "reason": f'{START}exec: "etl": executable file not found', "alone": True},
    {"code": 2, "alone": True},
    {"code": 1, "stop_code": "", "reason": "no stop code"},
    {"code": 1, "stop_code": "ServiceSchedulerInitiated", "reason": "of a later ECS"},
]


def event(**task: Any) -> dict[str, Any]:
    """As ECS sends it: without the fields that have no value."""
    detail = {"lastStatus": "STOPPED", "clusterArn": ARN, **stopped(**task)}
    return {key: value for key, value in detail.items() if value != ""}


def matches(pattern: dict[str, Any], detail: dict[str, Any]) -> bool:
    whole = {"Source": "aws.ecs", "DetailType": "ECS Task State Change", "Detail": json.dumps(detail)}
    return bool(compat.eventbridge._matches_pattern(json.dumps(pattern), whole))


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of the one rule that looks for failures; the other rule is a clock."""
    resources = of_type(synthesized(tmp_path_factory.mktemp("rules"), plan_with()), "AWS::Events::Rule")
    (found,) = [one["EventPattern"] for one in resources if "EventPattern" in one]
    return dict(found)


@pytest.mark.parametrize("task", FAILURES, ids=str)
def test_a_failure_is_told_as_the_operator_tells_it(pattern: dict[str, Any], task: dict[str, Any]) -> None:
    detail = event(**task)
    subject, text = message(detail)
    told, found = json.loads(text), diagnose(detail)

    assert matches(pattern, detail)
    assert told["what"] == f"a Fargate task of acme-dev failed: {found.cause}"
    assert (told["fix"], told["may_succeed_if_tried_again"]) == (found.fix, found.transient)
    assert told["log_group"] == "/penstock/acme-dev"
    assert subject == f"Penstock acme-dev: task failed, {reason_of(detail).name}"


def test_a_sidecar_that_aws_adds_hides_no_failure(pattern: dict[str, Any]) -> None:
    """GuardDuty's container: its own exit code tells nothing about the task."""
    sidecar = {"name": "aws-guardduty-agent-x", "exitCode": 137}
    failed, well = event(code=1), event(code=0)
    failed["containers"].append(sidecar)
    well["containers"].append(sidecar)
    unstarted = event(stop_code="TaskFailedToStart", reason="Rate exceeded")
    unstarted["containers"].append(sidecar)

    assert [matches(pattern, one) for one in (failed, well, unstarted)] == [True, False, True]


def test_nobody_is_told_of_anything_else(pattern: dict[str, Any]) -> None:
    """A success, a task that still runs, a task of another cluster."""
    running = {**event(code=1), "lastStatus": "DEPROVISIONING"}
    strange = {**event(code=1), "clusterArn": ARN.replace("acme-dev", "other")}

    for one in (event(code=0), event(code=0, **PERSON), running, strange):
        assert not matches(pattern, one)


def test_each_reason_has_a_sample_above() -> None:
    """No reason goes untried, and each has a name of its own."""
    assert len({reason.name for reason in reasons.every()}) == len(reasons.every())
    told = {reason_of(event(**task)) for task in FAILURES}
    codes = (*(int(code) for code in Exit if code is not Exit.DONE), 126, 127, 139, 3)
    told |= {reason_of(event(code=code), [metric_line(by)]) for by in get_args(EndedBy) for code in codes}
    assert set(reasons.every()) - told == set()


def test_the_pattern_is_within_what_eventbridge_takes(pattern: dict[str, Any]) -> None:
    """At most 2,048 characters (EventBridge quotas), in its language, and without wildcards: of these it takes few
    ("Rule is too complex"), and does not say how many."""
    text = json.dumps(pattern, separators=(",", ":"))

    assert len(text) <= 2048
    assert compat.eventbridge._event_pattern_error(text) is None
    assert "wildcard" not in text


def test_the_message_is_json_whatever_ecs_says_and_never_too_long() -> None:
    """SNS takes 256 KiB, and 100 characters of ASCII for a subject."""
    says = 'CannotStartContainerError: exec: "python": not found \\ <here> ü'
    detail = {**event(stop_code="TaskFailedToStart", reason=says * 9000), "startedBy": "penstock/daily/load/1/ab"}
    subject, text = message(detail, project="ü" * 150)
    data = json.loads(text)

    assert data["ecs_says"].startswith(says)
    assert len(text.encode()) < 256 * 1024
    assert data["started_by"] == "penstock/daily/load/1/ab"
    assert len(subject) <= 100
    assert subject.isascii()


def message(detail: dict[str, Any], project: str = "acme") -> tuple[str, str]:
    of = {"Project": project, "Environment": "dev"}
    return stopped_code.message(detail, "2026-11-01T00:00:00Z", of=of, log_group="/penstock/acme-dev")


def test_the_function_holds_all_that_it_imports(tmp_path: Path) -> None:
    """Each function starts from its asset alone; boto3 is Lambda's, and imported when it is called."""
    synthesized(tmp_path, plan_with())
    functions = {
        one.stem: one.parents[2]
        for one in (tmp_path / "cdk.out").glob("asset.*/penstock_runtime/functions/*.py")
        if one.stem in ("stopped_tasks", "overdue")
    }

    assert set(functions) == {"stopped_tasks", "overdue"}
    for module, folder in functions.items():
        code = (
            f"import sys; sys.path.insert(0, sys.argv[1]); import penstock_runtime.functions.{module} as m; m.handler"
        )
        subprocess.run([sys.executable, "-I", "-S", "-c", code, str(folder)], check=True)
