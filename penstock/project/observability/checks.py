"""What types cannot say about dashboard, alarms and messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from penstock.aws import arns
from penstock.project.document.problems import nearest
from penstock.project.meltano.project import MeltanoProject
from penstock.project.observability.model import CREATE, NONE
from penstock.project.schema.emails import check_addresses

if TYPE_CHECKING:
    from penstock.project.checks import Checks

_TOPIC = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"
"""Amazon SNS API Reference, CreateTopic, Name."""
STEP_MINUTES = 5
"""The alarm counts heartbeats of five minutes."""


def check_observability(checks: Checks, meltano: MeltanoProject | None) -> None:
    """Addresses, ARNs of the right region, schedules that exist. `meltano` None: none, or it could not be read."""
    settings = checks.settings.observability
    here = ("observability",)
    check_addresses(checks, settings.email, *here, "email")
    if settings.topic is not None:
        _check_topic(checks, settings.topic, *here, "topic")
    if settings.encryption not in (CREATE, NONE):
        fix = "write create, none, or arn:aws:kms:<region>:<account>:key/<id>"
        _check_arn(checks, arns.KEY, settings.encryption, "KMS key", fix, *here, "encryption")
    silent = settings.alarms.scheduler_silent_minutes
    if silent % STEP_MINUTES:
        path = (*here, "alarms", "scheduler_silent_minutes")
        checks.add(f"{silent} minutes is no multiple of {STEP_MINUTES}", "use 5, 10, 15, …", *path)
    _check_overdue(checks, meltano)


def _check_topic(checks: Checks, topic: str, *path: Any) -> None:
    settings = checks.settings.observability
    _check_arn(checks, _TOPIC, topic, "SNS topic", "write arn:aws:sns:<region>:<account>:<name>", *path)
    if topic.endswith(".fifo"):
        # Alarms publish to standard topics only (AWS, Amazon SNS Developer Guide, "FIFO topics").
        checks.add("alarms cannot tell a FIFO topic", "name a standard topic", *path)
    if settings.email:
        fix = "subscribe the addresses to that topic, or leave out topic"
        checks.add("email is for a topic that Penstock makes", fix, "observability", "email")
    if settings.encryption != CREATE:
        fix = "remove it: the topic that exists has its own"
        checks.add("encryption is for a topic that Penstock makes", fix, "observability", "encryption")


def _check_arn(checks: Checks, shape: str, arn: str, kind: str, fix: str, *path: Any) -> None:
    region = checks.settings.region
    if not re.fullmatch(shape, arn):
        checks.add(f"{arn[:60]!r} is no ARN of a {kind}", fix, *path)
    elif (own := arns.parts(arn).region) != region:
        # Neither alarms nor rules reach a topic of another region (CloudWatch, EventBridge: "targets").
        checks.add(f"the {kind} is in {own}, the environment in {region}", f"name one in {region}", *path)
    elif wrong := arns.wrong_partition(arn, region):
        checks.add(*wrong, *path)


def _check_overdue(checks: Checks, meltano: MeltanoProject | None) -> None:
    settings = checks.settings
    if settings.meltano is not None and meltano is None:
        return
    known = {one.name for one in settings.schedules} | {one.name for one in (meltano.schedules if meltano else ())}
    for name in settings.observability.alarms.overdue:
        if name not in known:
            fix = nearest(name, known, kind="schedule")
            checks.add(f"there is no schedule {name[:60]!r}", fix, "observability", "alarms", "overdue", name, key=True)
