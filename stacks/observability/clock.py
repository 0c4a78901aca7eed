"""A function that runs again and again."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


def run_every(scope: Construct, function: lambda_.IFunction, minutes: int, description: str) -> None:
    """Call `function` every so many minutes; a call that fails is tried twice more, until the next is due."""
    age = cdk.Duration.minutes(minutes)
    events.Rule(
        scope,
        "Clock",
        description=description,
        schedule=events.Schedule.rate(age),
        targets=[targets.LambdaFunction(function, retry_attempts=2, max_event_age=age)],
    )
