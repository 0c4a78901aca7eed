"""What CloudFormation does with each resource type of ours: actions, what they are on, and if what.

Sources of the actions: `handlers.*.permissions` of each type's schema in the CloudFormation registry, without those for
properties that we do not set; and the pages named at a grant. Whether an action knows a resource or a condition: AWS,
"Service Authorization Reference", the page of the service. `tests/golden/test_deploy_policy_judged.py` reads both.
"""

from __future__ import annotations

from penstock.deploy_policy.grant import Grant, linked_role, on
from penstock.deploy_policy.network_types import (
    NETWORK_TYPES,
    NEW,
    THEIR_GROUP,
    THEIR_SUBNET,
    THEIR_VPC,
    describe,
    ec2,
)

_ROLE, _POLICY = "iam::{account}:role{AWS::IAM::Role}", "iam::{account}:policy{AWS::IAM::ManagedPolicy}"
_FUNCTION = "lambda:{region}:{account}:function:{AWS::Lambda::Function}"
_LAYER = "lambda:{region}:{account}:layer:{AWS::Lambda::LayerVersion}"
_SECRET = "secretsmanager:{region}:{account}:secret:{AWS::SecretsManager::Secret}-??????"  # noqa: S105  an ARN
_BUCKET = "s3:::{AWS::S3::Bucket}"
_TOPIC = "sns:{region}:{account}:{AWS::SNS::Topic}"
_RULE = "events:{region}:{account}:rule/{AWS::Events::Rule}"
_MACHINE = "states:{region}:{account}:stateMachine:{AWS::StepFunctions::StateMachine}"
_DASHBOARD = "cloudwatch::{account}:dashboard/{AWS::CloudWatch::Dashboard}"
_ASSETS = on("s3:GetObject s3:GetObjectVersion", "s3:::{assets}/*")
_KEY = "kms:{region}:{account}:key/*"
_INVOKE = on("lambda:InvokeFunction", _FUNCTION)

EVERY_STACK = (on("ssm:GetParameter ssm:GetParameters", "ssm:{region}:{account}:parameter{version}"),)
"""Each template asks for the version of CDK's bootstrap."""

TYPES: dict[str, tuple[Grant, ...]] = {
    **NETWORK_TYPES,
    "AWS::CloudWatch::Alarm": (
        on(
            "cloudwatch:PutMetricAlarm cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:TagResource "
            "cloudwatch:UntagResource cloudwatch:ListTagsForResource",
            "cloudwatch:{region}:{account}:alarm:{AWS::CloudWatch::Alarm}",
        ),
    ),
    "AWS::CloudWatch::Dashboard": (
        on(
            "cloudwatch:PutDashboard cloudwatch:GetDashboard cloudwatch:DeleteDashboards cloudwatch:TagResource "
            "cloudwatch:UntagResource cloudwatch:ListTagsForResource",
            _DASHBOARD,
        ),
    ),
    "AWS::ECR::PullThroughCacheRule": (
        on(
            "ecr:CreatePullThroughCacheRule ecr:DeletePullThroughCacheRule ecr:DescribePullThroughCacheRules",
            why="ECR knows no resource for a rule of its cache",
        ),
        on("secretsmanager:GetSecretValue", "{secret}"),
        linked_role("pullthroughcache.ecr.amazonaws.com"),
    ),
    "AWS::ECS::Cluster": (
        on(
            "ecs:CreateCluster ecs:DescribeClusters ecs:UpdateCluster ecs:UpdateClusterSettings "
            "ecs:PutClusterCapacityProviders ecs:DeleteCluster ecs:TagResource ecs:UntagResource "
            "ecs:ListTagsForResource",
            "ecs:{region}:{account}:cluster/{AWS::ECS::Cluster}",
        ),
        linked_role("ecs.amazonaws.com"),
    ),
    "AWS::ECS::TaskDefinition": (
        on(
            "ecs:RegisterTaskDefinition",
            when="tagged ours",
            why="ECS knows no resource for it (aws/containers-roadmap #929)",
        ),
        on(
            "ecs:DeregisterTaskDefinition ecs:DescribeTaskDefinition",
            why="ECS knows no resource and no tag for it (aws/containers-roadmap #929)",
        ),
        on(
            "ecs:TagResource ecs:UntagResource ecs:ListTagsForResource",
            "ecs:{region}:{account}:task-definition/{AWS::ECS::TaskDefinition}:*",
        ),
    ),
    "AWS::Events::Rule": (
        on(
            "events:PutRule events:DescribeRule events:DeleteRule events:PutTargets events:RemoveTargets "
            "events:ListTargetsByRule events:TagResource events:UntagResource events:ListTagsForResource",
            _RULE,
        ),
    ),
    "AWS::IAM::ManagedPolicy": (
        on(
            "iam:CreatePolicy iam:DeletePolicy iam:GetPolicy iam:GetPolicyVersion iam:ListPolicyVersions "
            "iam:CreatePolicyVersion iam:DeletePolicyVersion iam:ListEntitiesForPolicy",
            _POLICY,
        ),
        # A role that exists is named in the template without its path.
        on(
            "iam:AttachRolePolicy iam:DetachRolePolicy",
            "iam::{account}:role/{guest}",
            "iam::{account}:role/*/{guest}",
            when="own policy",
        ),
    ),
    "AWS::IAM::Policy": (
        on("iam:PutRolePolicy", _ROLE, when="bounded"),
        on("iam:GetRolePolicy iam:DeleteRolePolicy", _ROLE),
    ),
    "AWS::IAM::Role": (
        on("iam:CreateRole iam:PutRolePolicy", _ROLE, when="bounded"),
        on("iam:PutRolePermissionsBoundary", _ROLE, when="boundary"),
        on("iam:AttachRolePolicy iam:DetachRolePolicy", "iam::{account}:role{attaching}", when="known policy"),
        on(
            "iam:GetRole iam:GetRolePolicy iam:ListRolePolicies iam:ListAttachedRolePolicies iam:ListRoleTags "
            "iam:UpdateRole iam:UpdateRoleDescription iam:UpdateAssumeRolePolicy iam:DeleteRolePolicy iam:DeleteRole "
            "iam:TagRole iam:UntagRole",
            _ROLE,
        ),
    ),
    "AWS::KMS::Key": (
        # The second is CreateKey's dependent action; a call of its own has no tags, and so is refused here.
        on("kms:CreateKey kms:PutKeyPolicy", when="tagged ours", why="KMS gives a key its id as it makes it"),
        on(
            "kms:TagResource kms:EnableKeyRotation",
            _KEY,
            when="ours or none",
            why='a key\'s tags take minutes to count (KMS Developer Guide, "ABAC for KMS")',
        ),
        on(
            "kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags kms:PutKeyPolicy "
            "kms:EnableKey kms:DisableKey kms:DisableKeyRotation kms:UpdateKeyDescription kms:UntagResource "
            "kms:ScheduleKeyDeletion",
            _KEY,
            when="ours",
        ),
    ),
    "AWS::Lambda::Function": (
        on(
            "lambda:CreateFunction lambda:GetFunction lambda:DeleteFunction lambda:UpdateFunctionCode "
            "lambda:UpdateFunctionConfiguration lambda:GetFunctionCodeSigningConfig "
            "lambda:GetFunctionRecursionConfig lambda:GetFunctionScalingConfig lambda:GetRuntimeManagementConfig "
            "lambda:ListTags lambda:TagResource lambda:UntagResource",
            _FUNCTION,
        ),
        on("lambda:GetLayerVersion", f"{_LAYER}:*"),
        _ASSETS,
    ),
    "AWS::Lambda::LayerVersion": (
        on("lambda:PublishLayerVersion", _LAYER),
        on("lambda:GetLayerVersion lambda:DeleteLayerVersion", f"{_LAYER}:*"),
        _ASSETS,
    ),
    "AWS::Lambda::Permission": (on("lambda:AddPermission lambda:RemovePermission lambda:GetPolicy", _FUNCTION),),
    "AWS::Logs::LogGroup": (
        on(
            "logs:CreateLogGroup logs:DeleteLogGroup logs:PutRetentionPolicy logs:DeleteRetentionPolicy "
            "logs:AssociateKmsKey logs:DisassociateKmsKey logs:GetDataProtectionPolicy "
            "logs:TagResource logs:UntagResource logs:ListTagsForResource",
            "logs:{region}:{account}:log-group:{AWS::Logs::LogGroup}",
            "logs:{region}:{account}:log-group:{AWS::Logs::LogGroup}:*",
        ),
        on(
            "logs:DescribeLogGroups logs:DescribeResourcePolicies logs:DescribeIndexPolicies",
            why="CloudWatch Logs lists all or nothing",
        ),
    ),
    "AWS::MWAA::Environment": (
        on(
            "airflow:CreateEnvironment airflow:GetEnvironment airflow:UpdateEnvironment airflow:DeleteEnvironment "
            "airflow:TagResource airflow:UntagResource",
            "airflow:{region}:{account}:environment/{AWS::MWAA::Environment}",
        ),
        linked_role("airflow.amazonaws.com"),
        # The rest: MWAA User Guide, "Accessing an Amazon MWAA environment", AmazonMWAAFullApiAccess.
        on(
            "s3:GetEncryptionConfiguration s3:GetBucketLocation s3:ListBucket s3:ListBucketVersions",
            _BUCKET,
            "s3:::{their_bucket}",
        ),
        describe("SecurityGroups Subnets Vpcs RouteTables"),
        ec2("CreateVpcEndpoint", "vpc-endpoint", why=NEW),
        ec2("CreateNetworkInterface", "network-interface", why=NEW),
        ec2("CreateVpcEndpoint", "vpc", "subnet", "security-group", when="ours"),
        ec2("CreateNetworkInterface", "subnet", "security-group", when="ours"),
        on("ec2:CreateVpcEndpoint", THEIR_VPC, THEIR_SUBNET, THEIR_GROUP),
        on("ec2:CreateNetworkInterface", THEIR_SUBNET, THEIR_GROUP),
        on("kms:DescribeKey kms:Encrypt kms:Decrypt kms:ReEncrypt* kms:GenerateDataKey*", "{key}"),
        on("kms:CreateGrant kms:ListGrants kms:RevokeGrant", "{key}", when="for aws"),
    ),
    "AWS::S3::Bucket": (
        on(
            "s3:CreateBucket s3:DeleteBucket s3:ListBucket s3:GetBucket* s3:GetEncryptionConfiguration "
            "s3:GetLifecycleConfiguration s3:GetReplicationConfiguration s3:GetInventoryConfiguration "
            "s3:GetMetricsConfiguration s3:GetAnalyticsConfiguration s3:GetAccelerateConfiguration "
            "s3:GetIntelligentTieringConfiguration s3:PutEncryptionConfiguration s3:PutLifecycleConfiguration "
            "s3:PutBucketPublicAccessBlock s3:PutBucketVersioning s3:PutBucketTagging s3:TagResource s3:UntagResource "
            "s3:ListTagsForResource",
            _BUCKET,
        ),
    ),
    "AWS::S3::BucketPolicy": (on("s3:GetBucketPolicy s3:PutBucketPolicy s3:DeleteBucketPolicy", _BUCKET),),
    "AWS::SNS::Subscription": (
        on("sns:Subscribe", _TOPIC),
        on(
            "sns:Unsubscribe sns:GetSubscriptionAttributes sns:SetSubscriptionAttributes",
            why="SNS knows topics as resources, and no subscriptions",
        ),
    ),
    "AWS::SNS::Topic": (
        on(
            "sns:CreateTopic sns:DeleteTopic sns:GetTopicAttributes sns:SetTopicAttributes sns:TagResource "
            "sns:UntagResource sns:ListTagsForResource sns:ListSubscriptionsByTopic sns:GetDataProtectionPolicy",
            _TOPIC,
        ),
    ),
    "AWS::SNS::TopicPolicy": (on("sns:SetTopicAttributes", _TOPIC),),
    "AWS::SecretsManager::Secret": (
        on(
            "secretsmanager:CreateSecret secretsmanager:DescribeSecret secretsmanager:UpdateSecret "
            "secretsmanager:DeleteSecret secretsmanager:TagResource secretsmanager:UntagResource",
            _SECRET,
        ),
    ),
    "AWS::StepFunctions::StateMachine": (
        on("states:CreateStateMachine", _MACHINE, when="tagged ours"),
        on(
            "states:DescribeStateMachine states:UpdateStateMachine states:DeleteStateMachine states:UntagResource "
            "states:ListTagsForResource",
            _MACHINE,
            when="ours",
        ),
        on("states:TagResource", _MACHINE, when="ours or none"),
    ),
    "Custom::CDKBucketDeployment": (_INVOKE,),
    "Custom::PenstockRelease": (_INVOKE,),
}
"""Resource type → what it needs. `iam:PassRole` is not here: see `Scope.passed`."""
