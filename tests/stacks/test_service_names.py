"""Names of services that the project's checks know, against those of CDK."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2

from penstock.aws.endpoints import ENDPOINTS

GATEWAYS = {"dynamodb", None}


def test_endpoints_have_the_names_that_cdk_knows() -> None:
    """So what a warning asks for is a service that there is."""
    kind = ec2.InterfaceVpcEndpointAwsService
    known = {getattr(kind, name).short_name for name in dir(kind) if name.isupper()}

    assert {name for name in ENDPOINTS.values() if name not in GATEWAYS} <= known
