"""What CloudFormation does with each resource type of a network. Ids are EC2's, so tags narrow what names cannot."""

from __future__ import annotations

from penstock.deploy_policy.grant import Grant, When, on

NEW = "has no tags yet, and its id is EC2's"
# A shared VPC and its subnets are another account's.
THEIR_VPC, THEIR_SUBNET = "ec2:{region}:*:vpc/{vpc}", "ec2:{region}:*:subnet/{subnet}"
THEIR_GROUP = "ec2:{region}:*:security-group/{group}"


def ec2(actions: str, *kinds: str, when: When = "", why: str = "") -> Grant:
    """Actions of EC2 on the account's resources of some kinds, which have ids and no names."""
    resources = [f"ec2:{{region}}:{{account}}:{kind}/*" for kind in kinds]
    return on(" ".join(f"ec2:{action}" for action in actions.split()), *resources, when=when, why=why)


def describe(actions: str) -> Grant:
    """Reading them."""
    why = "EC2 describes all or nothing"
    return on(" ".join(f"ec2:Describe{action}" for action in actions.split()), why=why)


def tagging(kind: str) -> tuple[Grant, ...]:
    """Giving them tags, and taking ours away."""
    why = "may be tagged after it is made; so what has no tags of ours can be given them"
    return (
        ec2("CreateTags", kind, when="ours or none", why=why),
        ec2("DeleteTags", kind, when="ours"),
    )


NETWORK_TYPES: dict[str, tuple[Grant, ...]] = {
    "AWS::EC2::EIP": (
        ec2("AllocateAddress", "elastic-ip", why=NEW),
        ec2("ReleaseAddress DisassociateAddress", "elastic-ip", when="ours"),
        describe("Addresses"),
        *tagging("elastic-ip"),
    ),
    "AWS::EC2::FlowLog": (
        ec2("CreateFlowLogs", "vpc-flow-log", why=NEW),
        ec2("CreateFlowLogs", "vpc", when="ours"),
        ec2("DeleteFlowLogs", "vpc-flow-log", when="ours"),
        describe("FlowLogs Tags"),
        *tagging("vpc-flow-log"),
    ),
    "AWS::EC2::InternetGateway": (
        ec2("CreateInternetGateway", "internet-gateway", why=NEW),
        ec2("DeleteInternetGateway", "internet-gateway", when="ours"),
        describe("InternetGateways"),
        *tagging("internet-gateway"),
    ),
    "AWS::EC2::NatGateway": (
        ec2("CreateNatGateway", "natgateway", why=NEW),
        ec2("CreateNatGateway", "subnet", "elastic-ip", when="ours"),
        ec2("DeleteNatGateway", "natgateway", when="ours"),
        describe("NatGateways"),
        *tagging("natgateway"),
    ),
    "AWS::EC2::Route": (
        ec2("CreateRoute ReplaceRoute DeleteRoute", "route-table", when="ours"),
        describe("RouteTables NetworkInterfaces"),
    ),
    "AWS::EC2::RouteTable": (
        ec2("CreateRouteTable", "route-table", why=NEW),
        ec2("CreateRouteTable", "vpc", when="ours"),
        ec2("DeleteRouteTable", "route-table", when="ours"),
        describe("RouteTables"),
        *tagging("route-table"),
    ),
    "AWS::EC2::SecurityGroup": (
        ec2("CreateSecurityGroup", "security-group", why=NEW),
        ec2("CreateSecurityGroup", "vpc", when="ours"),
        on("ec2:CreateSecurityGroup", THEIR_VPC),
        ec2(
            "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress RevokeSecurityGroupEgress "
            "RevokeSecurityGroupIngress UpdateSecurityGroupRuleDescriptionsEgress "
            "UpdateSecurityGroupRuleDescriptionsIngress",
            "security-group",
            when="ours or none",
            why="its rules may be written before its tags",
        ),
        ec2("DeleteSecurityGroup", "security-group", when="ours"),
        describe("SecurityGroups Instances"),
        *tagging("security-group"),
    ),
    "AWS::EC2::SecurityGroupIngress": (
        ec2(
            "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress UpdateSecurityGroupRuleDescriptionsIngress",
            "security-group",
            when="ours",
        ),
        describe("SecurityGroups SecurityGroupRules"),
    ),
    "AWS::EC2::Subnet": (
        ec2("CreateSubnet", "subnet", why=NEW),
        ec2("CreateSubnet", "vpc", when="ours"),
        ec2("ModifySubnetAttribute", "subnet", when="ours or none", why="may be called before it has its tags"),
        ec2("DeleteSubnet", "subnet", when="ours"),
        # Zones: `Fn::GetAZs` in the template.
        describe("Subnets NetworkAcls AvailabilityZones AccountAttributes"),
        *tagging("subnet"),
    ),
    "AWS::EC2::SubnetRouteTableAssociation": (
        ec2(
            "AssociateRouteTable ReplaceRouteTableAssociation DisassociateRouteTable",
            "route-table",
            "subnet",
            when="ours",
        ),
        describe("Subnets RouteTables"),
    ),
    "AWS::EC2::VPC": (
        ec2("CreateVpc", "vpc", why=NEW),
        ec2(
            "ModifyVpcAttribute DescribeVpcAttribute",
            "vpc",
            when="ours or none",
            why="may be called before it has its tags",
        ),
        ec2("DeleteVpc", "vpc", when="ours"),
        describe("Vpcs VpcEncryptionControls NetworkAcls SecurityGroups"),
        *tagging("vpc"),
    ),
    "AWS::EC2::VPCEndpoint": (
        ec2("CreateVpcEndpoint", "vpc-endpoint", why=NEW),
        ec2("CreateVpcEndpoint ModifyVpcEndpoint", "route-table", "security-group", "subnet", when="ours"),
        ec2("CreateVpcEndpoint", "vpc", when="ours"),
        on("ec2:CreateVpcEndpoint ec2:ModifyVpcEndpoint", THEIR_SUBNET, THEIR_GROUP),
        on("ec2:CreateVpcEndpoint", THEIR_VPC),
        ec2("ModifyVpcEndpoint DeleteVpcEndpoints", "vpc-endpoint", when="ours"),
        describe("VpcEndpoints Subnets SecurityGroups Vpcs"),
        *tagging("vpc-endpoint"),
        # Of a private DNS name (the dependent action of CreateVpcEndpoint).
        on(
            "route53:AssociateVPCWithHostedZone",
            "route53:::hostedzone/*",
            why="the hosted zone is one of the endpoint's service",
        ),
    ),
    "AWS::EC2::VPCGatewayAttachment": (
        ec2("AttachInternetGateway DetachInternetGateway", "internet-gateway", "vpc", when="ours"),
        describe("InternetGateways VpnGateways"),
    ),
}
"""Resource type → what it needs; see `types`."""
