"""The network that we create, and the one that exists."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.plan import Plan
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of `plans.SEALED`."""
    return plans.synthesize(plans.SEALED, tmp_path_factory.mktemp("sealed"))


def with_network(plan: Plan, folder: Path, **changes: Any) -> Templates:
    """The templates of a plan whose network is changed."""
    return plans.synthesize(dataclasses.replace(plan, network=dataclasses.replace(plan.network, **changes)), folder)


def endpoints(templates: Templates) -> dict[str, dict[str, Any]]:
    """The properties of each VPC endpoint, by the last part of its service's name."""
    found = [resource["Properties"] for resource in plans.resources(templates, "AWS::EC2::VPCEndpoint")]
    return {statements.text(one["ServiceName"]).split(".", 3)[-1]: one for one in found}


def private_subnets(templates: Templates) -> dict[str, str]:
    """Logical id → range of the private subnets."""
    resources = templates["acme-dev-network"]["Resources"]
    return {
        name: resource["Properties"]["CidrBlock"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::EC2::Subnet" and "private" in name
    }


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


def test_subnets_are_in_the_zones_of_the_project(tmp_path: Path) -> None:
    """One private and one public in each."""
    named = with_network(plans.PLAN, tmp_path, zones=("eu-west-1c", "eu-west-1a"))
    zones = [resource["Properties"]["AvailabilityZone"] for resource in plans.resources(named, "AWS::EC2::Subnet")]

    assert sorted(zones) == ["eu-west-1a", "eu-west-1a", "eu-west-1c", "eu-west-1c"]


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


@pytest.mark.parametrize(("base", "stack"), [(plans.PLAN, "network"), (plans.UNNAMED, "airflow-group-vpc-0a1b2c3d")])
def test_a_vpn_reaches_the_page_of_airflow(tmp_path: Path, base: Plan, stack: str) -> None:
    """By a rule of the group that we make for MWAA, on the port of the page, beside MWAA's own; nobody else's group."""
    assert isinstance(base.airflow, Airflow)
    airflow = dataclasses.replace(base.airflow, web_access_cidrs=("10.8.0.0/16", "192.168.7.9/32"))
    templates = plans.synthesize(dataclasses.replace(base, airflow=airflow), tmp_path)
    resources = templates[f"acme-dev-{stack}"]["Resources"]
    (own,) = plans.resources(templates, "AWS::EC2::SecurityGroupIngress")
    ((name, rules),) = [
        (name, resource["Properties"]["SecurityGroupIngress"])
        for name, resource in resources.items()
        if "SecurityGroupIngress" in resource["Properties"]
    ]

    assert name.startswith("AirflowSecurityGroup")
    assert [(rule["CidrIp"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules] == [
        ("10.8.0.0/16", "tcp", 443, 443),
        ("192.168.7.9/32", "tcp", 443, 443),
    ]
    assert own["Properties"]["SourceSecurityGroupId"]["Fn::GetAtt"][0] == name


def test_traffic_to_s3_stays_inside_and_flows_are_logged(templates: Templates) -> None:
    template = plans.template(templates, "network")

    gateways = [
        statements.text(resource["Properties"]["ServiceName"])
        for resource in plans.resources(templates, "AWS::EC2::VPCEndpoint")
        if resource["Properties"]["VpcEndpointType"] == "Gateway"
    ]
    assert gateways == ["com.amazonaws.<AWS::Region>.s3"]
    template.has_resource_properties("AWS::EC2::FlowLog", {"TrafficType": "ALL"})
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 30})


def test_one_nat_gateway_for_both_zones(tmp_path: Path, templates: Templates) -> None:
    """Both private subnets have their way out through it, and stay what they are with two."""
    cheap = with_network(plans.PLAN, tmp_path, nat_gateways=1)

    assert len(plans.resources(cheap, "AWS::EC2::NatGateway")) == 1
    routes = [resource["Properties"] for resource in plans.resources(cheap, "AWS::EC2::Route")]
    ways_out = [route["NatGatewayId"]["Ref"] for route in routes if "NatGatewayId" in route]
    assert len(ways_out) == 2
    assert len(set(ways_out)) == 1
    assert private_subnets(cheap) == private_subnets(templates)


@pytest.mark.parametrize(("plan", "gateways"), [(plans.PLAN, 2), (plans.SEALED, 0)])
def test_addresses_for_allow_lists_are_told(tmp_path: Path, plan: Plan, gateways: int) -> None:
    """The NAT gateways' public addresses, the VPC and the tasks' security group are outputs."""
    outputs = plans.synthesize(plan, tmp_path)["acme-dev-network"]["Outputs"]

    assert statements.text(outputs["TaskSecurityGroupId"]["Value"]).startswith("<TaskSecurityGroup")
    assert statements.text(outputs["VpcId"]["Value"]).startswith("<Vpc")
    addresses = outputs["NatAddresses"]["Value"]["Fn::Join"][1] if gateways else []
    assert len(addresses) == gateways
    assert ("NatAddresses" in outputs) == bool(gateways)


def test_flow_log_is_kept_as_long_as_asked_for_or_not_at_all(tmp_path: Path, sealed: Templates) -> None:
    """A number of days that CDK has no name for, too."""
    network = with_network(plans.PLAN, tmp_path, flow_log_days=2922)["acme-dev-network"]
    (group,) = [resource["Properties"] for resource in plans.resources({"network": network}, "AWS::Logs::LogGroup")]

    assert group["RetentionInDays"] == 2922
    assert not plans.resources(sealed, "AWS::EC2::FlowLog")


def test_nothing_leads_to_the_internet_with_endpoints_only(sealed: Templates) -> None:
    """No gateway of either kind, no route, no public subnet, no address."""
    kinds = {resource["Type"] for resource in sealed["acme-dev-network"]["Resources"].values()}

    assert not kinds & {
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NatGateway",
        "AWS::EC2::EIP",
        "AWS::EC2::Route",
        "AWS::EC2::VPCGatewayAttachment",
    }
    assert len(plans.resources(sealed, "AWS::EC2::Subnet")) == 2


def test_egress_can_be_changed_in_place(templates: Templates, sealed: Templates) -> None:
    """Private subnets, their ranges, S3's endpoint and the exports stay: MWAA would be lost with its subnets."""
    assert private_subnets(sealed) == private_subnets(templates)
    lasting = []
    for one in (templates["acme-dev-network"], sealed["acme-dev-network"]):
        exports = [output for output in one["Outputs"].values() if "Export" in output]
        gateways = [name for name in one["Resources"] if name.startswith("VpcS3")]
        lasting.append((exports, gateways))
    assert lasting[0] == lasting[1]
    assert lasting[0][1]


def test_each_service_has_an_endpoint_in_both_zones(sealed: Templates) -> None:
    """By private DNS, so that nobody needs to know of it; S3 and DynamoDB by the route tables of both subnets."""
    services = endpoints(sealed)
    subnets = [{"Ref": name} for name in private_subnets(sealed)]

    assert set(services) == {*plans.SEALED.network.endpoints, "s3"}
    for service, one in services.items():
        if service in ("s3", "dynamodb"):
            assert one["VpcEndpointType"] == "Gateway"
            assert len(one["RouteTableIds"]) == 2
        else:
            assert (one["VpcEndpointType"], one["PrivateDnsEnabled"], one["SubnetIds"]) == ("Interface", True, subnets)


def test_endpoints_let_in_tasks_and_mwaa_only(sealed: Templates) -> None:
    """Two rules, on 443, each for one security group; no range of addresses."""
    group = {
        statements.text(id_) for endpoint in endpoints(sealed).values() for id_ in endpoint.get("SecurityGroupIds", [])
    }
    rules = [resource["Properties"] for resource in plans.resources(sealed, "AWS::EC2::SecurityGroupIngress")]
    own = [rule for rule in rules if {statements.text(rule["GroupId"])} == group]

    assert len(group) == 1
    assert {(rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) for rule in own} == {(443, 443, "tcp")}
    callers = sorted(statements.text(rule["SourceSecurityGroupId"])[:12] for rule in own)
    assert callers == ["<AirflowSecu", "<TaskSecurit"]
    for one in plans.resources(sealed, "AWS::EC2::SecurityGroup"):
        assert not one["Properties"].get("SecurityGroupIngress")


def test_credentials_of_strangers_are_of_no_use_in_the_vpc(sealed: Templates) -> None:
    """Where only our roles call, own and trusted accounts pass; ECR's own requests for layers do; MWAA's are free."""
    services = endpoints(sealed)
    accounts = {"StringEquals": {"aws:PrincipalAccount": [plans.ACCOUNT, "444455556666"]}}
    for service in ("s3", "dynamodb", "ecs", "secretsmanager"):
        first, *more = services[service]["PolicyDocument"]["Statement"]
        assert (first["Effect"], first["Action"], first["Condition"]) == ("Allow", "*", accounts), service
        assert len(more) == (service == "s3")
    layers = services["s3"]["PolicyDocument"]["Statement"][1]
    assert (layers["Action"], statements.text(layers["Resource"])) == (
        "s3:GetObject",
        f"arn:aws:s3:::prod-{plans.REGION}-starport-layer-bucket/*",
    )
    assert [service for service in ("airflow.api", "logs") if "PolicyDocument" in services[service]] == []


def test_fargates_agent_is_let_through_where_it_uses_the_vpcs_endpoint(tmp_path: Path) -> None:
    """In regions since December 2023 Fargate itself calls ECS by the VPC's endpoint, as whoever: it has no policy."""
    services = (*plans.SEALED.network.endpoints, "ecs-agent", "ecs-telemetry")
    plan = dataclasses.replace(plans.SEALED, region="ca-west-1")
    found = endpoints(with_network(plan, tmp_path, endpoints=services))

    assert not [name for name in ("ecs", "ecs-agent", "ecs-telemetry") if "PolicyDocument" in found[name]]
    assert "PolicyDocument" in found["secretsmanager"]


def test_a_network_that_exists_is_used_by_its_ids(tmp_path: Path) -> None:
    """No network stack, no import: the ids of the plan are in the MWAA environment and in resources.json."""
    templates = plans.synthesize(plans.EXISTING, tmp_path)
    network = plans.EXISTING.network

    assert set(templates) == {"acme-dev-ingestion", "acme-dev-airflow", "acme-dev-observability"}
    (environment,) = plans.resources(templates, "AWS::MWAA::Environment")
    assert environment["Properties"]["NetworkConfiguration"] == {
        "SubnetIds": list(network.private_subnets),
        "SecurityGroupIds": list(network.airflow_security_groups),
    }
    deployed = plans.deployed_resources(templates, tmp_path)
    assert (deployed.subnets, deployed.security_groups) == (network.private_subnets, network.task_security_groups)
    assert deployed.assign_public_ip is False


def test_tasks_may_run_elsewhere_than_mwaa(tmp_path: Path) -> None:
    """In public subnets with a public address, say; MWAA stays in the private ones."""
    templates = plans.synthesize(plans.UNNAMED, tmp_path)
    (environment,) = plans.resources(templates, "AWS::MWAA::Environment")
    deployed = plans.deployed_resources(templates, tmp_path)

    assert (deployed.subnets, deployed.assign_public_ip) == (("subnet-0000000c",), True)
    subnets = environment["Properties"]["NetworkConfiguration"]["SubnetIds"]
    assert subnets == list(plans.UNNAMED.network.private_subnets)


def test_security_groups_that_nobody_names_are_made(tmp_path: Path) -> None:
    """Each in a stack of its own, in the VPC that exists: MWAA's lets in itself, the tasks' nobody. Nothing else."""
    templates = plans.synthesize(plans.UNNAMED, tmp_path)
    stacks = {kind: templates[f"acme-dev-{kind}-group-vpc-0a1b2c3d"] for kind in ("task", "airflow")}
    groups = plans.resources(stacks, "AWS::EC2::SecurityGroup")
    (rule,) = plans.resources(templates, "AWS::EC2::SecurityGroupIngress")
    (environment,) = plans.resources(templates, "AWS::MWAA::Environment")

    assert len(groups) == 2
    assert sum(len(stack["Resources"]) for stack in stacks.values()) == 3
    assert {group["Properties"]["VpcId"] for group in groups} == {"vpc-0a1b2c3d"}
    assert rule["Properties"]["GroupId"] == rule["Properties"]["SourceSecurityGroupId"]
    assert statements.text(rule["Properties"]["GroupId"]).startswith("<AirflowSecurityGroup")
    (own,) = environment["Properties"]["NetworkConfiguration"]["SecurityGroupIds"]
    assert own["Fn::ImportValue"].startswith("acme-dev-airflow-group-vpc-0a1b2c3d:")
    (tasks,) = plans.deployed_resources(templates, tmp_path).security_groups
    assert "TaskSecurityGroup" in tasks


@pytest.mark.parametrize("named", ["task_security_groups", "airflow_security_groups"])
def test_only_the_groups_that_are_missing_are_made(tmp_path: Path, named: str) -> None:
    """The named one is used unchanged."""
    templates = with_network(plans.UNNAMED, tmp_path, **{named: ("sg-0000000d",)})
    (group_stack,) = [name for name in templates if "-group-" in name]
    (environment,) = plans.resources(templates, "AWS::MWAA::Environment")
    groups = environment["Properties"]["NetworkConfiguration"]["SecurityGroupIds"]

    assert group_stack == f"acme-dev-{'airflow' if named == 'task_security_groups' else 'task'}-group-vpc-0a1b2c3d"
    assert (groups == ["sg-0000000d"]) == (named == "airflow_security_groups")
    tasks = plans.deployed_resources(templates, tmp_path).security_groups
    assert (tasks == ("sg-0000000d",)) == (named == "task_security_groups")
