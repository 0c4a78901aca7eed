"""Who hears of a failure."""

from __future__ import annotations

from tests.stacks import plans
from tests.stacks.conftest import Templates


def test_a_failed_task_and_one_that_never_started_reach_the_topic(templates: Templates) -> None:
    """Two rules on stopped tasks of this cluster, both with the topic as their target."""
    rules = [one["Properties"] for one in plans.resources(templates, "AWS::Events::Rule")]
    (topic,) = [
        name
        for name, one in templates["acme-dev-observability"]["Resources"].items()
        if one["Type"] == "AWS::SNS::Topic"
    ]
    common = {
        "clusterArn": [f"arn:aws:ecs:{plans.REGION}:{plans.ACCOUNT}:cluster/acme-dev"],
        "lastStatus": ["STOPPED"],
    }
    details = [rule["EventPattern"]["detail"] for rule in rules]

    assert {**common, "containers": {"exitCode": [{"anything-but": [0]}]}} in details
    assert {**common, "stopCode": ["TaskFailedToStart"]} in details
    assert len(rules) == 2
    assert [rule["Targets"][0]["Arn"] for rule in rules] == [{"Ref": topic}] * 2


def test_the_topic_takes_messages_over_tls_only(templates: Templates) -> None:
    (policy,) = plans.resources(templates, "AWS::SNS::TopicPolicy")
    denied = [one for one in policy["Properties"]["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]

    assert [one["Condition"] for one in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
