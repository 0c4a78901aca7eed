"""The endpoints that MWAA waits for where its customer makes them (`EndpointManagement: CUSTOMER`).

Source: Amazon MWAA User Guide, "Managing your own Amazon VPC endpoints". MWAA waits for 72 hours; here nobody but the
project's own state machine can make them, and that takes seconds.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from penstock.local.aws import compat

SECONDS = 120
"""How long to wait; a machine that is busy with other things gets there too."""
_SERVICES = ("DatabaseVpcEndpointService", "WebserverVpcEndpointService")


def install() -> None:
    """Let CloudFormation wait for an environment without keeping the server from its other work."""
    blocks = compat.stacks._runs_on_worker_thread
    compat.stacks._runs_on_worker_thread = lambda kind: kind == "AWS::MWAA::Environment" or blocks(kind)


def wanted(environment: dict[str, Any]) -> dict[str, str]:
    """The names of the services, as GetEnvironment shows them. Without private access the web server wants none."""
    private = environment["WebserverAccessMode"] == "PRIVATE_ONLY"
    services = _SERVICES if private else _SERVICES[:1]
    region = compat.responses.get_region()
    return {one: f"com.amazonaws.vpce.{region}.vpce-svc-{secrets.token_hex(9)[:17]}" for one in services}


def wait(environment: dict[str, Any]) -> str | None:
    """Wait for an endpoint of each service in the environment's VPC; MWAA's words where one does not come."""
    subnet = environment["NetworkConfiguration"]["SubnetIds"][0]
    vpc = compat.ec2._subnets[subnet]["VpcId"]
    services = {environment[one] for one in _SERVICES if one in environment}
    until = time.monotonic() + SECONDS
    while services:
        found = list(compat.ec2._vpc_endpoints.values())
        services -= {one["ServiceName"] for one in found if one["VpcId"] == vpc}
        if services and time.monotonic() > until:
            return f"The VPC endpoints of {', '.join(sorted(services))} were not created in {vpc} within {SECONDS} s"
        time.sleep(0.05)
    return None
