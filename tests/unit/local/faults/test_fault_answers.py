"""On the errors that the fault proxy answers with: boto3 reads each as the service's own."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.local.faults.answers import answer, error
from penstock.local.faults.rules import Rule
from tests.unit.local.faults.sending import Sent

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "ecs": ("run_task", {"taskDefinition": "tool"}),
    "logs": ("get_log_events", {"logGroupName": "g", "logStreamName": "s"}),
    "s3": ("get_object", {"Bucket": "acme", "Key": "k"}),
    "secretsmanager": ("get_secret_value", {"SecretId": "s"}),
    "sts": ("get_caller_identity", {}),
    "ec2": ("describe_vpcs", {}),
    "lambda": ("list_functions", {}),
    "mwaa": ("list_environments", {}),
    "cloudwatch": ("list_metrics", {}),
    "sqs": ("list_queues", {}),
    "cloudformation": ("describe_stacks", {}),
}


def answered(service: str, **rule: Any) -> tuple[int, str, str]:
    """Status, code and message that boto3 reads from the answer of a rule."""
    found = Rule.model_validate({"call": "*", **rule})
    operation, values = CALLS[service]
    sent = Sent(service, operation, lambda sent: error(found, sent.call, sent.head), **values)
    assert sent.error is not None
    response: Any = sent.error.response
    assert response["ResponseMetadata"]["RequestId"]
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


@pytest.mark.parametrize("service", CALLS)
def test_error_is_of_its_protocol(service: str) -> None:
    """Code, text and status arrive as the rule says, marks of XML and JSON included."""
    found = answered(service, fault="error", status=418, code="Odd.Thing", message='a <b> & "c"')

    assert found == (418, "Odd.Thing", 'a <b> & "c"')


@pytest.mark.parametrize("service", CALLS)
def test_error_has_defaults(service: str) -> None:
    """A rule need say no more than `error`."""
    assert answered(service, fault="error")[:2] == (500, "InternalError")


@pytest.mark.parametrize(
    ("service", "status", "code"),
    [
        ("ecs", 400, "ThrottlingException"),
        ("logs", 400, "ThrottlingException"),
        ("s3", 503, "SlowDown"),
        ("secretsmanager", 400, "ThrottlingException"),
        ("sts", 400, "Throttling"),
        ("ec2", 503, "RequestLimitExceeded"),
        ("lambda", 429, "TooManyRequestsException"),
        ("mwaa", 429, "ThrottlingException"),
        ("sqs", 400, "RequestThrottled"),
    ],
)
def test_throttling_is_the_services_own(service: str, status: int, code: str) -> None:
    """Clients know by the code that they may try again."""
    assert answered(service, fault="throttled")[:2] == (status, code)


def test_throttling_codes_are_ones_that_botocore_retries() -> None:
    """A code that no client takes for throttling would rehearse something else."""
    from botocore.retries.standard import ThrottledRetryableChecker

    known = set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES)  # type: ignore[attr-defined]

    assert {answered(service, fault="throttled")[1] for service in CALLS} <= known


def test_hidden_throttling_has_the_words_of_ecs() -> None:
    """What EC2 throttles behind RunTask arrives under another code, and only the text says what it was."""
    status, code, message = answered("ecs", call="ecs:RunTask", fault="throttled", hidden=True)

    assert (status, code) == (400, "InvalidParameterException")
    assert message.endswith("Rate exceeded (ErrorCode: Throttling)")


def test_error_of_head_has_no_body() -> None:
    """HTTP allows none; what follows on the connection would be read as part of it."""
    rule = Rule.model_validate({"call": "*", "fault": "error", "status": 503})
    sent = Sent("s3", "head_object", lambda sent: error(rule, sent.call, sent.head), Bucket="acme", Key="k")

    assert error(rule, sent.call, sent.head).body == b""
    assert sent.error is not None
    assert sent.error.response["Error"]["Code"] == "503"


def test_answered_gives_the_body() -> None:
    """RunTask answers with status 200 also where it has started nothing."""
    rule = Rule.model_validate(
        {"call": "ecs:RunTask", "fault": "answered", "body": '{"tasks": [], "failures": [{"reason": "full"}]}'}
    )
    sent = Sent("ecs", "run_task", lambda sent: answer(rule, sent.call, sent.head), taskDefinition="tool")

    assert sent.error is None
    assert sent.result["failures"] == [{"reason": "full"}]
