"""The endpoints that MWAA requires from its customer, in the customer's VPC, or made by the VPC's owner."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from penstock_runtime.plan.network import Network
from penstock_runtime.plan.plan import Plan
from tests.stacks import plans


def airflow(folder: Path, network: Network, access: str = "private") -> dict[str, Any]:
    """The resources of the Airflow stack, with endpoints of the customer's."""
    own = dataclasses.replace(plans.PLAN.airflow, endpoint_management="customer", access=access)  # type: ignore[type-var]
    plan: Plan = dataclasses.replace(plans.PLAN, airflow=own, network=network)
    template = plans.synthesize(plan, folder)["acme-dev-airflow"]
    assert "AirflowUrl" not in template["Outputs"], "the environment is still being created"
    return dict(template["Resources"])


def of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]


@pytest.mark.parametrize(("access", "count"), [("private", 2), ("public_and_private", 2), ("public", 1)])
def test_they_follow_the_environment_and_go_with_it(tmp_path: Path, access: str, count: int) -> None:
    """By the names of its services; the web server has one unless it is on the internet alone."""
    network = plans.EXISTING.network
    resources = airflow(tmp_path, network, access)
    made = of_type(resources, "AWS::EC2::VPCEndpoint")
    services = ["DatabaseVpcEndpointService", "WebserverVpcEndpointService"][:count]

    assert [one["ServiceName"] for one in made] == [{"Fn::GetAtt": ["Environment", name]} for name in services]
    for one in made:
        assert (one["VpcEndpointType"], one["VpcId"]) == ("Interface", network.vpc)
        assert one["SubnetIds"] == list(network.private_subnets)
        assert one["SecurityGroupIds"] == list(network.airflow_security_groups)
        assert {"Key": "penstock:airflow", "Value": "acme-dev"} in one["Tags"]
    assert not of_type(resources, "AWS::StepFunctions::StateMachine")
    (live,) = [resource for resource in resources.values() if resource["Type"] == "Custom::PenstockRelease"]
    assert "Environment" in live["DependsOn"]


def test_in_a_network_that_penstock_makes_they_are_in_it(tmp_path: Path) -> None:
    """Its subnets and MWAA's group, by the exports of the network's stack."""
    resources = of_type(airflow(tmp_path, plans.PLAN.network), "AWS::EC2::VPCEndpoint")

    for one in resources:
        assert [id_["Fn::ImportValue"].split(":")[0] for id_ in one["SubnetIds"]] == ["acme-dev-network"] * 2
        (group,) = one["SecurityGroupIds"]
        assert "AirflowSecurityGroup" in group["Fn::ImportValue"]


def test_where_the_owner_makes_them_by_hand_nothing_does(tmp_path: Path) -> None:
    """No endpoint, no state machine, no role for it: only the environment, which waits."""
    resources = airflow(tmp_path, dataclasses.replace(plans.EXISTING.network, shared=True))
    kinds = {resource["Type"] for resource in resources.values()}

    assert not kinds & {"AWS::EC2::VPCEndpoint", "AWS::StepFunctions::StateMachine", "AWS::Events::Rule"}
    (environment,) = of_type(resources, "AWS::MWAA::Environment")
    assert environment["EndpointManagement"] == "CUSTOMER"
