"""What CloudFormation replaces instead of changing it, what is lost with it, and what it does not take away.

Source: AWS CloudFormation Template Reference, "Update requires: Replacement" of each property, and the resource schemas
that come with the pinned CDK CLI, with which a test compares the tables: for every type that a template of ours has.
The reference says so of an MWAA environment's security groups too; the resource's schema, which CloudFormation goes by,
does not, and UpdateEnvironment takes them.
"""

from __future__ import annotations

FIXED: dict[str, tuple[str, ...]] = {
    "AWS::MWAA::Environment": ("Name", "NetworkConfiguration.SubnetIds", "KmsKey", "EndpointManagement"),
    "AWS::S3::Bucket": ("BucketName", "ObjectLockEnabled", "BucketNamespace", "BucketNamePrefix"),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::KMS::Key": (),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::ECR::Repository": ("RepositoryName", "EncryptionConfiguration"),
    "AWS::ECR::PullThroughCacheRule": (
        "EcrRepositoryPrefix", "UpstreamRegistryUrl", "CredentialArn", "UpstreamRegistry", "CustomRoleArn",
        "UpstreamRepositoryPrefix",
    ),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::EC2::EIP": ("Domain", "NetworkBorderGroup", "TransferAddress", "IpamPoolId", "Address"),
    "AWS::EC2::FlowLog": (
        "ResourceId", "ResourceType", "TrafficType", "LogDestination", "LogDestinationType", "LogGroupName",
        "LogFormat", "MaxAggregationInterval", "DestinationOptions", "DeliverLogsPermissionArn",
        "DeliverCrossAccountRole", "TagFieldSpecifications",
    ),
    "AWS::EC2::InternetGateway": (),
    "AWS::EC2::NatGateway": (
        "SubnetId", "AllocationId", "ConnectivityType", "PrivateIpAddress", "VpcId", "AvailabilityMode",
    ),
    "AWS::EC2::Route": (
        "RouteTableId", "DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId",
    ),
    "AWS::EC2::RouteTable": ("VpcId",),
    "AWS::EC2::SecurityGroup": ("VpcId", "GroupName", "GroupDescription"),
    "AWS::EC2::SecurityGroupIngress": (
        "GroupId", "GroupName", "IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6", "SourcePrefixListId",
        "SourceSecurityGroupId", "SourceSecurityGroupName", "SourceSecurityGroupOwnerId",
    ),
    "AWS::EC2::Subnet": (
        "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "OutpostArn", "Ipv6Native", "Ipv4IpamPoolId",
        "Ipv4NetmaskLength", "Ipv6IpamPoolId", "Ipv6NetmaskLength",
    ),
    "AWS::EC2::SubnetRouteTableAssociation": ("RouteTableId", "SubnetId"),
    "AWS::EC2::VPC": ("CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength", "VpcEncryptionControl"),
    "AWS::EC2::VPCEndpoint": (
        "VpcId", "ServiceName", "VpcEndpointType", "ServiceRegion", "ServiceNetworkArn", "ResourceConfigurationArn",
        "DnsOptions.PrivateDnsPreference", "DnsOptions.PrivateDnsSpecifiedDomains",
    ),
    "AWS::EC2::VPCGatewayAttachment": ("VpcId",),
    "AWS::ECS::Cluster": ("ClusterName",),
    "AWS::ECS::TaskDefinition": ("Family",),
    "AWS::Events::Rule": ("Name", "EventBusName"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "Path", "Description"),
    "AWS::IAM::Policy": (),
    "AWS::IAM::Role": ("RoleName", "Path"),
    "AWS::Lambda::Function": ("FunctionName", "PackageType", "TenancyConfig"),
    "AWS::Lambda::LayerVersion": ("LayerName",),
    "AWS::Lambda::Permission": (
        "FunctionName", "Action", "Principal", "SourceArn", "SourceAccount", "EventSourceToken",
        "FunctionUrlAuthType", "PrincipalOrgID", "InvokedViaFunctionUrl",
    ),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::SNS::Subscription": ("Endpoint", "Protocol", "TopicArn"),
    "AWS::SNS::Topic": ("TopicName", "FifoTopic"),
    "AWS::SNS::TopicPolicy": (),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "StateMachineType"),
}  # fmt: skip
"""Type → paths of properties that are fixed at creation."""

EXCUSED: dict[str, dict[str, str]] = {
    "AWS::ECS::TaskDefinition": {"*": "any change registers the next revision of its family: that is how it changes"},
    "AWS::Lambda::LayerVersion": {"*": "any change publishes the next version of its layer"},
    "AWS::EC2::Subnet": {"Ipv6CidrBlock": "one that is added, or of a subnet without others, is changed in place"},
    "AWS::EC2::VPC": {"InstanceTenancy": "from dedicated to default it is changed in place; we set the default"},
}
"""Type → property that the schema calls fixed and `FIXED` does not, or `*` for all others → why."""

UNIQUE: dict[str, tuple[str, ...]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    # `Resource.AlreadyAssociated`: Amazon VPC User Guide, "Troubleshoot NAT gateways".
    "AWS::EC2::NatGateway": ("AllocationId",),
    # `RouteAlreadyExists`, `InvalidGroup.Duplicate`, `InvalidSubnet.Conflict`: Amazon EC2 API Reference, "Error codes".
    "AWS::EC2::Route": ("RouteTableId", "DestinationCidrBlock"),
    "AWS::EC2::SecurityGroup": ("VpcId", "GroupName"),
    "AWS::EC2::Subnet": ("VpcId", "CidrBlock"),
    "AWS::ECR::PullThroughCacheRule": ("EcrRepositoryPrefix",),
    "AWS::ECR::Repository": ("RepositoryName",),
    "AWS::ECS::Cluster": ("ClusterName",),
    "AWS::Events::Rule": ("Name",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::MWAA::Environment": ("Name",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::StepFunctions::StateMachine": ("StateMachineName",),
}
"""Type → the properties that no two resources share, so that one which keeps them cannot be replaced: CloudFormation
makes the new one first, and deletes the old one when all is done.

Source: AWS CloudFormation User Guide, "Update behaviors of stack resources" and "Name Type".
"""

HOLDS_DATA: dict[str, str] = {
    "AWS::MWAA::Environment": "Airflow's database: run history, connections, variables",
    "AWS::S3::Bucket": "its objects",
    "AWS::Logs::LogGroup": "its log",
    "AWS::KMS::Key": "everything that it encrypts",
    "AWS::SecretsManager::Secret": "its value",
    "AWS::ECR::Repository": "its images",
    "AWS::RDS::DBInstance": "its database",
    "AWS::RDS::DBCluster": "its database",
    "AWS::DynamoDB::Table": "its items",
    "AWS::EFS::FileSystem": "its files",
}
"""Type → what is gone when it goes."""

STAYS: dict[str, dict[str, str]] = {
    "AWS::MWAA::Environment": {
        "StartupScriptS3Path": "the startup script still runs: name one that holds nothing but a comment",
        "WeeklyMaintenanceWindowStart": "maintenance still starts then: name the window that you want",
    },
}
"""Type → property that stays in force when it leaves the template → what that means, and what to do.

Source: aws-cloudformation/aws-cloudformation-resource-providers-mwaa, `UpdateTranslator`: what is missing is not
sent, and MWAA's UpdateEnvironment changes what is sent.
"""
