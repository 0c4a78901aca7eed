"""The endpoints that MWAA waits for where its customer makes them (`EndpointManagement: CUSTOMER`).

The environment is PENDING until there is an endpoint of each of its services, whoever makes it; CloudFormation goes on
at PENDING. MWAA gives up after 72 hours; here it does not.
Sources: Amazon MWAA User Guide, "Managing your own Amazon VPC endpoints"; CreateHandler.java in
aws-cloudformation/aws-cloudformation-resource-providers-mwaa.
"""

from __future__ import annotations

import secrets
from typing import Any

from penstock.local.aws import compat

SERVICES = ("DatabaseVpcEndpointService", "WebserverVpcEndpointService")
"""As GetEnvironment and the attributes of CloudFormation's resource name them."""


def correct(handler: dict[str, Any]) -> None:
    """Let environments know of what ministack's handler of AWS::EC2::VPCEndpoint has made."""
    create = handler["create"]

    def create_endpoint(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        made = create(logical_id, properties, stack)
        go_on()
        return made

    handler["create"] = create_endpoint


def wanted(environment: dict[str, Any]) -> dict[str, str]:
    """The names of the services. A web server on the internet alone needs none."""
    services = SERVICES[: 1 if environment["WebserverAccessMode"] == "PUBLIC_ONLY" else 2]
    region = compat.responses.get_region()
    return {service: f"com.amazonaws.vpce.{region}.vpce-svc-{secrets.token_hex(9)[:17]}" for service in services}


def go_on() -> None:
    """Make those environments available whose last endpoint is there now. Other threads may be making more of both."""
    there = {(one["VpcId"], one["ServiceName"]) for one in list(compat.ec2._vpc_endpoints.values())}
    for environment in list(compat.mwaa._environments.values()):
        if environment["Status"] == "PENDING":
            subnet = compat.ec2._subnets.get(environment["NetworkConfiguration"]["SubnetIds"][0])
            vpc = subnet and subnet["VpcId"]
            if {(vpc, environment[one]) for one in SERVICES if one in environment} <= there:
                environment["Status"] = "AVAILABLE"
