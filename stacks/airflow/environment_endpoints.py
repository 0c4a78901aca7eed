"""The endpoints of MWAA's database and web server in a VPC of our own, where MWAA does not make them itself.

An environment of that kind stops in `PENDING` until they are there. CloudFormation takes `PENDING` for made, so they
can follow it in the same template, by the names of their services, and go with it.
Sources: AWS CloudFormation Template Reference, AWS::MWAA::Environment, return values; its handler, CreateHandler.java
in aws-cloudformation/aws-cloudformation-resource-providers-mwaa, and the 180 minutes that its schema gives it, fewer
than the 72 hours that MWAA waits; Amazon MWAA User Guide, "Managing your own Amazon VPC endpoints".
"""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_mwaa as mwaa
from constructs import Construct

TAG = "penstock:airflow"
"""On each endpoint: the environment's name."""


def environment_endpoints(
    scope: Construct,
    *,
    environment: mwaa.CfnEnvironment,
    web_server: bool,
    vpc: str,
    subnets: Sequence[str],
    security_groups: Sequence[str],
) -> None:
    """Make them.

    Args:
        web_server: whether the web server has one too: with every access but from the internet alone.
        security_groups: must let MWAA's in; MWAA's own do.
    """
    services = {"DatabaseEndpoint": environment.attr_database_vpc_endpoint_service}
    if web_server:
        services["WebServerEndpoint"] = environment.attr_webserver_vpc_endpoint_service
    for name, service in services.items():
        endpoint = ec2.CfnVPCEndpoint(
            scope,
            name,
            vpc_endpoint_type="Interface",
            service_name=service,
            vpc_id=vpc,
            subnet_ids=list(subnets),
            security_group_ids=list(security_groups),
        )
        cdk.Tags.of(endpoint).add(TAG, environment.name)
