"""Every failure is told once, with the diagnosis that the operator gives. Matching is the emulator's EventBridge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.local.aws import compat
from penstock_runtime import reasons
from penstock_runtime.contract import Exit
from penstock_runtime.diagnose import diagnose, reason_of
from stacks import stopped_tasks
from tests.stacks import plans
from tests.stacks.test_observability import of_type, plan_with, synthesized
from tests.unit.test_runtime_diagnose import CASES, stopped

ARN = f"arn:aws:ecs:{plans.REGION}:{plans.ACCOUNT}:cluster/acme-dev"
SPOT = {"stop_code": "SpotInterruption", "reason": "Your Spot Task was interrupted."}
GONE = {"stop_code": "TerminationNotice", "reason": "Fargate stops the task to replace its infrastructure"}
PERSON = {"stop_code": "UserInitiated", "reason": "Task stopped by user"}
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
    {"code": 1, "stop_code": "", "reason": "no stop code"},
    {"code": 1, "stop_code": "ServiceSchedulerInitiated", "reason": "of a later ECS"},
]


def event(**task: Any) -> dict[str, Any]:
    """As ECS sends it: what has no value is not there."""
    detail = {"lastStatus": "STOPPED", "clusterArn": ARN, **stopped(**task)}
    return {key: value for key, value in detail.items() if value != ""}


def matches(pattern: dict[str, Any], detail: dict[str, Any]) -> bool:
    whole = {"Source": "aws.ecs", "DetailType": "ECS Task State Change", "Detail": json.dumps(detail)}
    return bool(compat.eventbridge._matches_pattern(json.dumps(pattern), whole))


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    made = of_type(synthesized(tmp_path_factory.mktemp("rules"), plan_with()), "AWS::Events::Rule")
    # The other one is a clock.
    return [one for one in made if "EventPattern" in one]


def told(rules: list[dict[str, Any]], detail: dict[str, Any]) -> list[dict[str, Any]]:
    """The targets that tell of an event, on either bus: the second hears what a rule of the first passes on."""
    first = [rule for rule in rules if "EventBusName" not in rule and matches(rule["EventPattern"], detail)]
    targets = [target for rule in first for target in rule["Targets"]]
    if any("RoleArn" in target for target in targets):
        second = [rule for rule in rules if "EventBusName" in rule and matches(rule["EventPattern"], detail)]
        targets += [target for rule in second for target in rule["Targets"]]
    return [target for target in targets if "InputTransformer" in target]


@pytest.mark.parametrize("task", FAILURES, ids=str)
def test_a_failure_is_told_once_as_the_operator_tells_it(rules: list[dict[str, Any]], task: dict[str, Any]) -> None:
    detail = event(**task)
    (target,) = told(rules, detail)
    message = target["InputTransformer"]["InputTemplate"]
    found = diagnose(detail)

    assert json.dumps(found.fix) in message
    assert json.dumps(found.cause)[1:-1] in message
    assert json.dumps(found.transient) in message


def test_a_sidecar_that_aws_adds_hides_no_failure(rules: list[dict[str, Any]]) -> None:
    """GuardDuty's container: its own exit code tells nothing about the task."""
    sidecar = {"name": "aws-guardduty-agent-x", "exitCode": 137}
    failed, well = event(code=1), event(code=0)
    failed["containers"].append(sidecar)
    well["containers"].append(sidecar)
    unstarted = event(stop_code="TaskFailedToStart", reason="Rate exceeded")
    unstarted["containers"].append(sidecar)

    assert len(told(rules, failed)) == 1
    assert told(rules, well) == []
    assert len(told(rules, unstarted)) == 1


def test_nobody_is_told_of_anything_else(rules: list[dict[str, Any]]) -> None:
    """A success, a task that still runs, a task of another cluster."""
    running = {**event(code=1), "lastStatus": "DEPROVISIONING"}
    strange = {**event(code=1), "clusterArn": ARN.replace("acme-dev", "other")}

    assert told(rules, event(code=0)) == []
    assert told(rules, event(code=0, **PERSON)) == []
    assert told(rules, running) == []
    assert told(rules, strange) == []


def test_each_reason_has_its_rule_and_a_sample_above(rules: list[dict[str, Any]]) -> None:
    """The table and the rules are the same; no reason goes untried."""
    assert len(rules) == len(reasons.every()) + 1
    assert {reasons.OUT_OF_MEMORY, *stopped_tasks.cases()} == set(reasons.every())
    assert len({reason.name for reason in reasons.every()}) == len(reasons.every())
    assert set(reasons.every()) - {reason_of(event(**task)) for task in FAILURES} == set()


def test_the_patterns_are_within_what_eventbridge_takes(rules: list[dict[str, Any]]) -> None:
    """At most 2,048 characters (EventBridge quotas), and in its language; templates at most 8,192 (its API)."""
    for rule in rules:
        pattern = json.dumps(rule["EventPattern"], separators=(",", ":"))
        assert len(pattern) <= 2048
        assert compat.eventbridge._event_pattern_error(pattern) is None


def test_the_message_is_json_whatever_ecs_says(rules: list[dict[str, Any]]) -> None:
    """Quotes in ECS's words do not break it; nothing in our own texts is taken for a placeholder."""
    says = 'CannotStartContainerError: exec: "python": not found \\ <here>'
    for rule in rules:
        for target in (one for one in rule["Targets"] if "InputTransformer" in one):
            transformer = target["InputTransformer"]
            text = transformer["InputTemplate"]
            assert len(text) <= 8192
            assert text.count("<") == text.count(">") == len(transformer["InputPathsMap"])
            values = {"says": says, "task": "arn:x", "by": "penstock/daily/load/1/ab", "at": "2026-11-01T00:00:00Z"}
            message = json.loads(compat.eventbridge._render_input_template(text, values))
            assert message["ecs_says"] == says
            assert message["started_by"] == "penstock/daily/load/1/ab"
            assert message["log_group"] == "/penstock/acme-dev"


def test_only_the_rule_may_pass_failures_on(tmp_path: Path) -> None:
    resources = synthesized(tmp_path, plan_with())
    (role,) = [one for one in of_type(resources, "AWS::IAM::Role") if "lambda" not in str(one)]
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]

    assert statement["Action"] == "events:PutEvents"
    assert "Fn::GetAtt" in statement["Resource"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": plans.ACCOUNT}}
