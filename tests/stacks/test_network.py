"""The network that we create, and the one that exists."""

from __future__ import annotations

import json
from pathlib import Path

from tests.stacks import plans
from tests.stacks.conftest import Templates


def test_two_zones_with_a_nat_each_and_no_look_up(templates: Templates, tmp_path: Path) -> None:
    """MWAA's two private subnets, in zones that CloudFormation picks; the synth asks the account for nothing."""
    template = plans.template(templates, "network")

    template.resource_count_is("AWS::EC2::Subnet", 4)
    template.resource_count_is("AWS::EC2::NatGateway", 2)
    zones = {
        json.dumps(subnet["Properties"]["AvailabilityZone"])
        for subnet in plans.resources(templates, "AWS::EC2::Subnet")
    }
    assert zones == {json.dumps({"Fn::Select": [index, {"Fn::GetAZs": ""}]}) for index in (0, 1)}
    plans.synthesize(plans.PLAN, tmp_path)
    assert not json.loads((tmp_path / "cdk.out/manifest.json").read_text()).get("missing")


def test_no_subnet_gives_public_addresses(templates: Templates) -> None:
    subnets = plans.resources(templates, "AWS::EC2::Subnet")

    assert {subnet["Properties"]["MapPublicIpOnLaunch"] for subnet in subnets} == {False}


def test_only_mwaa_lets_anybody_in_and_only_itself(templates: Templates) -> None:
    """The one ingress rule is MWAA's group to itself; the tasks' group has none."""
    (rule,) = plans.resources(templates, "AWS::EC2::SecurityGroupIngress")
    groups = plans.resources(templates, "AWS::EC2::SecurityGroup")

    assert rule["Properties"]["GroupId"] == rule["Properties"]["SourceSecurityGroupId"]
    assert rule["Properties"]["GroupId"]["Fn::GetAtt"][0].startswith("AirflowSecurityGroup")
    assert len(groups) == 2
    assert [group for group in groups if "SecurityGroupIngress" in group["Properties"]] == []


def test_traffic_to_s3_stays_inside_and_flows_are_logged(templates: Templates) -> None:
    template = plans.template(templates, "network")

    template.has_resource_properties("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"})
    template.has_resource_properties("AWS::EC2::FlowLog", {"TrafficType": "ALL"})
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 30})


def test_a_network_that_exists_is_used_by_its_ids(tmp_path: Path) -> None:
    """No network stack, no import: the ids of the plan are in the MWAA environment and in resources.json."""
    templates = plans.synthesize(plans.EXISTING, tmp_path)

    assert "acme-dev-network" not in templates
    (environment,) = plans.resources(templates, "AWS::MWAA::Environment")
    assert environment["Properties"]["NetworkConfiguration"] == {
        "SubnetIds": list(plans.EXISTING.network.private_subnets),
        "SecurityGroupIds": list(plans.EXISTING.network.airflow_security_groups),
    }
    deployed = plans.deployed_resources(templates, tmp_path)
    assert (deployed.subnets, deployed.security_groups) == (
        plans.EXISTING.network.private_subnets,
        plans.EXISTING.network.task_security_groups,
    )
