"""AWS::EC2 types: security group rules, elastic IPs, NAT gateways, flow logs; the attributes of a VPC."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from penstock.local.aws import compat

Properties = dict[str, Any]
Made = tuple[str, Properties]


def complete_vpc(handler: dict[str, Any]) -> None:
    """Add the attributes that ministack's VPC does not return: CidrBlock and its kin."""
    create = handler["create"]

    def create_vpc(logical_id: str, properties: Properties, stack: str) -> Made:
        vpc, attributes = create(logical_id, properties, stack)
        more = {"CidrBlock": properties["CidrBlock"], "CidrBlockAssociations": [], "Ipv6CidrBlocks": []}
        return vpc, {**attributes, **more}

    handler["create"] = create_vpc


def _rule(store: str) -> dict[str, Callable[..., Any]]:
    """SecurityGroupIngress or SecurityGroupEgress; any change but to the description replaces it."""

    def create(_logical_id: str, properties: Properties, _stack: str) -> Made:
        group = _group(properties["GroupId"])
        source = properties.get("SourceSecurityGroupId") or properties.get("DestinationSecurityGroupId")
        if source:
            _group(source)
        permissions = compat.provisioners._ec2_sg_permissions([properties])
        known = [compat.ec2._strip_descriptions(one) for one in group.get(store) or []]
        if any(compat.ec2._strip_descriptions(one) in known for one in permissions):
            raise ValueError("the specified rule already exists (InvalidPermission.Duplicate)")
        group[store] = [*(group.get(store) or []), *permissions]
        rule = f"sgr-{secrets.token_hex(9)[:17]}"
        return rule, {"Id": rule}

    def delete(_rule_id: str, properties: Properties) -> None:
        group = compat.ec2._security_groups.get(properties["GroupId"])
        if group:
            gone = compat.provisioners._ec2_sg_permissions([properties])
            group[store] = [one for one in group.get(store) or [] if one not in gone]

    return {"create": create, "delete": delete}


def _group(group: str) -> Properties:
    found: Properties | None = compat.ec2._security_groups.get(group)
    if found is None:
        raise ValueError(f"The security group '{group}' does not exist")
    return found


def _create_address(_logical_id: str, properties: Properties, _stack: str) -> Made:
    before = set(compat.ec2._addresses)
    compat.ec2._allocate_address({"Domain": ["vpc"]})
    allocation = next(number for number in compat.ec2._addresses if number not in before)
    _tag(allocation, properties)
    address = compat.ec2._addresses[allocation]["PublicIp"]
    return address, {"AllocationId": allocation, "PublicIp": address}


def _delete_address(address: str, _properties: Properties) -> None:
    for allocation, one in list(compat.ec2._addresses.items()):
        if one["PublicIp"] == address:
            if one.get("AssociationId"):
                raise ValueError(f"The address {address} is in use")
            del compat.ec2._addresses[allocation]


def _create_nat(_logical_id: str, properties: Properties, _stack: str) -> Made:
    subnet, allocation = properties["SubnetId"], properties.get("AllocationId")
    if subnet not in compat.ec2._subnets:
        raise ValueError(f"The subnet ID '{subnet}' does not exist")
    if properties.get("ConnectivityType", "public") == "public" and allocation not in compat.ec2._addresses:
        raise ValueError(f"The allocation ID '{allocation}' does not exist")
    before = set(compat.ec2._nat_gateways)
    compat.ec2._create_nat_gateway({"SubnetId": [subnet], "AllocationId": [allocation or ""]})
    nat = next(number for number in compat.ec2._nat_gateways if number not in before)
    _tag(nat, properties)
    return nat, {"NatGatewayId": nat}


def _delete_nat(nat: str, _properties: Properties) -> None:
    if nat in compat.ec2._nat_gateways:
        compat.ec2._nat_gateways[nat]["State"] = "deleted"


def _create_flow_log(_logical_id: str, properties: Properties, _stack: str) -> Made:
    before = set(compat.ec2._flow_logs)
    call = {
        "ResourceId.1": [properties["ResourceId"]],
        "ResourceType": [properties["ResourceType"]],
        "TrafficType": [properties.get("TrafficType", "ALL")],
        "LogDestinationType": [properties.get("LogDestinationType", "cloud-watch-logs")],
        "LogDestination": [properties.get("LogDestination") or ""],
        "LogGroupName": [properties.get("LogGroupName") or ""],
    }
    compat.ec2._create_flow_logs(call)
    flow_log = next(number for number in compat.ec2._flow_logs if number not in before)
    _tag(flow_log, properties)
    return flow_log, {"Id": flow_log}


def _delete_flow_log(flow_log: str, _properties: Properties) -> None:
    compat.ec2._flow_logs.pop(flow_log, None)


def _tag(resource: str, properties: Properties) -> None:
    compat.ec2._tags[resource] = list(properties.get("Tags") or [])


def _tags_in_place(handler: dict[str, Callable[..., Any]], attribute: str) -> dict[str, Callable[..., Any]]:
    """A change to the tags alone keeps the resource; every other change replaces it."""

    def update(physical_id: str, old: Properties, new: Properties, stack: str) -> Made:
        if {**old, "Tags": None} != {**new, "Tags": None}:
            made: Made = handler["create"](physical_id, new, stack)
            return made
        if attribute != "AllocationId":
            _tag(physical_id, new)
            return physical_id, {attribute: physical_id}
        allocation = next(
            number for number, address in compat.ec2._addresses.items() if address["PublicIp"] == physical_id
        )
        _tag(allocation, new)
        return physical_id, {"AllocationId": allocation, "PublicIp": physical_id}

    return {**handler, "update": update}


HANDLERS: dict[str, dict[str, Callable[..., Any]]] = {
    "AWS::EC2::SecurityGroupIngress": _rule("IpPermissions"),
    "AWS::EC2::SecurityGroupEgress": _rule("IpPermissionsEgress"),
    "AWS::EC2::EIP": _tags_in_place({"create": _create_address, "delete": _delete_address}, "AllocationId"),
    "AWS::EC2::NatGateway": _tags_in_place({"create": _create_nat, "delete": _delete_nat}, "NatGatewayId"),
    "AWS::EC2::FlowLog": _tags_in_place({"create": _create_flow_log, "delete": _delete_flow_log}, "Id"),
}
