"""Where Fargate tasks and MWAA run: a VPC of our own, or the one that the plan names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from penstock_runtime.plan import Plan

ZONES = 2
"""MWAA wants exactly two private subnets, in two availability zones."""


@dataclass(frozen=True)
class Network:
    """Ids of what tasks and MWAA are attached to; strings or CDK tokens."""

    subnets: tuple[str, ...]
    """The private subnets."""
    task_security_groups: tuple[str, ...]
    airflow_security_groups: tuple[str, ...]


def network_of(scope: Construct, plan: Plan, **stack: Any) -> Network:
    """The plan's network: a `NetworkStack` below `scope`, or what exists already, by its ids, with no look-up.

    A network that exists is used as it is: its security groups are for tasks and MWAA both, so one of them
    must let its own members in (MWAA's rule).
    """
    if plan.network.cidr:
        return NetworkStack(scope, f"{plan.prefix}-network", plan=plan, **stack).network
    existing = plan.network
    return Network(existing.private_subnets, existing.security_groups, existing.security_groups)


class NetworkStack(cdk.Stack):
    """A VPC over two zones: private subnets, each with a NAT gateway in its zone, and public ones for these."""

    def __init__(self, scope: Construct, name: str, *, plan: Plan, **stack: Any) -> None:
        super().__init__(scope, name, **stack)
        assert plan.network.cidr is not None
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(plan.network.cidr),
            max_azs=ZONES,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
                # Nothing of ours has a public address; the NAT gateways bring theirs.
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
                ),
            ],
            # CDK would empty the default group, which nothing uses, by a Lambda that may change security groups.
            restrict_default_security_group=False,
        )
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        flows = logs.LogGroup(
            self, "Flows", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flows))

        airflow = ec2.SecurityGroup(
            self, "AirflowSecurityGroup", vpc=vpc, description="MWAA: its parts talk to each other"
        )
        airflow.add_ingress_rule(airflow, ec2.Port.all_traffic(), "MWAA needs one group that lets its own members in")
        tasks = ec2.SecurityGroup(
            self, "TaskSecurityGroup", vpc=vpc, description="Fargate tasks: outbound only, nobody calls them"
        )
        self.network = Network(
            subnets=tuple(subnet.subnet_id for subnet in vpc.private_subnets),
            task_security_groups=(tasks.security_group_id,),
            airflow_security_groups=(airflow.security_group_id,),
        )

    @property
    def availability_zones(self) -> list[str]:
        """The region's first zones, worked out by CloudFormation: a synth asks no account for anything."""
        return [cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(ZONES)]
