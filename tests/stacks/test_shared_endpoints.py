"""The endpoints that MWAA wants from its customer: who may make them, when, and where."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from stacks.environment_endpoints import EnvironmentEndpoints
from tests.stacks import plans, statements

OWNER = "arn:aws:iam::444455556666:role/penstock-endpoints"


def synthesized(folder: Path, account: str = plans.ACCOUNT, **changes: Any) -> dict[str, Any]:
    """The template of a stack with nothing else in it, checked by cdk-nag."""
    app = plans.application(folder / "cdk.out")
    stack = cdk.Stack(app, "s", env=cdk.Environment(account=account, region=plans.REGION))
    arguments: dict[str, Any] = {
        "environment": "acme-dev",
        "web_server": True,
        "vpc": "vpc-1",
        "subnets": ("subnet-1", "subnet-2"),
        "security_groups": ("sg-1",),
    }
    EnvironmentEndpoints(stack, "Endpoints", **(arguments | changes))
    plans.judge(app)
    (synth,) = app.synth().stacks
    return dict(synth.template)


def machine(template: dict[str, Any]) -> dict[str, Any]:
    """The state machine's definition."""
    (text,) = [
        one["Properties"]["DefinitionString"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    return dict(json.loads(statements.text(text)))


def own_statements(template: dict[str, Any]) -> list[dict[str, Any]]:
    return statements.of_role(template, "EndpointsRole")


def test_creation_of_the_environment_starts_it(tmp_path: Path) -> None:
    """The event of CloudFormation about this stack's environment, and of no other stack's."""
    template = synthesized(tmp_path)
    (rule,) = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::Events::Rule"]
    (target,) = rule["Targets"]

    assert rule["EventPattern"] == {
        "source": ["aws.cloudformation"],
        "detail-type": ["CloudFormation Resource Status Change"],
        "detail": {
            "stack-id": [{"Ref": "AWS::StackId"}],
            "resource-type": ["AWS::MWAA::Environment"],
            "status-details": {"status": ["CREATE_IN_PROGRESS"]},
        },
    }
    (start,) = statements.that_allow(statements.everywhere({"s": template}), "states:StartExecution")
    assert start["Resource"] == [statements.text(target["Arn"])]


@pytest.mark.parametrize("web_server", [True, False])
def test_it_waits_for_what_it_needs_and_ends(tmp_path: Path, web_server: bool) -> None:
    """Every state leads on to one that exists; the web server's endpoint is made with private access only."""
    states = machine(synthesized(tmp_path, web_server=web_server))["States"]
    made = [name for name, state in states.items() if "createVpcEndpoint" in state.get("Resource", "")]
    leads = {state[key] for state in states.values() for key in ("Next", "Default") if key in state}
    leads |= {choice["Next"] for choice in states["Choose"]["Choices"]}

    assert made == ["DatabaseVpcEndpointService", "WebserverVpcEndpointService"][: 1 + web_server]
    assert leads <= set(states)
    known = [one["Variable"].rsplit(".", 1)[-1] for one in states["Choose"]["Choices"][0]["And"][1:]]
    assert known == made
    assert (states[made[0]]["Next"], states[made[-1]]["Next"]) == (made[1] if web_server else "Over", "Over")


def test_endpoints_are_made_in_the_subnets_of_mwaa_once(tmp_path: Path) -> None:
    """The client token follows from the service, so a second run makes no second endpoint."""
    definition = machine(synthesized(tmp_path))
    parameters = definition["States"]["DatabaseVpcEndpointService"]["Parameters"]

    assert definition["TimeoutSeconds"] == 72 * 3600
    assert (parameters["VpcId"], parameters["SubnetIds"], parameters["SecurityGroupIds"]) == (
        "vpc-1",
        ["subnet-1", "subnet-2"],
        ["sg-1"],
    )
    assert parameters["ClientToken.$"] == "States.Hash($.Environment.DatabaseVpcEndpointService, 'SHA-1')"


def test_its_role_may_do_that_and_nothing_else(tmp_path: Path) -> None:
    """Look at one environment; make endpoints of customers' services, in this VPC, these subnets, these groups."""
    found = own_statements(synthesized(tmp_path))
    ec2 = f"arn:aws:ec2:{plans.REGION}:{plans.ACCOUNT}"

    assert [(one["Action"], one["Resource"]) for one in found] == [
        (["airflow:GetEnvironment"], [f"arn:aws:airflow:{plans.REGION}:{plans.ACCOUNT}:environment/acme-dev"]),
        (
            ["ec2:CreateVpcEndpoint"],
            [f"{ec2}:security-group/sg-1", f"{ec2}:subnet/subnet-1", f"{ec2}:subnet/subnet-2", f"{ec2}:vpc/vpc-1"],
        ),
        (["ec2:CreateVpcEndpoint"], [f"{ec2}:vpc-endpoint/*"]),
        (["ec2:CreateTags"], [f"{ec2}:vpc-endpoint/*"]),
    ]
    assert [one["Condition"] for one in found[2:]] == [
        {"StringLike": {"ec2:VpceServiceName": f"com.amazonaws.vpce.{plans.REGION}.*"}},
        {"StringEquals": {"ec2:CreateAction": "CreateVpcEndpoint"}},
    ]


def test_in_a_shared_vpc_the_owners_role_makes_them(tmp_path: Path) -> None:
    """The call is made as that role; our own may take it on, under a name that its trust can hold, and not call EC2."""
    template = synthesized(tmp_path, owner_role=OWNER, role_name="acme-dev-endpoints")
    states = machine(template)["States"]
    found = statements.everywhere({"s": template})

    for service in ("DatabaseVpcEndpointService", "WebserverVpcEndpointService"):
        assert states[service]["Credentials"] == {"RoleArn": OWNER}
    assert "Credentials" not in states["Look"]
    assert statements.that_allow(found, "sts:AssumeRole")[0]["Resource"] == [OWNER]
    assert not [one for one in found if any(action.startswith("ec2:") for action in one["Action"])]
    names = {one["Properties"].get("RoleName") for one in template["Resources"].values()}
    assert "acme-dev-endpoints" in names


def test_environment_comes_after_them_where_the_project_says_so(tmp_path: Path) -> None:
    """`endpoint_management: customer`: in MWAA's subnets, with its groups; with the owner's role where there is one."""
    airflow = dataclasses.replace(plans.PLAN.airflow, endpoint_management="customer")
    shared = dataclasses.replace(plans.EXISTING.network, endpoint_role=OWNER, endpoint_security_groups=("sg-0000000f",))
    for plan, role, groups in (
        (plans.EXISTING, None, list(plans.EXISTING.network.airflow_security_groups)),
        (dataclasses.replace(plans.EXISTING, network=shared), OWNER, ["sg-0000000f"]),
    ):
        folder = tmp_path / str(role is None)
        template = plans.synthesize(dataclasses.replace(plan, airflow=airflow), folder)["acme-dev-airflow"]
        state = machine(template)["States"]["DatabaseVpcEndpointService"]
        rule = next(name for name, one in template["Resources"].items() if "Creation" in name)

        assert state["Parameters"]["SubnetIds"] == list(plan.network.private_subnets)
        assert state["Parameters"]["VpcId"] == plan.network.vpc
        assert state["Parameters"]["SecurityGroupIds"] == groups
        assert state.get("Credentials") == (None if role is None else {"RoleArn": role})
        assert rule in template["Resources"]["Environment"]["DependsOn"]
        named = {one["Properties"].get("RoleName") for one in template["Resources"].values() if "Role" in one["Type"]}
        assert ("acme-dev-eu-west-1-mwaa-endpoints" in named) == (role is not None)


@pytest.mark.parametrize("prefix", ["org-", "x" * 16])
def test_the_named_role_has_the_organizations_prefix(tmp_path: Path, prefix: str) -> None:
    """The owner's trust names it; that IAM takes the name, the compile has checked."""
    airflow = dataclasses.replace(plans.PLAN.airflow, endpoint_management="customer")  # type: ignore[type-var]
    network = dataclasses.replace(plans.EXISTING.network, endpoint_role="arn:aws:iam::444455556666:role/theirs")
    iam = dataclasses.replace(plans.PLAN.iam, role_name_prefix=prefix)
    plan = dataclasses.replace(plans.EXISTING, airflow=airflow, network=network, iam=iam)
    template = plans.synthesize(plan, tmp_path)["acme-dev-airflow"]

    names = {one["Properties"].get("RoleName") for one in template["Resources"].values() if "Role" in one["Type"]}
    assert f"{prefix}acme-dev-eu-west-1-mwaa-endpoints" in names
