"""Embedded::EC2::NamedNetwork: a VPC, subnets and security groups under the ids that a project names.

AWS has no such type: it makes up ids itself. A project that uses a network which exists names the ids that AWS once
made up, and so do its templates. The embedded AWS must know them then; this stands in for whoever made that network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock.local.aws import compat
from penstock.local.aws.endpoint import NAMED_NETWORK

Properties = dict[str, Any]
Made = tuple[str, Properties]

_BLOCK = "10.0.0.0/16"


def handlers(known: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The handler, made of those for the types that AWS has."""

    def make(kind: str, properties: Properties, stack: str) -> str:
        create: Callable[..., Made] = known[f"AWS::EC2::{kind}"]["create"]
        return create(f"Named{kind}", properties, stack)[0]

    def create(_logical_id: str, properties: Properties, stack: str) -> Made:
        vpc = str(properties["Vpc"])
        if vpc not in compat.ec2._vpcs:
            made = make("VPC", {"CidrBlock": _BLOCK}, stack)
            _rename(compat.ec2._vpcs, "VpcId", made, vpc)
            ec2 = (compat.ec2._network_acls, compat.ec2._route_tables, compat.ec2._security_groups, compat.ec2._subnets)
            for store in ec2:
                for record in store.values():
                    if record.get("VpcId") == made:
                        record["VpcId"] = vpc
        zones = "abc"
        for number, subnet in enumerate(properties.get("Subnets") or []):
            if subnet not in compat.ec2._subnets:
                zone = f"{compat.responses.get_region()}{zones[number % len(zones)]}"
                block = f"10.0.{number % 256}.0/24"
                made = make("Subnet", {"VpcId": vpc, "CidrBlock": block, "AvailabilityZone": zone}, stack)
                _rename(compat.ec2._subnets, "SubnetId", made, subnet)
        for group in properties.get("SecurityGroups") or []:
            if group not in compat.ec2._security_groups:
                made = make("SecurityGroup", {"VpcId": vpc, "GroupDescription": "for a project that names it"}, stack)
                record = _rename(compat.ec2._security_groups, "GroupId", made, group)
                # MWAA's rule: one group lets its own members in.
                own = [{"IpProtocol": "-1", "SourceSecurityGroupId": group}]
                record["IpPermissions"] = compat.provisioners._ec2_sg_permissions(own)
        return vpc, {}

    def update(_physical_id: str, _old: Properties, new: Properties, stack: str) -> Made:
        return create("", new, stack)

    return {NAMED_NETWORK: {"create": create, "update": update, "delete": lambda _physical_id, _properties: None}}


def _rename(store: Any, field: str, given: str, name: str) -> Properties:
    record: Properties = store.pop(given)
    record[field] = name
    store[name] = record
    return record
