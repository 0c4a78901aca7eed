"""What watches: messages, topic, alarms, dashboard, and each of them turned off."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from penstock_runtime.plan.airflow import UsedAirflow
from penstock_runtime.plan.observability import Alarms, Price
from penstock_runtime.plan.plan import Ecs
from stacks.observability.stack import watches
from tests.stacks import plans
from tests.stacks.observability_stack import of_type, plan_with, synthesized

QUIET = Alarms(
    failed_tasks=0, out_of_memory=0, queued_tasks=0, scheduler_silent_minutes=0, broken_dag_files=0, overdue=False
)
TOPIC = f"arn:aws:sns:{plans.REGION}:{plans.ACCOUNT}:pagers"
KEY = f"arn:aws:kms:{plans.REGION}:{plans.ACCOUNT}:key/1234abcd"
EMAIL = ("ops@acme.io", "data@acme.io")


def alarms(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["AlarmName"]: one for one in of_type(resources, "AWS::CloudWatch::Alarm")}


def body(resources: dict[str, Any]) -> dict[str, Any]:
    """The dashboard, with names in place of references."""
    (board,) = of_type(resources, "AWS::CloudWatch::Dashboard")
    text = board["DashboardBody"]
    if isinstance(text, dict):
        text = "".join(one if isinstance(one, str) else str(next(iter(one.values()))) for one in text["Fn::Join"][1])
    found: dict[str, Any] = json.loads(text)
    return found


def titles(resources: dict[str, Any]) -> set[str]:
    return {one["properties"].get("title", "") for one in body(resources)["widgets"]}


# The topic


def test_the_topic_takes_messages_over_tls_only_and_from_this_environment(tmp_path: Path) -> None:
    """CloudWatch may publish, for this environment's alarms; our functions may by their roles. EventBridge may not."""
    (policy,) = of_type(synthesized(tmp_path, plan_with()), "AWS::SNS::TopicPolicy")
    statements = policy["PolicyDocument"]["Statement"]
    denied = [one["Condition"] for one in statements if one["Effect"] == "Deny"]
    (allowed,) = [one for one in statements if one["Effect"] == "Allow"]

    assert denied == [{"Bool": {"aws:SecureTransport": "false"}}]
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": plans.ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{plans.REGION}:{plans.ACCOUNT}:alarm:acme-dev-*"},
    }


def test_the_topic_is_encrypted_with_a_key_that_alarms_may_use(tmp_path: Path) -> None:
    resources = synthesized(tmp_path, plan_with(email=EMAIL))
    (key,) = of_type(resources, "AWS::KMS::Key")
    (topic,) = of_type(resources, "AWS::SNS::Topic")
    (services,) = [one for one in key["KeyPolicy"]["Statement"] if "Service" in one["Principal"]]

    assert "Fn::GetAtt" in topic["KmsMasterKeyId"]
    assert key["EnableKeyRotation"] is True
    assert services["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert services["Condition"] == {"StringEquals": {"aws:SourceAccount": plans.ACCOUNT}}
    assert [one["Endpoint"] for one in of_type(resources, "AWS::SNS::Subscription")] == list(EMAIL)


@pytest.mark.parametrize(("setting", "found"), [(None, None), (KEY, KEY)])
def test_the_key_may_be_another_or_none(tmp_path: Path, setting: str | None, found: str | None) -> None:
    resources = synthesized(tmp_path, plan_with(encryption=setting))
    (topic,) = of_type(resources, "AWS::SNS::Topic")

    assert of_type(resources, "AWS::KMS::Key") == []
    assert topic.get("KmsMasterKeyId") == found


def test_a_topic_that_exists_is_told_and_not_touched(tmp_path: Path) -> None:
    resources = synthesized(tmp_path, plan_with(topic=TOPIC))
    kinds = {one["Type"] for one in resources.values()}
    topics = {
        one["Environment"]["Variables"]["TOPIC"] for one in of_type(resources, "AWS::Lambda::Function")
    }  # fmt: skip

    assert not {kind for kind in kinds if kind.startswith(("AWS::SNS", "AWS::KMS"))}
    assert topics == {TOPIC}
    assert {tuple(one["AlarmActions"]) for one in alarms(resources).values()} == {(TOPIC,)}


# Alarms


def test_the_alarms_by_default(tmp_path: Path) -> None:
    """Nine, each with what to do in its text; each reads one metric, without arithmetic."""
    by_name = alarms(synthesized(tmp_path, plan_with()))
    watched = {
        name.removeprefix("acme-dev-"): (one["Namespace"], one["MetricName"], one["Threshold"], one["Period"],
                                         one["EvaluationPeriods"], one["TreatMissingData"])
        for name, one in by_name.items()
    }  # fmt: skip

    assert watched == {
        "failed-tasks": ("AWS/Events", "Invocations", 5, 3600, 1, "notBreaching"),
        "out-of-memory": ("Penstock", "OutOfMemory", 2, 86400, 1, "notBreaching"),
        "scheduler": ("AmazonMWAA", "SchedulerHeartbeat", 1, 300, 3, "breaching"),
        "queue": ("AmazonMWAA", "QueuedTasks", 10, 300, 6, "notBreaching"),
        "dag-files": ("AmazonMWAA", "ImportErrors", 1, 300, 6, "notBreaching"),
        "overdue": ("Penstock", "OverdueTasks", 1, 1800, 1, "notBreaching"),
        "failed-tasks-watch": ("AWS/Lambda", "Errors", 1, 3600, 1, "notBreaching"),
        "overdue-watch": ("AWS/Lambda", "Errors", 1, 3600, 1, "notBreaching"),
        "reaper": ("AWS/Lambda", "Errors", 1, 3600, 1, "notBreaching"),
    }
    assert {one["Name"]: one["Value"] for one in by_name["acme-dev-queue"]["Dimensions"]} == {
        "Function": "Executor",
        "Environment": "acme-dev",
    }
    assert all(one["AlarmActions"] and one["AlarmDescription"] for one in by_name.values())


def test_the_alarm_on_failures_reads_the_rule_that_finds_them(tmp_path: Path) -> None:
    """Whatever becomes of the function that it calls."""
    resources = synthesized(tmp_path, plan_with())
    (dimension,) = alarms(resources)["acme-dev-failed-tasks"]["Dimensions"]
    rule = resources[dimension["Value"]["Ref"]]["Properties"]

    assert dimension["Name"] == "RuleName"
    assert "EventBusName" not in rule
    assert rule["EventPattern"]["detail"]["clusterArn"] == [
        f"arn:aws:ecs:{plans.REGION}:{plans.ACCOUNT}:cluster/acme-dev"
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"alarms": QUIET},
        {"alarms": dataclasses.replace(QUIET, out_of_memory=2)},
        {"alarms": dataclasses.replace(QUIET, out_of_memory=2), "stopped_tasks": False},
        {"alarms": dataclasses.replace(QUIET, overdue=True), "stopped_tasks": False},
        {"alarms": dataclasses.replace(QUIET, overdue=True)},
    ],
    ids=["messages", "messages and memory", "memory", "overdue", "messages and overdue"],
)
def test_no_function_fails_unheard(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Each function that the stack has, has an alarm on its errors, whichever other alarms are off."""
    resources = synthesized(tmp_path, plan_with(**settings))
    functions = {name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Function"}
    heard = {
        one["Dimensions"][0]["Value"]["Ref"]
        for one in alarms(resources).values()
        if (one["Namespace"], one["MetricName"]) == ("AWS/Lambda", "Errors") and one["AlarmActions"]
    }

    assert functions
    assert heard == functions


def test_what_is_accepted_of_a_function_is_true_of_it(tmp_path: Path) -> None:
    """Its reasons stand in the template, for auditors: they say who calls it, what it may call, what it receives."""
    resources = synthesized(tmp_path, plan_with())
    by_clock = {
        target["Arn"]["Fn::GetAtt"][0]: "ScheduleExpression" in rule
        for rule in of_type(resources, "AWS::Events::Rule")
        for target in rule["Targets"]
    }
    functions = {name: one for name, one in resources.items() if one["Type"] == "AWS::Lambda::Function"}

    assert sorted(by_clock.values()) == [False, True, True]
    assert by_clock.keys() == functions.keys()
    for name, function in functions.items():
        reasons = {one["id"]: one["comment"] for one in function["Metadata"]["checkov"]["skip"]}
        role = resources[function["Properties"]["Role"]["Fn::GetAtt"][0]]["Properties"]
        variables = function["Properties"]["Environment"]["Variables"]
        actions = json.dumps(role["Policies"])
        assert ("clock" in reasons["CKV_AWS_115"]) is by_clock[name]
        assert ("EventBridge" in reasons["CKV_AWS_115"]) is not by_clock[name]
        # A clock comes again; an event does not.
        assert ("next call" in reasons["CKV_AWS_116"]) is by_clock[name]
        assert ("lost" in reasons["CKV_AWS_116"]) is not by_clock[name]
        for service, action in (("S3", "s3:"), ("CloudWatch", "cloudwatch:"), ("ECS", "ecs:"), ("SNS", "sns:")):
            assert (service in reasons["CKV_AWS_117"]) is (action in actions), (name, service)
        names = {"bucket": "ARTIFACTS", "cluster": "CLUSTER", "topic": "TOPIC", "log group": "LOG_GROUP"}
        for word, variable in names.items():
            assert (word in reasons["CKV_AWS_173"]) is (variable in variables), (name, word)


def test_a_clock_wakes_the_function_that_looks_for_overdue_schedules(tmp_path: Path) -> None:
    """It alone is called, and finds where to look in its environment."""
    resources = synthesized(tmp_path, plan_with())
    ((logical_id, function),) = [
        (name, one["Properties"])
        for name, one in resources.items()
        if one["Type"] == "AWS::Lambda::Function" and "overdue" in one["Properties"]["Handler"]
    ]
    (clock,) = [
        one
        for one in of_type(resources, "AWS::Events::Rule")
        if {"Fn::GetAtt": [logical_id, "Arn"]} in [target["Arn"] for target in one["Targets"]]
    ]
    (permission,) = [
        one
        for one in of_type(resources, "AWS::Lambda::Permission")
        if one["FunctionName"] == {"Fn::GetAtt": [logical_id, "Arn"]}
    ]
    settings = function["Environment"]["Variables"]

    assert clock["ScheduleExpression"] == "rate(15 minutes)"
    assert [one["Arn"] for one in clock["Targets"]] == [{"Fn::GetAtt": [logical_id, "Arn"]}]
    assert (permission["Principal"], permission["Action"]) == ("events.amazonaws.com", "lambda:InvokeFunction")
    assert function["Handler"] == "penstock_runtime.functions.overdue.handler"
    assert settings["ARTIFACTS"] == "acme-artifacts"
    assert (settings["PROJECT"], settings["ENVIRONMENT"]) == (plans.PLAN.project, plans.PLAN.environment)


@pytest.mark.parametrize(
    ("settings", "key", "more"),
    [
        ({}, {"Fn::GetAtt"}, set()),
        ({"encryption": KEY}, KEY, set()),
        ({"encryption": None}, None, set()),
        (
            {"topic": TOPIC},
            f"arn:aws:kms:{plans.REGION}:{plans.ACCOUNT}:key/*",
            {"kms:EncryptionContext:aws:sns:topicArn"},
        ),
    ],
    ids=["own key", "key that exists", "no key", "topic that exists"],
)
def test_the_functions_may_use_the_topics_key_for_the_topic_alone(
    tmp_path: Path, settings: dict[str, Any], key: Any, more: set[str]
) -> None:
    roles = of_type(synthesized(tmp_path, plan_with(**settings)), "AWS::IAM::Role")
    assert len(roles) == 3
    for role in roles:
        statements = role["Policies"][0]["PolicyDocument"]["Statement"]
        decrypting = [one for one in statements if "kms:Decrypt" in one["Action"]]
        if key is None:
            assert decrypting == []
            continue
        ((resource, conditions),) = [(one["Resource"], one["Condition"]["StringEquals"]) for one in decrypting]
        assert resource == key if isinstance(key, str) else set(resource) == key
        assert set(conditions) == {"kms:ViaService"} | more


# The dashboard


def test_the_dashboard_shows_the_project_its_airflow_and_its_cost(tmp_path: Path) -> None:
    price = (Price("x86_64", 0.04, 0.004), Price("arm64", 0.03, 0.003))
    resources = synthesized(tmp_path, plan_with(prices=price, prices_checked="2026-11-01"))
    (board,) = of_type(resources, "AWS::CloudWatch::Dashboard")
    text = json.dumps(body(resources))

    assert board["DashboardName"] == f"acme-dev-{plans.REGION}"
    assert titles(resources) >= {
        "Alarms", "Runs of tasks, by the hour", "Failures, by the hour", "Duration, by task",
        "Records, by task and hour", "Memory of the largest process, of what the task may use", "Airflow's queue",
        "Airflow's workers", "Fargate, estimated, by the hour",
    }  # fmt: skip
    assert "(cpu0 * 0.04 + gib0 * 0.004) / 3600" in text
    assert "(cpu1 * 0.03 + gib1 * 0.003) / 3600" in text
    assert "An estimate" in text
    assert "2026-11-01" in text


def test_the_dashboard_asks_for_metrics_that_the_runtime_writes(tmp_path: Path) -> None:
    """Each of Penstock's metrics on it has these dimensions in the line of a run, except the function's."""
    from penstock_runtime.container import metrics
    from penstock_runtime.functions import stopped_tasks

    written = {(names, name) for names, found in metrics.METRICS.items() for name in found}
    price = (Price("x86_64", 0.04, 0.004),)
    resources = synthesized(tmp_path, plan_with(prices=price))
    asked: set[tuple[tuple[str, ...], str]] = set()
    for widget in body(resources)["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            if metric[0] == "Penstock":
                asked.add((tuple(metric[2:-1:2]), metric[1]))
            elif isinstance(metric[0], dict) and "SEARCH" in metric[0]["expression"]:
                expression = metric[0]["expression"]
                dimensions = tuple(expression.split("{Penstock,")[1].split("}")[0].split(","))
                asked.add((dimensions, expression.split('MetricName="')[1].split('"')[0]))

    asked = {(names, name) for names, name in asked if name != stopped_tasks.OUT_OF_MEMORY}
    assert len(asked) == 7
    assert {(tuple(sorted(names)), name) for names, name in asked} <= {
        (tuple(sorted(names)), name) for names, name in written
    }


def test_without_a_price_there_is_no_cost(tmp_path: Path) -> None:
    assert "Fargate, estimated, by the hour" not in titles(synthesized(tmp_path, plan_with()))


# Turned off


def test_an_airflow_that_cloudwatch_does_not_know_is_not_watched(tmp_path: Path) -> None:
    resources = synthesized(tmp_path, plan_with(), None)

    assert "AmazonMWAA" not in json.dumps(resources)
    assert "AWS/MWAA" not in json.dumps(resources)
    assert set(alarms(resources)) == {
        "acme-dev-failed-tasks", "acme-dev-out-of-memory", "acme-dev-overdue", "acme-dev-failed-tasks-watch",
        "acme-dev-overdue-watch", "acme-dev-reaper",
    }  # fmt: skip


def test_in_an_airflow_of_others_their_dag_files_are_theirs(tmp_path: Path) -> None:
    """A file that cannot be read is an alarm where all files are ours."""
    used = UsedAirflow("theirs", "3.0.6", "bucket", "dags", "role", None)
    by_name = alarms(synthesized(tmp_path, dataclasses.replace(plan_with(), airflow=used), "theirs"))

    assert "acme-dev-dag-files" not in by_name
    assert "acme-dev-scheduler" in by_name


def test_each_part_can_be_turned_off(tmp_path: Path) -> None:
    no_function = dataclasses.replace(plan_with(stopped_tasks=False, alarms=QUIET), ecs=Ecs(reaper=False))
    only_dashboard = synthesized(tmp_path / "a", no_function)
    only_messages = synthesized(tmp_path / "b", plan_with(dashboard=False, alarms=QUIET))
    only_alarms = synthesized(tmp_path / "c", plan_with(dashboard=False, stopped_tasks=False))

    assert {one["Type"] for one in only_dashboard.values()} == {"AWS::CloudWatch::Dashboard"}
    assert not of_type(only_messages, "AWS::CloudWatch::Dashboard")
    assert set(alarms(only_messages)) == {"acme-dev-failed-tasks-watch", "acme-dev-reaper"}
    assert of_type(only_messages, "AWS::Events::Rule")
    assert set(alarms(only_alarms)) == set(alarms(synthesized(tmp_path / "d", plan_with())))
    # Failures are found and counted, and nobody is notified.
    assert len(of_type(only_alarms, "AWS::Events::Rule")) == 3
    topics = {
        one["Handler"].split(".")[-2]: one["Environment"]["Variables"]["TOPIC"]
        for one in of_type(only_alarms, "AWS::Lambda::Function")
    }
    assert topics["stopped_tasks"] == ""
    assert topics["overdue"] != ""


def test_with_everything_off_there_is_no_stack(tmp_path: Path) -> None:
    off = Ecs(reaper=False)
    nothing = dataclasses.replace(plan_with(dashboard=False, stopped_tasks=False, alarms=QUIET), ecs=off)
    queue = dataclasses.replace(QUIET, queued_tasks=1)
    airflow_only = dataclasses.replace(plan_with(dashboard=False, stopped_tasks=False, alarms=queue), ecs=off)

    assert not watches(nothing, airflow_name="acme-dev")
    assert watches(airflow_only, airflow_name="acme-dev")
    assert not watches(airflow_only, airflow_name=None)
    assert "acme-dev-observability" not in plans.synthesize(nothing, tmp_path)


@pytest.mark.parametrize(
    "settings",
    [{"email": EMAIL}, {"topic": TOPIC}, {"encryption": KEY}, {"stopped_tasks": False}],
    ids=lambda one: next(iter(one)),
)
def test_no_finding_of_cdk_nag(tmp_path: Path, settings: dict[str, Any]) -> None:
    synthesized(tmp_path, plan_with(**settings), nag=True)
