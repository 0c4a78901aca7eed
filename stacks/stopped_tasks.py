"""A message for each Fargate task that failed, with its cause and what to do: EventBridge rules, no code.

A rule cannot call `diagnose`, but it can sort: there is a rule for each reason of `penstock_runtime.reasons`, with that
reason's text in its message. Every failure matches one: they differ by stop code, then by exit code or by words.

The account's default event bus takes 300 rules (EventBridge quotas), so it gets two: one that takes out-of-memory, and
one that passes every failure on to a bus of the environment's own, where the rest of the rules is. What these two have
matched is a metric, which the alarms read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from penstock_runtime import reasons
from penstock_runtime.contract import CONTAINER_NAME
from penstock_runtime.plan import Plan
from penstock_runtime.reasons import Reason

Pattern = dict[str, Any]
"""What an event's `detail` must hold, in EventBridge's language."""

_ABSENT = {"exists": False}


def _words(words: Iterable[str]) -> list[Any]:
    return [{"wildcard": one} for one in words]


def _none_of(words: Iterable[str]) -> list[Any]:
    return [_ABSENT, {"anything-but": {"wildcard": list(words)}}]


def _ended(**container: list[Any]) -> Pattern:
    """Our container, and not one that AWS puts beside it (GuardDuty's)."""
    return {"containers": {"name": [CONTAINER_NAME], **container}}


FAILURE: Pattern = {
    "lastStatus": ["STOPPED"],
    "$or": [
        _ended(exitCode=[{"anything-but": [0]}]),
        {"containers": {"exitCode": [_ABSENT]}},
        {"stopCode": [reasons.FAILED_TO_START]},
    ],
}
"""A task that ended, and did not succeed."""

_ENOUGH_MEMORY = {"reason": _none_of(reasons.OUT_OF_MEMORY_WORDS)}

OUT_OF_MEMORY: Pattern = {
    "lastStatus": ["STOPPED"],
    "stopCode": [reasons.EXITED, reasons.BY_SOMEBODY],
    **_ended(exitCode=[_ABSENT, {"anything-but": [0]}], reason=_words(reasons.OUT_OF_MEMORY_WORDS)),
}


def cases() -> dict[Reason, Pattern]:
    """Every other reason with what tells it from the rest, among failures."""
    exited = {"stopCode": [reasons.EXITED]}
    either = {"stopCode": [reasons.EXITED, reasons.BY_SOMEBODY]}
    starting = {"stopCode": [reasons.FAILED_TO_START]}
    found: dict[Reason, Pattern] = {
        reason: {**starting, "stoppedReason": _words(words)} for reason, words in reasons.STARTS.items()
    }
    known = [one for words in reasons.STARTS.values() for one in words]
    found[reasons.NOT_STARTED] = {**starting, "stoppedReason": _none_of(known)}
    found |= {reason: {"stopCode": list(codes)} for reason, codes in reasons.STOPS.items()}
    own = list(reasons.OWN_EXITS)
    found[reasons.STOPPED_BY_SOMEBODY] = {
        "stopCode": [reasons.BY_SOMEBODY],
        **_ended(exitCode=[_ABSENT, {"anything-but": own}], **_ENOUGH_MEMORY),
    }
    for code, reason in reasons.EXITS.items():
        found[reason] = {**(either if code in own else exited), **_ended(exitCode=[int(code)], **_ENOUGH_MEMORY)}
    listed = [int(code) for code in reasons.EXITS]
    found[reasons.OTHER_EXIT] = {**exited, **_ended(exitCode=[{"anything-but": listed}], **_ENOUGH_MEMORY)}
    found[reasons.NO_EXIT_CODE] = {**exited, **_ended(exitCode=[_ABSENT], **_ENOUGH_MEMORY)}
    found[reasons.UNKNOWN] = {"stopCode": _not_among(reasons.KNOWN_STOP_CODES)}
    return found


def _not_among(values: Iterable[str]) -> list[Any]:
    return [_ABSENT, {"anything-but": list(values)}]


class StoppedTasks(Construct):
    """The rules, and the topic told by them where one is given."""

    def __init__(self, scope: Construct, name: str, *, plan: Plan, topic: str | None) -> None:
        """
        Args:
            topic: ARN of the topic to tell; None: failures are counted only.
        """
        super().__init__(scope, name)
        self._plan = plan
        stack = cdk.Stack.of(self)
        cluster = {"clusterArn": [stack.format_arn(service="ecs", resource="cluster", resource_name=plan.cluster)]}
        self.bus = events.CfnEventBus(self, "Bus", name=f"{plan.prefix}-failures")
        pass_on = events.CfnRule.TargetProperty(
            id="bus", arn=self.bus.attr_arn, role_arn=self._role(self.bus.attr_arn).role_arn
        )
        self.failed = self._rule("AnyFailure", "Fargate tasks that failed", {**cluster, **FAILURE}, pass_on)
        """Its name is the dimension of its metric."""
        memory = pass_on if topic is None else self._tell(reasons.OUT_OF_MEMORY, topic)
        self.out_of_memory = self._rule(
            reasons.OUT_OF_MEMORY.name, reasons.OUT_OF_MEMORY.cause, {**cluster, **OUT_OF_MEMORY}, memory
        )
        self.told = {} if topic is None else {reason: self._case(reason, topic, cases()[reason]) for reason in cases()}

    def _case(self, reason: Reason, topic: str, pattern: Pattern) -> events.CfnRule:
        return self._rule(reason.name, reason.cause, pattern, self._tell(reason, topic), bus=self.bus.ref)

    def _rule(
        self, name: str, what: str, detail: Pattern, target: events.CfnRule.TargetProperty, bus: str | None = None
    ) -> events.CfnRule:
        source = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}
        # Nothing else comes to the bus of our own.
        pattern = {**(source if bus is None else {}), "detail": detail}
        return events.CfnRule(
            self, name, description=what, event_bus_name=bus, event_pattern=pattern, targets=[target]
        )  # fmt: skip

    def _tell(self, reason: Reason, topic: str) -> events.CfnRule.TargetProperty:
        return events.CfnRule.TargetProperty(
            id="topic",
            arn=topic,
            input_transformer=events.CfnRule.InputTransformerProperty(
                input_paths_map={
                    "says": "$.detail.stoppedReason",
                    "task": "$.detail.taskArn",
                    "by": "$.detail.startedBy",
                    "at": "$.time",
                },
                input_template=self._message(reason),
            ),
        )

    def _message(self, reason: Reason) -> str:
        """JSON, a fact a line. A placeholder without quotes is put in as JSON, whatever the text holds."""
        fixed = {
            "what": f"a Fargate task of {self._plan.prefix} failed: {reason.cause}",
            "fix": reason.fix,
            "may_succeed_if_tried_again": reason.transient,
        }
        lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fixed.items()]
        lines += ['"ecs_says": <says>', '"started_by": "<by>"', '"task": <task>', '"at": <at>']
        lines.append(f'"log_group": {json.dumps(self._plan.log_group)}')
        return "{\n  " + ",\n  ".join(lines) + "\n}"

    def _role(self, bus_arn: str) -> iam.Role:
        """EventBridge wants a role to pass events from one bus to another ("Sending events between buses")."""
        stack = cdk.Stack.of(self)
        put = iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus_arn])
        return iam.Role(
            self,
            "PassOn",
            assumed_by=iam.ServicePrincipal(
                "events.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            ),
            inline_policies={"Bus": iam.PolicyDocument(statements=[put])},
        )
