"""The function that stops tasks after their deadline: what wakes it, what it is told, who hears of it, and off."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from penstock_runtime.plan.observability import Alarms
from penstock_runtime.plan.plan import Ecs
from stacks.observability.stack import watches
from tests.stacks import every_setting, plans
from tests.stacks.observability_stack import of_type, plan_with, synthesized

HANDLER = "penstock_runtime.functions.reaper.handler"
QUIET = Alarms(
    failed_tasks=0, out_of_memory=0, queued_tasks=0, scheduler_silent_minutes=0, broken_dag_files=0, overdue=False
)
ALONE = plan_with(dashboard=False, stopped_tasks=False, alarms=QUIET)
"""Nothing of `observability`."""


def reaper(resources: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The function's logical id, and its properties."""
    ((name, function),) = [
        (name, one["Properties"])
        for name, one in resources.items()
        if one["Type"] == "AWS::Lambda::Function" and one["Properties"]["Handler"] == HANDLER
    ]
    return name, function


def test_a_clock_wakes_it_every_five_minutes(tmp_path: Path) -> None:
    """It alone is called by this rule, and knows the cluster, the run's names and the topic by its environment."""
    resources = synthesized(tmp_path, plan_with())
    name, function = reaper(resources)
    (clock,) = [
        one
        for one in of_type(resources, "AWS::Events::Rule")
        if one.get("ScheduleExpression") == "rate(5 minutes)"
    ]  # fmt: skip
    (permission,) = [
        one
        for one in of_type(resources, "AWS::Lambda::Permission")
        if one["FunctionName"] == {"Fn::GetAtt": [name, "Arn"]}
    ]
    (topic,) = [name for name, one in resources.items() if one["Type"] == "AWS::SNS::Topic"]

    assert [one["Arn"] for one in clock["Targets"]] == [{"Fn::GetAtt": [name, "Arn"]}]
    assert (permission["Principal"], permission["Action"]) == ("events.amazonaws.com", "lambda:InvokeFunction")
    assert "VpcConfig" not in function
    assert function["Environment"]["Variables"] == {
        "PROJECT": "acme",
        "ENVIRONMENT": "dev",
        "CLUSTER": "acme-dev",
        "NAMESPACE": "Penstock",
        "TOPIC": {"Ref": topic},
        "LOG_GROUP": "/penstock/acme-dev",
    }


def test_its_alarm_says_what_goes_wrong_meanwhile(tmp_path: Path) -> None:
    """Other functions only tell; while this one fails, tasks run on."""
    resources = synthesized(tmp_path, plan_with())
    (alarm,) = [
        one for one in of_type(resources, "AWS::CloudWatch::Alarm") if one["AlarmName"] == "acme-dev-reaper"
    ]  # fmt: skip

    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": reaper(resources)[0]}}]
    assert "tasks after their deadline" in alarm["AlarmDescription"]
    assert "run on" in alarm["AlarmDescription"]


def test_it_needs_nothing_of_observability(tmp_path: Path) -> None:
    """With all of that off it works without a topic, which would cost money, and so without an alarm and a message."""
    resources = synthesized(tmp_path, ALONE)

    assert watches(ALONE, airflow_name=None)
    assert reaper(resources)[1]["Environment"]["Variables"]["TOPIC"] == ""
    assert {one["Type"] for one in resources.values()} == {
        "AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Logs::LogGroup", "AWS::Events::Rule",
        "AWS::Lambda::Permission",
    }  # fmt: skip


def test_it_can_be_turned_off_and_is_not_made_for_nothing(tmp_path: Path) -> None:
    """A plan without a task on Fargate has nothing to stop."""
    off = dataclasses.replace(plan_with(), ecs=Ecs(reaper=False))
    empty = dataclasses.replace(plan_with(), task_definitions=())
    for number, plan in enumerate((off, empty)):
        resources = synthesized(tmp_path / str(number), plan)
        assert HANDLER not in {one["Handler"] for one in of_type(resources, "AWS::Lambda::Function")}
        assert "acme-dev-reaper" not in {one["AlarmName"] for one in of_type(resources, "AWS::CloudWatch::Alarm")}
    assert not watches(dataclasses.replace(ALONE, ecs=Ecs(reaper=False)), airflow_name="acme-dev")
    assert not watches(dataclasses.replace(ALONE, task_definitions=()), airflow_name="acme-dev")


def test_its_role_keeps_to_what_the_organization_asks_for(tmp_path: Path) -> None:
    """Permissions boundary and path, as every other role."""
    template = plans.synthesize(every_setting.PLAN, tmp_path)["acme-dev-observability"]
    (role,) = [
        one["Properties"] for name, one in template["Resources"].items()
        if one["Type"] == "AWS::IAM::Role" and name.startswith("ReaperRole")
    ]  # fmt: skip

    assert (role["PermissionsBoundary"], role["Path"]) == (every_setting.BOUNDARY, "/data/")


def test_no_finding_of_cdk_nag(tmp_path: Path) -> None:
    synthesized(tmp_path, ALONE, nag=True)
