"""What CloudFormation replaces instead of changing it, what is lost with it, and what it does not take away.

Source: AWS CloudFormation Template Reference, "Update requires: Replacement" of each property, and the resource schemas
that come with the pinned CDK CLI, with which a test compares the table. The reference says so of an MWAA environment's
security groups too; the resource's schema, which CloudFormation goes by, does not, and UpdateEnvironment takes them.
"""

from __future__ import annotations

FIXED: dict[str, tuple[str, ...]] = {
    "AWS::MWAA::Environment": ("Name", "NetworkConfiguration.SubnetIds", "KmsKey", "EndpointManagement"),
    "AWS::S3::Bucket": ("BucketName", "ObjectLockEnabled", "BucketNamespace", "BucketNamePrefix"),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::KMS::Key": (),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::ECR::Repository": ("RepositoryName", "EncryptionConfiguration"),
    # Those that the ones above stand on: when these are replaced, so are they.
    "AWS::EC2::VPC": ("CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength"),
    "AWS::EC2::Subnet": ("VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId"),
    "AWS::EC2::SecurityGroup": ("VpcId", "GroupName", "GroupDescription"),
    "AWS::ECS::Cluster": ("ClusterName",),
    "AWS::IAM::Role": ("RoleName", "Path"),
    "AWS::SNS::Topic": ("TopicName", "FifoTopic"),
}
"""Type → paths of properties that are fixed at creation."""

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

Source: aws-cloudformation/aws-cloudformation-resource-providers-mwaa, `UpdateTranslator`: what is not there is not
sent, and MWAA's UpdateEnvironment changes what is sent.
"""
