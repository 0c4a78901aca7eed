"""What boto3 sees of each fault, from a proxy before an embedded AWS."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from penstock_runtime.errors import InputError
from tests.functional.embedded import ACCOUNT, Aws, aws, until
from tests.functional.proxied import FILE, Proxied, proxied, proxying, shared

__all__ = ["aws", "proxied", "shared"]

MIB = 1024 * 1024


def test_file_holds_until_other_rules_are_set(aws: Aws, tmp_path: Path) -> None:
    """Its rules hold at the start, a change of it counts at once, and a broken one keeps what holds."""
    with proxying(aws, tmp_path) as proxied:
        sts = proxied.client("sts")
        with pytest.raises(ClientError, match="FromFile"):
            sts.get_caller_identity()

        proxied.file.write_text(FILE.replace("FromFile", "Changed"))
        with pytest.raises(ClientError, match="Changed"):
            sts.get_caller_identity()

        proxied.file.write_text("faults: [{call: sts:Nothing, fault: error}]")
        with pytest.raises(ClientError, match="Changed"):
            sts.get_caller_identity()
        assert f"{proxied.file}:1:17: sts has no operation 'Nothing'" in (proxied.faults.counts().problem or "")
        assert "the rules from before still hold" in proxied.log.read_text()

        proxied.faults.set([])
        assert sts.get_caller_identity()["Account"] == ACCOUNT


def test_late_answer_is_held_back_and_the_call_is_done_at_once(proxied: Proxied) -> None:
    """What was called for is there long before the answer, and the answer is whole."""
    proxied.faults.set([{"call": "ecs:RunTask", "fault": "late", "seconds": 5, "count": 1}])
    before, answers = proxied.tasks(), list[Any]()
    ecs = proxied.client("ecs")
    start = time.monotonic()
    calling = threading.Thread(target=lambda: answers.append(ecs.run_task(**proxied.aws.call("true"))))
    calling.start()

    new = until(lambda: proxied.tasks() - before, 4)
    assert not answers
    calling.join(20)

    assert time.monotonic() - start >= 5
    assert {one["taskArn"] for one in answers[0]["tasks"]} == new


def test_call_whose_client_has_given_up_is_done_all_the_same(proxied: Proxied) -> None:
    """A client's timeout does not undo what AWS has done."""
    proxied.faults.set([{"call": "ecs:RunTask", "fault": "late", "seconds": 4}])
    before = proxied.tasks()

    with pytest.raises(ReadTimeoutError):
        proxied.client("ecs", read_timeout=1).run_task(**proxied.aws.call("true"))

    assert len(until(lambda: proxied.tasks() - before)) == 1


def test_lost_answer(proxied: Proxied) -> None:
    """The call was done, once, and the client cannot know it."""
    proxied.faults.set([{"call": "ecs:RunTask", "fault": "lost"}])
    before = proxied.tasks()

    with pytest.raises(ConnectionClosedError):
        proxied.client("ecs").run_task(**proxied.aws.call("true"))

    assert len(proxied.tasks() - before) == 1
    assert proxied.faults.counts().calls["ecs:RunTask"] == 1


def test_lost_answer_is_asked_for_again(proxied: Proxied) -> None:
    """boto3 tries again; with the client token that it makes, AWS starts no second task."""
    proxied.faults.set([{"call": "ecs:RunTask", "fault": "lost", "count": 1}])
    before = proxied.tasks()

    answer = proxied.client("ecs", attempts=2).run_task(**proxied.aws.call("true"))

    assert {one["taskArn"] for one in answer["tasks"]} == proxied.tasks() - before
    assert len(answer["tasks"]) == 1
    assert proxied.faults.counts().calls["ecs:RunTask"] == 2


def test_calls_about_one_run_are_hit(proxied: Proxied) -> None:
    """`containing` reads the body, which reaches the embedded AWS all the same; rules may be added meanwhile."""
    proxied.faults.set([{"call": "ecs:RunTask", "fault": "error", "containing": "penstock/daily/"}])
    body = '{"tasks": [], "failures": [{"reason": "full"}]}'
    proxied.faults.add([{"call": "ecs:RunTask", "fault": "answered", "containing": "penstock/hourly/", "body": body}])
    before, ecs = proxied.tasks(), proxied.client("ecs")

    ecs.run_task(**proxied.aws.call("true", startedBy="penstock/weekly/load"))
    with pytest.raises(ClientError, match="InternalError"):
        ecs.run_task(**proxied.aws.call("true", startedBy="penstock/daily/load"))
    answer = ecs.run_task(**proxied.aws.call("true", startedBy="penstock/hourly/load"))

    assert answer["failures"] == [{"reason": "full"}]
    assert len(proxied.tasks() - before) == 1
    assert proxied.faults.counts().hits == [1, 1]


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"fault": "refused"}, BotoCoreError),
        ({"fault": "silent", "seconds": 1}, ConnectionClosedError),
        ({"fault": "error"}, ClientError),
        ({"fault": "throttled"}, ClientError),
        ({"fault": "throttled", "hidden": True}, ClientError),
    ],
)
def test_call_that_does_not_arrive_is_not_done(proxied: Proxied, rule: dict[str, Any], error: type[Exception]) -> None:
    """Nothing reaches the embedded AWS, and the next call passes."""
    proxied.faults.set([{"call": "ecs:RunTask", "count": 1, **rule}])
    before, ecs, start = proxied.tasks(), proxied.client("ecs"), time.monotonic()

    with pytest.raises(error):
        ecs.run_task(**proxied.aws.call("true"))

    assert time.monotonic() - start >= rule.get("seconds", 0)
    assert proxied.tasks() == before
    assert len(ecs.run_task(**proxied.aws.call("true"))["tasks"]) == 1
    assert proxied.faults.counts().hits == [1]


def test_refused_connection_is_reset(proxied: Proxied) -> None:
    """As by a host that knows nothing of it, not as by a server that is done."""
    proxied.faults.set([{"call": "*", "fault": "refused"}])
    with contextlib.closing(proxied.connection()) as connection:
        connection.request("GET", "/")
        with pytest.raises(ConnectionResetError):
            connection.getresponse()


def test_black_hole_outlasts_a_client(proxied: Proxied) -> None:
    """Its own timeout ends the call."""
    proxied.faults.set([{"call": "sts:*", "fault": "silent", "seconds": 60}])

    with pytest.raises(ReadTimeoutError):
        proxied.client("sts", read_timeout=1).get_caller_identity()


def test_cut_answer(proxied: Proxied) -> None:
    """Half of the body arrives, and the client sees that it is not all; without a body nothing arrives."""
    s3 = proxied.aws.client("s3")
    s3.put_object(Bucket="tool-bucket", Key="cut", Body=b"x" * 1000)
    proxied.faults.set([{"call": "s3:GetObject", "fault": "cut"}, {"call": "s3:HeadObject", "fault": "cut"}])
    behind = proxied.client("s3")

    with pytest.raises((ResponseStreamingError, BotoCoreError)) as caught:
        behind.get_object(Bucket="tool-bucket", Key="cut")["Body"].read()
    assert "500" in str(caught.value)
    with pytest.raises(ConnectionClosedError):
        behind.head_object(Bucket="tool-bucket", Key="cut")


def test_cut_answer_of_a_call(proxied: Proxied) -> None:
    """An answer that breaks off is an error of the connection, and no half answer."""
    proxied.faults.set([{"call": "ecs:DescribeTaskDefinition", "fault": "cut"}])

    with pytest.raises(BotoCoreError):
        proxied.client("ecs").describe_task_definition(taskDefinition="tool")


@pytest.mark.parametrize(
    ("service", "operation", "values"),
    [
        ("ecs", "describe_clusters", {}),
        ("logs", "describe_log_groups", {}),
        ("s3", "put_object", {"Bucket": "tool-bucket", "Key": "k", "Body": b"x" * MIB}),
        ("secretsmanager", "list_secrets", {}),
        ("sts", "get_caller_identity", {}),
    ],
)
def test_error_is_the_services_own(proxied: Proxied, service: str, operation: str, values: dict[str, Any]) -> None:
    """boto3 reads code, text and status, and the connection serves the next call."""
    rule = {"fault": "error", "status": 503, "code": "Odd", "message": "as asked <for>", "count": 1}
    proxied.faults.set([{"call": f"{service}:*", **rule}])
    client = proxied.client(service)

    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**values)

    response: Any = caught.value.response
    assert (response["Error"]["Code"], response["Error"]["Message"]) == ("Odd", "as asked <for>")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 503
    getattr(client, operation)(**values)


def test_throttled_calls_are_tried_again(proxied: Proxied) -> None:
    """boto3 takes the code for throttling; what ECS hides behind another code it does not."""
    proxied.faults.set(
        [
            {"call": "ecs:DescribeClusters", "fault": "throttled", "count": 2},
            {"call": "s3:ListBuckets", "fault": "throttled", "count": 1},
            {"call": "ecs:RunTask", "fault": "throttled", "hidden": True},
        ]
    )

    proxied.client("ecs", attempts=4).describe_clusters()
    proxied.client("s3", attempts=4).list_buckets()
    with pytest.raises(ClientError, match=r"InvalidParameterException.*Rate exceeded") as caught:
        proxied.client("ecs", attempts=4).run_task(**proxied.aws.call("true"))

    assert caught.value.operation_name == "RunTask"
    assert proxied.faults.counts().calls == {"ecs:DescribeClusters": 3, "s3:ListBuckets": 2, "ecs:RunTask": 1}


def test_rules_change_during_the_run(proxied: Proxied) -> None:
    """From one call to the next on one connection; a wrong rule leaves those that hold."""
    sts = proxied.client("sts")
    sts.get_caller_identity()
    proxied.faults.set([{"call": "sts:*", "fault": "error", "code": "First"}])
    with pytest.raises(ClientError, match="First"):
        sts.get_caller_identity()
    with pytest.raises(InputError, match="sts has no operation 'Nothing'"):
        proxied.faults.set([{"call": "sts:Nothing", "fault": "lost"}])
    with pytest.raises(ClientError, match="First"):
        sts.get_caller_identity()
    assert proxied.faults.counts().hits == [2]

    proxied.faults.clear()
    sts.get_caller_identity()

    assert proxied.faults.counts().calls == {"sts:GetCallerIdentity": 1}


def test_origins_have_a_port_each(proxied: Proxied) -> None:
    """A rule for the tasks lets Airflow's calls pass, and counts tell one from the other."""
    proxied.faults.set([{"call": "sts:*", "from": "tasks", "fault": "throttled"}])

    proxied.client("sts").get_caller_identity()
    proxied.client("sts", origin="desk").get_caller_identity()
    with pytest.raises(ClientError, match="Throttling"):
        proxied.client("sts", origin="tasks").get_caller_identity()

    one = {"sts:GetCallerIdentity": 1}
    assert proxied.faults.counts().by_origin == {"airflow": one, "desk": one, "tasks": one}
