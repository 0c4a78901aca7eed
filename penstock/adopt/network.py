"""The environment's network: subnets with their way out, security groups."""

from __future__ import annotations

from typing import Any

from penstock.adopt.live import Gone, Subnet
from penstock.adopt.lookups import Clients, Look

_SUBNETS = "ec2:DescribeSubnets, ec2:DescribeRouteTables"
_NO_TARGETS = frozenset(
    {
        "DestinationCidrBlock",
        "DestinationIpv6CidrBlock",
        "DestinationPrefixListId",
        "InstanceOwnerId",
        "Origin",
        "State",
    }
)
"""Members of a route that name no target. All others do, whatever kinds EC2 adds. Source: botocore's model, `Route`."""


class NetworkLook:
    """Looks at subnets and security groups, each by itself: of several, one may be gone."""

    def __init__(self, clients: Clients, look: Look) -> None:
        self._clients, self._look = clients, look

    def subnets(self, ids: tuple[str, ...]) -> tuple[Subnet, ...] | None:
        """All of them; None: they could not all be looked at."""
        described = [subnet for name in ids if (subnet := self._subnet(name)) is not None]
        if not described or len(described) < len(ids):
            return None
        vpcs = sorted({str(subnet["VpcId"]) for subnet in described})
        tables = self._look("ec2:DescribeRouteTables", lambda: self._tables(vpcs))
        if tables is None:
            return None
        return tuple(_described(subnet, tables) for subnet in described)

    def self_referencing(self, ids: tuple[str, ...]) -> bool | None:
        """Whether one of the groups lets its own members in; None: one that could not be looked at might."""
        groups = [group for name in ids if (group := self._group(name)) is not None]
        if any(_lets_itself_in(group) for group in groups):
            return True
        return False if groups and len(groups) == len(ids) else None

    def _subnet(self, name: str) -> dict[str, Any] | None:
        def ask() -> dict[str, Any]:
            subnet: dict[str, Any] = self._clients("ec2").describe_subnets(SubnetIds=[name])["Subnets"][0]
            return subnet

        gone = Gone(f"the subnet {name} is gone", "an environment keeps its subnets for good: make a new environment")
        return self._look(_SUBNETS, ask, {"InvalidSubnetID.NotFound": gone})

    def _group(self, name: str) -> dict[str, Any] | None:
        def ask() -> dict[str, Any]:
            group: dict[str, Any] = self._clients("ec2").describe_security_groups(GroupIds=[name])["SecurityGroups"][0]
            return group

        gone = Gone(f"the security group {name} is gone", "give the environment one that exists, and adopt it again")
        return self._look("ec2:DescribeSecurityGroups", ask, {"InvalidGroup.NotFound": gone})

    def _tables(self, vpcs: list[str]) -> list[dict[str, Any]]:
        pages = self._clients("ec2").get_paginator("describe_route_tables")
        filters = [{"Name": "vpc-id", "Values": vpcs}]
        return [table for page in pages.paginate(Filters=filters) for table in page["RouteTables"]]


def _lets_itself_in(group: dict[str, Any]) -> bool:
    return any(
        pair.get("GroupId") == group["GroupId"]
        for rule in group.get("IpPermissions", [])
        for pair in rule.get("UserIdGroupPairs", [])
    )


def _described(subnet: dict[str, Any], tables: list[dict[str, Any]]) -> Subnet:
    name, vpc = str(subnet["SubnetId"]), str(subnet["VpcId"])
    route = _default_route(name, vpc, tables)
    targets = [str(value) for key, value in (route or {}).items() if value and key not in _NO_TARGETS]
    # A route to an instance names its network interface too; any one will do for a person.
    way_out = min(targets) if targets else None
    dead = route is not None and route.get("State") == "blackhole"
    return Subnet(name, vpc, str(subnet["AvailabilityZone"]), way_out, dead)


def _default_route(subnet: str, vpc: str, tables: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Of the subnet's own route table, or of its VPC's main one if it has none."""
    own = [
        table
        for table in tables
        if any(association.get("SubnetId") == subnet for association in table.get("Associations", []))
    ]
    main = [
        table
        for table in tables
        if table.get("VpcId") == vpc and any(association.get("Main") for association in table.get("Associations", []))
    ]
    for table in own or main:
        for route in table.get("Routes", []):
            if route.get("DestinationCidrBlock") == "0.0.0.0/0":
                default: dict[str, Any] = route
                return default
    return None
