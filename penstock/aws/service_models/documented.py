"""What a service's model says in words only: limits that are not a pattern, an enumeration or a length of it.

Each with the words of the member's documentation in botocore 1.43.106, looked at on 2026-11-30; a test reads them again
in the version at hand. Where it is a user guide that says it, the guide is named instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from penstock.aws.cloudwatch import RETENTION_DAYS
from penstock_runtime.plan.iam_limits import MAX_POLICY_CHARACTERS


@dataclass(frozen=True)
class Limit:
    """What a member takes besides what its shape says."""

    says: str
    """Words of its documentation; or `Guide: …`, the page that says it."""
    pattern: str | None = None
    """The whole of the value, or of each member of a list."""
    most: int | None = None
    """Characters."""
    words: str | None = None
    """As the service refuses it, where its words are known."""


_GROUP_TEXT = r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]*"
_GROUP_SET = "a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+="
_RULE = Limit(
    _GROUP_SET,
    _GROUP_TEXT,
    255,
    "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  "
    "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
)
_NAME = Limit("Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens", r"[a-zA-Z0-9_-]{1,255}")
_BLOCK = r"(\d{1,3}\.){3}\d{1,3}"
_NETWORK = Limit("Guide: Amazon VPC User Guide, VPC CIDR blocks: between /16 and /28", rf"{_BLOCK}/(1[6-9]|2[0-8])")
_TEXT = r"[ -~]*[!-~][ -~]*"
_MOUNT_OPTIONS = (
    "defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand atime noatime diratime "
    "nodiratime bind rbind unbindable runbindable private rprivate shared rshared slave rslave relatime norelatime "
    "strictatime nostrictatime mode uid gid nr_inodes nr_blocks mpol"
)

DOCUMENTED: dict[tuple[str, str, str], Limit] = {
    ("cloudwatch", "Dimension", "Name"): Limit("must contain only ASCII characters", rf"(?!:){_TEXT}"),
    ("cloudwatch", "Dimension", "Value"): Limit("must contain only ASCII characters", _TEXT),
    ("cloudwatch", "PutDashboardInput", "DashboardName"): Limit("The maximum length is 255", r"[A-Za-z0-9_-]{1,255}"),
    ("cloudwatch", "PutMetricAlarmInput", "AlarmName"): Limit("ASCII control characters", r"[^\x00-\x1f\x7f]*"),
    ("cloudwatch", "PutMetricAlarmInput", "Period"): Limit(
        "Valid values are 10, 20, 30, and any multiple of 60", r"10|20|30|[1-9]\d*"
    ),
    ("cloudwatch", "PutMetricAlarmInput", "TreatMissingData"): Limit(
        "breaching | notBreaching | ignore | missing", "breaching|notBreaching|ignore|missing"
    ),
    ("ec2", "CreateSecurityGroupRequest", "Description"): Limit(
        _GROUP_SET,
        _GROUP_TEXT,
        255,
        "Invalid security group description. Valid descriptions are strings less than 256 characters from the "
        "following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
    ),
    ("ec2", "CreateSecurityGroupRequest", "GroupName"): Limit(_GROUP_SET, rf"(?!sg-){_GROUP_TEXT}", 255),
    ("ec2", "IpRange", "Description"): _RULE,
    ("ec2", "UserIdGroupPair", "Description"): _RULE,
    ("ec2", "IpRange", "CidrIp"): Limit("To specify a single IPv4 address, use the /32 prefix", rf"{_BLOCK}/\d{{1,2}}"),
    ("ec2", "IpPermission", "IpProtocol"): Limit("or number", r"tcp|udp|icmp|icmpv6|-1|\d{1,3}"),
    ("ec2", "CreateVpcRequest", "CidrBlock"): _NETWORK,
    ("ec2", "CreateSubnetRequest", "CidrBlock"): _NETWORK,
    ("ec2", "CreateRouteRequest", "DestinationCidrBlock"): Limit("The IPv4 CIDR address block", rf"{_BLOCK}/\d{{1,2}}"),
    ("ec2", "CreateFlowLogsRequest", "MaxAggregationInterval"): Limit("60 seconds (1 minute) or 600", "60|600"),
    ("ec2", "Tag", "Key"): Limit("May not begin with", r"(?!aws:)[\s\S]*", 128),
    ("ec2", "Tag", "Value"): Limit("a maximum of 256 Unicode characters", None, 256),
    ("ecr", "CreatePullThroughCacheRuleRequest", "upstreamRegistryUrl"): Limit(
        "registry-1.docker.io",
        r"public\.ecr\.aws|registry-1\.docker\.io|ghcr\.io|registry\.gitlab\.com|registry\.k8s\.io|quay\.io|"
        r"[a-z0-9-]+\.azurecr\.io|\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?",
    ),
    ("ecs", "CreateClusterRequest", "clusterName"): _NAME,
    ("ecs", "ClusterSetting", "value"): Limit("enhanced", "enhanced|enabled|disabled"),
    ("ecs", "ContainerDefinition", "name"): _NAME,
    ("ecs", "ContainerDefinition", "image"): Limit(
        "up to 255 characters total are allowed", r"[A-Za-z0-9_.:/#-]{1,255}(@sha256:[A-Fa-f0-9]{64})?"
    ),
    ("ecs", "ContainerDefinition", "stopTimeout"): Limit(
        "the max stop timeout value is 120 seconds", r"\d{1,2}|1[01]\d|120"
    ),
    ("ecs", "EphemeralStorage", "sizeInGiB"): Limit("maximum supported value is", r"2[1-9]|[3-9]\d|1\d\d|200"),
    ("ecs", "RegisterTaskDefinitionRequest", "family"): _NAME,
    ("ecs", "Tmpfs", "mountOptions"): Limit(
        "nr_inodes", "|".join(_MOUNT_OPTIONS.split())
    ),
    ("events", "PutRuleRequest", "ScheduleExpression"): Limit("rate(5 minutes)", r"(rate|cron)\(.+\)"),
    ("iam", "CreatePolicyRequest", "PolicyDocument"): Limit(
        "Guide: IAM User Guide, IAM and AWS STS quotas, size of a managed policy", None, MAX_POLICY_CHARACTERS
    ),
    ("lambda", "CreateFunctionRequest", "Timeout"): Limit("maximum allowed value is 900", r"[1-9]\d?|[1-8]\d\d|900"),
    ("logs", "PutRetentionPolicyRequest", "retentionInDays"): Limit(
        "Possible values are: 1, 3, 5", "|".join(map(str, RETENTION_DAYS))
    ),
    ("mwaa", "CreateEnvironmentInput", "EnvironmentClass"): Limit(
        "mw1.2xlarge", r"mw1\.(micro|small|medium|large|xlarge|2xlarge)"
    ),
    ("s3", "CreateBucketRequest", "Bucket"): Limit(
        "Guide: Amazon S3 User Guide, General purpose bucket naming rules",
        r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    ),
    ("s3", "LifecycleRule", "ID"): Limit("cannot be longer than 255 characters", None, 255),
    ("s3", "Tag", "Key"): Limit("Guide: Amazon S3 User Guide, Using cost allocation S3 bucket tags", None, 128),
    ("s3", "Tag", "Value"): Limit("Guide: Amazon S3 User Guide, Using cost allocation S3 bucket tags", None, 256),
    ("secretsmanager", "CreateSecretRequest", "Name"): Limit(
        "can contain ASCII letters, numbers", r"[A-Za-z0-9/_+=.@-]+"
    ),
    ("sns", "CreateTopicInput", "Name"): Limit(
        "must be between 1 and 256 characters long", r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo"
    ),
    ("sns", "AWS::SNS::Topic", "DisplayName"): Limit("Guide: Amazon SNS Developer Guide, Creating a topic", None, 100),
    ("sns", "SubscribeInput", "Protocol"): Limit(
        "Supported protocols include", "https?|email|email-json|sms|sqs|application|lambda|firehose"
    ),
    ("stepfunctions", "CreateStateMachineInput", "name"): Limit(
        "wildcard characters", r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ufffe\uffff]*"
    ),
}  # fmt: skip
"""Service, shape and member → the limit; of one value among the attributes of a call, type and property."""
