"""The endpoints that MWAA requires of its customer in a VPC of another account: who makes them, when and where."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.stacks import plans, statements
from tests.stacks.shared_vpc import OWNER, SHARED, machine, synthesized


def own_statements(template: dict[str, Any]) -> list[dict[str, Any]]:
    return statements.of_role(template, "EndpointsRole")


def test_creation_of_the_environment_starts_it(tmp_path: Path) -> None:
    """The event of CloudFormation about this stack's environment, and of no other stack's."""
    template = synthesized(tmp_path)
    (rule,) = [
        resource["Properties"] for resource in template["Resources"].values() if resource["Type"] == "AWS::Events::Rule"
    ]
    (target,) = rule["Targets"]

    assert rule["EventPattern"] == {
        "source": ["aws.cloudformation"],
        "detail-type": ["CloudFormation Resource Status Change"],
        "detail": {
            "stack-id": [{"Ref": "AWS::StackId"}],
            "resource-type": ["AWS::MWAA::Environment"],
            "status-details": {"status": ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]},
        },
    }
    (start,) = statements.that_allow(statements.everywhere({"s": template}), "states:StartExecution")
    assert start["Resource"] == [statements.text(target["Arn"])]


@pytest.mark.parametrize("web_server", [True, False])
def test_it_waits_for_what_it_needs_and_ends(tmp_path: Path, web_server: bool) -> None:
    """Every state leads on to one that exists; after the last endpoint it watches, and ends as the environment does."""
    states = machine(synthesized(tmp_path, web_server=web_server))["States"]
    creating = [name for name, state in states.items() if "createVpcEndpoint" in state.get("Resource", "")]
    leads = {state[key] for state in states.values() for key in ("Next", "Default") if key in state}
    leads |= {choice["Next"] for name in ("Choose", "Decide") for choice in states[name]["Choices"]}

    assert creating == ["DatabaseVpcEndpointService", "WebserverVpcEndpointService"][: 1 + web_server]
    assert leads | {"Look"} == set(states)
    known = [one["Variable"].rsplit(".", 1)[-1] for one in states["Choose"]["Choices"][0]["And"][1:]]
    assert known == creating
    assert (states[creating[0]]["Next"], states[creating[-1]]["Next"]) == (
        creating[1] if web_server else "Watch",
        "Watch",
    )
    for name in ("Choose", "Decide"):
        (failed,) = [choice for choice in states[name]["Choices"] if choice["Next"] == "Failed"]
        assert failed["StringEquals"] == "CREATE_FAILED"
    assert states["Failed"]["Type"] == "Fail"


@pytest.mark.parametrize("topic", [None, "arn:aws:sns:eu-west-1:111122223333:team"])
def test_a_failure_is_told(tmp_path: Path, topic: str | None) -> None:
    """Nobody waits for the machine: alarms on executions that fail or take too long, to the topic that
    exists, where one does."""
    template = synthesized(tmp_path, topic=topic)
    alarms = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]
    assert {alarm["MetricName"] for alarm in alarms} == {"ExecutionsFailed", "ExecutionsTimedOut"}
    (name,) = [name for name, resource in template["Resources"].items() if resource["Type"].endswith("StateMachine")]

    for alarm in alarms:
        assert (alarm["Namespace"], alarm["Threshold"]) == ("AWS/States", 1)
        assert alarm["Dimensions"] == [{"Name": "StateMachineArn", "Value": {"Fn::GetAtt": [name, "Arn"]}}]
        assert alarm.get("AlarmActions") == (None if topic is None else [topic])


def test_endpoints_are_made_in_the_subnets_of_mwaa_once(tmp_path: Path) -> None:
    """The client token follows from the service, so a second run makes no second endpoint."""
    definition = machine(synthesized(tmp_path))
    parameters = definition["States"]["DatabaseVpcEndpointService"]["Parameters"]

    assert definition["TimeoutSeconds"] == (72 + 3) * 3600
    assert (parameters["VpcId"], parameters["SubnetIds"], parameters["SecurityGroupIds"]) == (
        "vpc-1",
        ["subnet-1", "subnet-2"],
        ["sg-1"],
    )
    assert parameters["ClientToken.$"] == "States.Hash($.Environment.DatabaseVpcEndpointService, 'SHA-1')"


def test_the_owners_role_makes_them(tmp_path: Path) -> None:
    """The call is made as that role; our own looks at one environment and takes that on, and may not call EC2."""
    template = synthesized(tmp_path)
    states = machine(template)["States"]

    for service in ("DatabaseVpcEndpointService", "WebserverVpcEndpointService"):
        assert states[service]["Credentials"] == {"RoleArn": OWNER}
    assert "Credentials" not in states["Look"]
    assert [(statement["Action"], statement["Resource"]) for statement in own_statements(template)] == [
        (["airflow:GetEnvironment"], [f"arn:aws:airflow:{plans.REGION}:{plans.ACCOUNT}:environment/acme-dev"]),
        (["sts:AssumeRole"], [OWNER]),
    ]
    names = {resource["Properties"].get("RoleName") for resource in template["Resources"].values()}
    assert "acme-dev-endpoints" in names


def test_environment_comes_after_it_where_the_project_says_so(tmp_path: Path) -> None:
    """It must hear of the creation. In MWAA's subnets, with the owner's groups."""
    airflow = dataclasses.replace(plans.PLAN.airflow, endpoint_management="customer")
    plan = dataclasses.replace(plans.EXISTING, airflow=airflow, network=SHARED)
    template = plans.synthesize(plan, tmp_path)["acme-dev-airflow"]
    state = machine(template)["States"]["DatabaseVpcEndpointService"]
    rule = next(name for name, resource in template["Resources"].items() if "Creation" in name)

    assert state["Parameters"]["SubnetIds"] == list(SHARED.private_subnets)
    assert state["Parameters"]["VpcId"] == SHARED.vpc
    assert state["Parameters"]["SecurityGroupIds"] == ["sg-0000000f"]
    assert rule in template["Resources"]["Environment"]["DependsOn"]
    assert not [resource for resource in template["Resources"].values() if resource["Type"] == "AWS::EC2::VPCEndpoint"]


@pytest.mark.parametrize(("access", "made"), [("private", 2), ("public_and_private", 2), ("public", 1)])
def test_the_web_server_has_one_unless_it_is_on_the_internet_alone(tmp_path: Path, access: str, made: int) -> None:
    """With both kinds of access MWAA's workers call the web server by it."""
    airflow = dataclasses.replace(plans.PLAN.airflow, endpoint_management="customer", access=access)
    plan = dataclasses.replace(plans.EXISTING, airflow=airflow, network=SHARED)
    states = machine(plans.synthesize(plan, tmp_path)["acme-dev-airflow"])["States"]

    assert len([state for state in states.values() if "createVpcEndpoint" in state.get("Resource", "")]) == made


@pytest.mark.parametrize("prefix", ["org-", "x" * 16])
def test_the_named_role_has_the_organizations_prefix(tmp_path: Path, prefix: str) -> None:
    """The owner's trust names it; that IAM takes the name, the compile has checked."""
    airflow = dataclasses.replace(plans.PLAN.airflow, endpoint_management="customer")  # type: ignore[type-var]
    iam = dataclasses.replace(plans.PLAN.iam, role_name_prefix=prefix)
    plan = dataclasses.replace(plans.EXISTING, airflow=airflow, network=SHARED, iam=iam)
    template = plans.synthesize(plan, tmp_path)["acme-dev-airflow"]

    names = {
        resource["Properties"].get("RoleName")
        for resource in template["Resources"].values()
        if "Role" in resource["Type"]
    }
    assert f"{prefix}acme-dev-eu-west-1-mwaa-endpoints" in names
