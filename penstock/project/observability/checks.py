"""What types cannot say about dashboard, alarms and messages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.aws import arns
from penstock.problem import Problem
from penstock.project.observability.model import CREATE, NONE, Observability
from penstock.project.schema.emails import check_addresses

_TOPIC = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?"
"""Amazon SNS API Reference, CreateTopic, Name."""
STEP_MINUTES = 5
"""The alarm counts heartbeats of five minutes."""


def check_observability(settings: Observability, region: str) -> Iterator[Problem]:
    """Addresses, ARNs of the right region."""
    here = ("observability",)
    yield from check_addresses(settings.email, *here, "email")
    if settings.topic is not None:
        yield from _check_topic(settings, settings.topic, region)
    if settings.encryption not in (CREATE, NONE):
        fix = "write create, none, or arn:aws:kms:<region>:<account>:key/<id>"
        yield from _check_arn(region, arns.KEY, settings.encryption, "a KMS key", fix, *here, "encryption")
    silent = settings.alarms.scheduler_silent_minutes
    if silent % STEP_MINUTES:
        path = (*here, "alarms", "scheduler_silent_minutes")
        yield Problem(f"{silent} minutes is not a multiple of {STEP_MINUTES}", "use 5, 10, 15, …", path)


def _check_topic(settings: Observability, topic: str, region: str) -> Iterator[Problem]:
    path = ("observability", "topic")
    yield from _check_arn(region, _TOPIC, topic, "an SNS topic", "write arn:aws:sns:<region>:<account>:<name>", *path)
    if topic.endswith(".fifo"):
        # Alarms publish to standard topics only (AWS, Amazon SNS Developer Guide, "FIFO topics").
        yield Problem("alarms cannot tell a FIFO topic", "name a standard topic", path)
    if settings.email:
        fix = "subscribe the addresses to that topic, or leave out topic"
        yield Problem("email is for a topic that Penstock makes", fix, ("observability", "email"))
    if settings.encryption != CREATE:
        fix = "remove it: the topic that exists has its own"
        yield Problem("encryption is for a topic that Penstock makes", fix, ("observability", "encryption"))


def _check_arn(region: str, pattern: str, arn: str, kind: str, fix: str, *path: str) -> Iterator[Problem]:
    noun = kind.partition(" ")[2]
    if not re.fullmatch(pattern, arn):
        yield Problem(f"{arn[:60]!r} is not the ARN of {kind}", fix, path)
    elif (own := arns.parts(arn).region) != region:
        # Neither alarms nor rules reach a topic of another region (CloudWatch, EventBridge: "targets").
        yield Problem(f"the {noun} is in {own}, the environment in {region}", f"name one in {region}", path)
    elif wrong := arns.wrong_partition(arn, region):
        yield wrong.at(*path)
