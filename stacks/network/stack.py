"""Where Fargate tasks and MWAA run: a VPC of our own, or the one that the plan names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.plan import Plan
from stacks.nag import acknowledge, acknowledge_log_group
from stacks.network.endpoints import ServiceEndpoints

ZONES = 2
"""MWAA takes exactly two private subnets, in two availability zones."""


@dataclass(frozen=True)
class Network:
    """Ids of what tasks and MWAA are attached to; strings or CDK tokens."""

    vpc: str
    subnets: tuple[str, ...]
    """MWAA's: the private ones."""
    task_subnets: tuple[str, ...]
    """Of tasks that name none themselves."""
    assign_public_ip: bool
    """Whether tasks in `task_subnets` get a public address."""
    task_security_groups: tuple[str, ...]
    airflow_security_groups: tuple[str, ...]
    endpoint_security_groups: tuple[str, ...]
    """Of the endpoints of MWAA's database and web server, where MWAA does not make them."""
    shared: bool = False
    """Whether the VPC is another account's, so that only its owner makes endpoints in it."""
    endpoint_role: str | None = None
    """ARN of the owner's role that makes them; None: the owner does, by hand."""


def network_of(scope: Construct, plan: Plan, **stack: Any) -> Network:
    """The plan's network: a `NetworkStack` below `scope`, or what exists already, by its ids, with no look-up.

    In a network that exists the security groups are the named ones, unchanged. Where none are named for the tasks,
    or none for MWAA, a `SecurityGroupStack` makes one in that VPC; it is all that is added to it.

    A deploy comes to the network first, while what is deployed still runs in the old one, and CloudFormation refuses
    to take an export away that another stack imports. So no stack here ever drops one: each exports what it has,
    whoever imports it, and another kind of network, or another VPC, is a stack of another name. The one of before
    leaves the app and stays in the account, until somebody deletes it (docs/deploy.md).
    """
    existing = plan.network
    if existing.cidr:
        return NetworkStack(scope, f"{plan.prefix}-network", plan=plan, **stack).network
    tasks, airflow = existing.task_security_groups, existing.airflow_security_groups
    assert existing.vpc is not None
    if not tasks:
        name = f"{plan.prefix}-task-group-{existing.vpc}"
        tasks = SecurityGroupStack(scope, name, vpc=existing.vpc, group=_task_group, **stack).groups
    if isinstance(plan.airflow, Airflow) and not airflow:
        # An Airflow that exists has its own.
        name = f"{plan.prefix}-airflow-group-{existing.vpc}"
        group = partial(_airflow_group, web_access=_web_access(plan))
        airflow = SecurityGroupStack(scope, name, vpc=existing.vpc, group=group, **stack).groups
    return Network(
        vpc=existing.vpc,
        subnets=existing.private_subnets,
        task_subnets=existing.task_subnets or existing.private_subnets,
        assign_public_ip=existing.assign_public_ip,
        task_security_groups=tasks,
        airflow_security_groups=airflow,
        endpoint_security_groups=existing.endpoint_security_groups or airflow,
        shared=existing.shared,
        endpoint_role=existing.endpoint_role,
    )


class NetworkStack(cdk.Stack):
    """A VPC over two zones, with a private subnet in each.

    With egress `nat` there is a public subnet in each zone too, and one or two NAT gateways in them. With `endpoints`
    there is no public subnet and no internet gateway, but `ServiceEndpoints`. Either way the private subnets are the
    same, and so is S3's endpoint: one egress can follow the other without a new MWAA environment.
    """

    def __init__(self, scope: Construct, name: str, *, plan: Plan, **stack: Any) -> None:
        super().__init__(scope, name, **stack)
        settings = plan.network
        assert settings.cidr is not None
        self._zones = settings.zones
        alone = settings.egress == "endpoints"
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(settings.cidr),
            max_azs=ZONES,
            nat_gateways=0 if alone else settings.nat_gateways,
            subnet_configuration=_ALONE if alone else _WITH_NAT,
            # CDK would empty the default group, which nothing uses, by a Lambda that may change security groups.
            restrict_default_security_group=False,
        )
        acknowledge(
            vpc, {"NIST.800.53.R5-VPCDefaultSecurityGroupClosed": "Nothing is in it; AWS's own rules are on it."}
        )
        for subnet in vpc.public_subnets:
            route = "It is what makes the subnet public; only NAT gateways are in there."
            acknowledge(subnet, {"NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW": route})
        s3 = vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        self._log_flows(vpc, settings.flow_log_days)
        airflow = _airflow_group(self, vpc, web_access=_web_access(plan))
        tasks = _task_group(self, vpc)
        if alone or settings.endpoints:
            ServiceEndpoints(
                self,
                "Endpoints",
                vpc=vpc,
                s3=s3 if alone else None,
                region=plan.region,
                services=settings.endpoints,
                callers=(tasks, airflow),
                trusted_accounts=settings.trusted_accounts,
                subnet_type=ec2.SubnetType.PRIVATE_ISOLATED if alone else ec2.SubnetType.PRIVATE_WITH_EGRESS,
            )
        if not alone:
            self._tell_addresses(vpc)
        private = vpc.isolated_subnets if alone else vpc.private_subnets
        subnets = tuple(subnet.subnet_id for subnet in private)
        airflow_groups = (airflow.security_group_id,)
        self.network = Network(
            vpc=vpc.vpc_id,
            subnets=subnets,
            task_subnets=subnets,
            assign_public_ip=False,
            task_security_groups=(tasks.security_group_id,),
            airflow_security_groups=airflow_groups,
            endpoint_security_groups=airflow_groups,
        )
        cdk.CfnOutput(self, "VpcId", value=vpc.vpc_id)
        for identifier in (vpc.vpc_id, *subnets, tasks.security_group_id, airflow.security_group_id):
            self.export_value(identifier)

    @property
    def availability_zones(self) -> list[str]:
        """The plan's, or the region's first, worked out by CloudFormation: a synth asks no account for anything."""
        return list(self._zones) or [cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(ZONES)]

    def _log_flows(self, vpc: ec2.Vpc, days: int | None) -> None:
        if days is None:
            rules = ("AwsSolutions-VPC7", "NIST.800.53.R5-VPCFlowLogsEnabled")
            acknowledge(vpc, dict.fromkeys(rules, "The project file says so: network.create.flow_logs."))
            return
        flows = logs.LogGroup(self, "Flows", removal_policy=cdk.RemovalPolicy.DESTROY)
        # CDK has names for these numbers and takes nothing else.
        cast(logs.CfnLogGroup, flows.node.default_child).retention_in_days = days
        acknowledge_log_group(flows)
        vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flows))

    def _tell_addresses(self, vpc: ec2.Vpc) -> None:
        """The addresses that tasks are seen with from outside, for the allow-lists of sources."""
        addresses = [child for child in vpc.node.find_all() if isinstance(child, ec2.CfnEIP)]
        cdk.CfnOutput(self, "NatAddresses", value=cdk.Fn.join(",", [address.ref for address in addresses]))


class SecurityGroupStack(cdk.Stack):
    """One security group, in a VPC that exists."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        vpc: str,
        group: Callable[[cdk.Stack, ec2.IVpc], ec2.SecurityGroup],
        **stack: Any,
    ) -> None:
        super().__init__(scope, name, **stack)
        # Its zones are of no matter to a security group.
        security_group = group(self, ec2.Vpc.from_vpc_attributes(self, "Vpc", vpc_id=vpc, availability_zones=["any"]))
        self.groups = (security_group.security_group_id,)
        self.export_value(security_group.security_group_id)


_WITH_NAT = [
    ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
    # No task has a public address; the NAT gateways bring theirs.
    ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False),
]
_ALONE = [
    ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
    # The addresses stay free, so that the private subnets are the same with either egress and it can be changed.
    ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, reserved=True),
]


def _web_access(plan: Plan) -> tuple[str, ...]:
    return plan.airflow.web_access_cidrs if isinstance(plan.airflow, Airflow) else ()


def _airflow_group(stack: cdk.Stack, vpc: ec2.IVpc, *, web_access: Sequence[str]) -> ec2.SecurityGroup:
    group = ec2.SecurityGroup(stack, "AirflowSecurityGroup", vpc=vpc, description="MWAA: its parts talk to each other")
    group.add_ingress_rule(group, ec2.Port.all_traffic(), "MWAA needs one group that lets its own members in")
    for cidr in web_access:
        group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(443), "The page of Airflow")
    acknowledge(group, {"NIST.800.53.R5-EC2RestrictedCommonPorts": "MWAA asks for all ports between its own members."})
    return group


def _task_group(stack: cdk.Stack, vpc: ec2.IVpc) -> ec2.SecurityGroup:
    """Sources in the VPC let the tasks in by this group, so its id is an output."""
    group = ec2.SecurityGroup(
        stack, "TaskSecurityGroup", vpc=vpc, description="Fargate tasks: outbound only, nobody calls them"
    )
    cdk.CfnOutput(stack, "TaskSecurityGroupId", value=group.security_group_id)
    return group
