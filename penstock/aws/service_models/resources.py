"""Which call of which service a property of a CloudFormation resource becomes.

A property is the member of its own name, whatever its case, of the first of the operations that has one; `renamed`
tells where it is another. Sources: the types' pages in the AWS CloudFormation Template Reference, and the API
references of the services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Resource:
    """What CloudFormation calls for a type."""

    service: str
    """As botocore names it."""
    operations: tuple[str, ...]
    """The first makes the resource."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Path of a property → path of the member: `Tags[].Key` → `CreateLogGroup.tags{key}`."""
    supplied: frozenset[str] = frozenset()
    """Members that the first operation requires, and CloudFormation fills in where the template does not."""


def _of(service: str, operations: str, renamed: str = "", supplied: str = "") -> Resource:
    """Args:
    renamed: lines of `property = member`.
    """
    pairs = (line.split("=", 1) for line in renamed.splitlines() if line.strip())
    return Resource(
        service,
        tuple(operations.split()),
        {ours.strip(): theirs.strip() for ours, theirs in pairs},
        frozenset(supplied.split()),
    )


def _tagged(create: str, more: str = "") -> Resource:
    """A type of EC2: its tags are in a specification of their own."""
    first = create.split()[0]
    return _of("ec2", create, f"Tags = {first}.TagSpecifications[].Tags\n{more}")


def _rules(direction: str) -> str:
    operation, place = f"AuthorizeSecurityGroup{direction}", f"SecurityGroup{direction}"
    return f"""
        {place} = {operation}.IpPermissions
        {place}[].CidrIp = {operation}.IpPermissions[].IpRanges[].CidrIp
        {place}[].Description = {operation}.IpPermissions[].IpRanges[].Description
    """


RESOURCES: dict[str, Resource] = {
    "AWS::CloudWatch::Alarm": _of("cloudwatch", "PutMetricAlarm", supplied="AlarmName"),
    "AWS::CloudWatch::Dashboard": _of("cloudwatch", "PutDashboard", supplied="DashboardName"),
    "AWS::EC2::EIP": _tagged("AllocateAddress"),
    "AWS::EC2::FlowLog": _tagged("CreateFlowLogs", "ResourceId = CreateFlowLogs.ResourceIds[]"),
    "AWS::EC2::InternetGateway": _tagged("CreateInternetGateway"),
    "AWS::EC2::NatGateway": _tagged("CreateNatGateway"),
    "AWS::EC2::Route": _of("ec2", "CreateRoute"),
    "AWS::EC2::RouteTable": _tagged("CreateRouteTable"),
    "AWS::EC2::SecurityGroup": _of(
        "ec2",
        "CreateSecurityGroup AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress",
        "Tags = CreateSecurityGroup.TagSpecifications[].Tags\nGroupDescription = CreateSecurityGroup.Description\n"
        + _rules("Ingress")
        + _rules("Egress"),
        "GroupName",
    ),
    "AWS::EC2::SecurityGroupIngress": _of(
        "ec2",
        "AuthorizeSecurityGroupIngress",
        """
        CidrIp = AuthorizeSecurityGroupIngress.IpPermissions[].IpRanges[].CidrIp
        IpProtocol = AuthorizeSecurityGroupIngress.IpPermissions[].IpProtocol
        Description = AuthorizeSecurityGroupIngress.IpPermissions[].UserIdGroupPairs[].Description
        SourceSecurityGroupId = AuthorizeSecurityGroupIngress.IpPermissions[].UserIdGroupPairs[].GroupId
        """,
    ),
    "AWS::EC2::SecurityGroupEgress": _of(
        "ec2",
        "AuthorizeSecurityGroupEgress",
        """
        CidrIp = AuthorizeSecurityGroupEgress.IpPermissions[].IpRanges[].CidrIp
        IpProtocol = AuthorizeSecurityGroupEgress.IpPermissions[].IpProtocol
        Description = AuthorizeSecurityGroupEgress.IpPermissions[].UserIdGroupPairs[].Description
        DestinationSecurityGroupId = AuthorizeSecurityGroupEgress.IpPermissions[].UserIdGroupPairs[].GroupId
        """,
    ),
    "AWS::EC2::Subnet": _tagged(
        "CreateSubnet ModifySubnetAttribute", "MapPublicIpOnLaunch = ModifySubnetAttribute.MapPublicIpOnLaunch.Value"
    ),
    "AWS::EC2::SubnetRouteTableAssociation": _of("ec2", "AssociateRouteTable"),
    "AWS::EC2::VPC": _tagged(
        "CreateVpc ModifyVpcAttribute",
        """
        EnableDnsHostnames = ModifyVpcAttribute.EnableDnsHostnames.Value
        EnableDnsSupport = ModifyVpcAttribute.EnableDnsSupport.Value
        """,
    ),
    "AWS::EC2::VPCEndpoint": _tagged("CreateVpcEndpoint"),
    "AWS::EC2::VPCGatewayAttachment": _of("ec2", "AttachInternetGateway"),
    "AWS::ECR::PullThroughCacheRule": _of("ecr", "CreatePullThroughCacheRule"),
    "AWS::ECS::Cluster": _of("ecs", "CreateCluster", "ClusterSettings = CreateCluster.settings"),
    "AWS::ECS::TaskDefinition": _of("ecs", "RegisterTaskDefinition", supplied="family"),
    "AWS::Events::Rule": _of("events", "PutRule PutTargets", supplied="Name"),
    "AWS::IAM::ManagedPolicy": _of(
        "iam",
        "CreatePolicy AttachRolePolicy",
        "ManagedPolicyName = CreatePolicy.PolicyName\nRoles[] = AttachRolePolicy.RoleName",
        "PolicyName",
    ),
    "AWS::IAM::Policy": _of("iam", "PutRolePolicy", "Roles[] = PutRolePolicy.RoleName"),
    "AWS::IAM::Role": _of(
        "iam",
        "CreateRole PutRolePolicy AttachRolePolicy",
        """
        Policies[].PolicyName = PutRolePolicy.PolicyName
        Policies[].PolicyDocument = PutRolePolicy.PolicyDocument
        ManagedPolicyArns[] = AttachRolePolicy.PolicyArn
        """,
        "RoleName",
    ),
    "AWS::KMS::Key": _of(
        "kms",
        "CreateKey EnableKeyRotation",
        "KeyPolicy = CreateKey.Policy\nTags[].Key = CreateKey.Tags[].TagKey\nTags[].Value = CreateKey.Tags[].TagValue",
    ),
    "AWS::Lambda::Function": _of(
        "lambda",
        "CreateFunction",
        "Tags[].Key = CreateFunction.Tags{key}\nTags[].Value = CreateFunction.Tags{value}",
        "FunctionName",
    ),
    "AWS::Lambda::LayerVersion": _of("lambda", "PublishLayerVersion", supplied="LayerName"),
    "AWS::Lambda::Permission": _of("lambda", "AddPermission", supplied="StatementId"),
    "AWS::Logs::LogGroup": _of(
        "logs",
        "CreateLogGroup PutRetentionPolicy",
        "Tags[].Key = CreateLogGroup.tags{key}\nTags[].Value = CreateLogGroup.tags{value}",
        "logGroupName",
    ),
    "AWS::MWAA::Environment": _of("mwaa", "CreateEnvironment UpdateEnvironment"),
    "AWS::S3::Bucket": _of(
        "s3",
        "CreateBucket PutBucketEncryption PutBucketLifecycleConfiguration PutBucketTagging PutBucketVersioning "
        "PutPublicAccessBlock",
        """
        BucketName = CreateBucket.Bucket
        BucketEncryption = PutBucketEncryption.ServerSideEncryptionConfiguration
        BucketEncryption.ServerSideEncryptionConfiguration = PutBucketEncryption.ServerSideEncryptionConfiguration.Rules
        BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault = """
        """PutBucketEncryption.ServerSideEncryptionConfiguration.Rules[].ApplyServerSideEncryptionByDefault
        Tags = PutBucketTagging.Tagging.TagSet
        """,
        "Bucket",
    ),
    "AWS::S3::BucketPolicy": _of("s3", "PutBucketPolicy", "PolicyDocument = PutBucketPolicy.Policy"),
    "AWS::SNS::Subscription": _of("sns", "Subscribe"),
    "AWS::SNS::Topic": _of(
        "sns",
        "CreateTopic",
        """
        TopicName = CreateTopic.Name
        DisplayName = CreateTopic.Attributes{value}
        KmsMasterKeyId = CreateTopic.Attributes{value}
        """,
        "Name",
    ),
    "AWS::SNS::TopicPolicy": _of(
        "sns",
        "SetTopicAttributes",
        "Topics[] = SetTopicAttributes.TopicArn\nPolicyDocument = SetTopicAttributes.AttributeValue",
        "AttributeName",
    ),
    "AWS::SecretsManager::Secret": _of("secretsmanager", "CreateSecret", supplied="Name"),
    "AWS::StepFunctions::StateMachine": _of(
        "stepfunctions",
        "CreateStateMachine",
        "StateMachineName = CreateStateMachine.name\nDefinitionString = CreateStateMachine.definition",
        "name",
    ),
}  # fmt: skip

UNCHECKED: dict[tuple[str, str], str] = {
    ("AWS::KMS::Key", "EnableKeyRotation"): "a call of its own without a value: true makes it",
}
"""Type and path of a property → why no member of a model is held against it."""

CALLS: dict[str, tuple[str, ...]] = {
    "ecs": ("CreateCluster", "RegisterTaskDefinition"),
    "events": ("PutRule", "PutTargets"),
    "logs": ("CreateLogGroup", "PutRetentionPolicy"),
    "secretsmanager": ("CreateSecret", "PutSecretValue", "UpdateSecret"),
}
"""Service → calls that the embedded AWS holds against the model when they come by the API, too."""

OPERATIONS: dict[str, frozenset[str]] = {
    service: frozenset(
        [name for resource in RESOURCES.values() if resource.service == service for name in resource.operations]
        + list(CALLS.get(service, ()))
    )
    for service in {resource.service for resource in RESOURCES.values()}
}
"""Service → the operations that are read of its model."""
