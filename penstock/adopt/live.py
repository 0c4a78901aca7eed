"""What AWS says about one MWAA environment and what it stands on. Reading calls only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import boto3
import botocore.exceptions
from botocore.config import Config

from penstock.project.problems import nearest
from penstock_runtime.errors import InputError, PenstockError

T = TypeVar("T")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")

_ROLE_READS = (
    "iam:ListRolePolicies",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
)


class Clients(Protocol):
    """Makes boto3 clients, by service."""

    def __call__(self, service: str) -> Any:
        """A client."""


def connect(region: str | None) -> Clients:
    """Clients of one region, with the caller's credentials; None: the region that these come with.

    Raises:
        InputError: there is no region.
    """
    session = boto3.session.Session(region_name=region)
    if session.region_name is None:
        raise InputError("the project names no region", fix="add --region, or a region to the project file")
    # MWAA's `api.` goes before the host on AWS; an endpoint that somebody has set is the whole address.
    own_endpoint = any(name in os.environ for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_MWAA"))
    config = Config(retries={"total_max_attempts": 3}, connect_timeout=10, inject_host_prefix=not own_endpoint)

    def client(service: str) -> Any:
        make: Any = session.client
        return make(service, config=config)

    return client


@dataclass(frozen=True)
class Subnet:
    """One subnet, and where its default route leads."""

    id: str
    vpc: str
    zone: str
    way_out: str | None
    """Target of 0.0.0.0/0: `nat-…`, `igw-…`, `tgw-…`; None: no such route."""


@dataclass(frozen=True)
class Statement:
    """One statement that allows something, and the policy that it is in."""

    policy: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True)
class Live:
    """An MWAA environment. None: the credentials at hand may not look at it (then `unread` says so)."""

    name: str
    account: str
    status: str
    version: str
    bucket: str
    dags: str
    execution_role: str
    """ARN."""
    security_groups: tuple[str, ...]
    logs: dict[str, bool]
    """Module, as `TaskLogs`, to whether it is on."""
    versioned: bool | None = None
    public_access_blocked: bool | None = None
    kms_key: str | None = None
    """ARN of the customer's key that the bucket is encrypted with by default."""
    role: tuple[Statement, ...] | None = None
    subnets: tuple[Subnet, ...] | None = None
    self_referencing: bool | None = None
    """Whether a security group lets its own members in."""
    unread: tuple[str, ...] = field(default=())
    """The permissions that were missing."""


def read(name: str, clients: Clients) -> Live:
    """The environment of that name.

    Raises:
        InputError: there is none of that name in this account and region.
        PenstockError: AWS cannot be reached, or refuses to tell of the environment itself.
    """
    try:
        return _Reader(name, clients).read()
    except botocore.exceptions.NoCredentialsError as error:
        raise PenstockError("there are no AWS credentials", fix="aws configure, or set AWS_PROFILE") from error
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise PenstockError(
            f"AWS does not tell of the environment {name[:80]!r}: {error}",
            fix="check credentials, region and network; it takes airflow:GetEnvironment and airflow:ListEnvironments",
        ) from error


class _Reader:
    def __init__(self, name: str, clients: Clients) -> None:
        self._name, self._clients = name, clients
        self._unread: list[str] = []

    def read(self) -> Live:
        found = self._environment()
        role = str(found["ExecutionRoleArn"])
        bucket = str(found["SourceBucketArn"]).rsplit(":", 1)[-1]
        network = found["NetworkConfiguration"]
        groups = tuple(network["SecurityGroupIds"])
        return Live(
            name=self._name,
            account=role.split(":")[4],
            status=found["Status"],
            version=found["AirflowVersion"],
            bucket=bucket,
            dags=str(found["DagS3Path"]).strip("/"),
            execution_role=role,
            security_groups=groups,
            logs={module: bool(one.get("Enabled")) for module, one in found.get("LoggingConfiguration", {}).items()},
            versioned=self._allowed("s3:GetBucketVersioning", lambda: self._versioned(bucket)),
            public_access_blocked=self._allowed("s3:GetBucketPublicAccessBlock", lambda: self._blocked(bucket)),
            kms_key=self._allowed("s3:GetEncryptionConfiguration", lambda: self._key(bucket)),
            role=self._allowed(
                ", ".join(_ROLE_READS),
                lambda: tuple(self._statements(role.rsplit("/", 1)[-1])),
            ),
            subnets=self._allowed(
                "ec2:DescribeSubnets, ec2:DescribeRouteTables", lambda: self._subnets(network["SubnetIds"])
            ),
            self_referencing=self._allowed("ec2:DescribeSecurityGroups", lambda: self._self_referencing(groups)),
            unread=tuple(self._unread),
        )

    def _environment(self) -> dict[str, Any]:
        mwaa = self._clients("mwaa")
        try:
            found: dict[str, Any] = mwaa.get_environment(Name=self._name)["Environment"]
            return found
        except botocore.exceptions.ParamValidationError as error:
            raise InputError(f"{self._name[:90]!r} cannot be the name of an environment", fix="check it") from error
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in ("ResourceNotFoundException", "NotFound"):
                raise
        pages = mwaa.get_paginator("list_environments").paginate()
        names = [name for page in pages for name in page["Environments"]]
        region = mwaa.meta.region_name
        fix = nearest(self._name, names, kind="environment") if names else "name another region with --region"
        raise InputError(f"there is no MWAA environment {self._name[:80]!r} in {region}", fix=fix)

    def _allowed(self, permission: str, look: Callable[[], T]) -> T | None:
        try:
            return look()
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _DENIED:
                raise
            self._unread.append(permission)
            return None

    def _versioned(self, bucket: str) -> bool:
        return bool(self._clients("s3").get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled")

    def _blocked(self, bucket: str) -> bool:
        try:
            found = self._clients("s3").get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
                raise
            return False
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        return all(found.get(name) for name in names)

    def _key(self, bucket: str) -> str | None:
        """A customer's key only: with AWS's own key, `aws/s3`, whoever may use the bucket may use the key."""
        try:
            found = self._clients("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ServerSideEncryptionConfigurationNotFoundError":
                raise
            return None
        for rule in found["Rules"]:
            named = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
            if named:
                # A bucket may name its key by id or alias; a policy needs the ARN.
                key = self._allowed("kms:DescribeKey", lambda named=named: self._described(named))  # type: ignore[misc]
                return key if key is not None else (named if ":key/" in named else None)
        return None

    def _described(self, key: str) -> str | None:
        found = self._clients("kms").describe_key(KeyId=key)["KeyMetadata"]
        return None if found.get("KeyManager") == "AWS" else str(found["Arn"])

    def _statements(self, role: str) -> Iterator[Statement]:
        iam = self._clients("iam")
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
            for name in page["PolicyNames"]:
                yield from _allowing(name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
            for one in page["AttachedPolicies"]:
                arn = one["PolicyArn"]
                version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
                found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
                yield from _allowing(one["PolicyName"], found["Document"])

    def _subnets(self, ids: list[str]) -> tuple[Subnet, ...]:
        ec2 = self._clients("ec2")
        found = {one["SubnetId"]: one for one in ec2.describe_subnets(SubnetIds=ids)["Subnets"]}
        vpcs = sorted({one["VpcId"] for one in found.values()})
        pages = ec2.get_paginator("describe_route_tables").paginate(Filters=[{"Name": "vpc-id", "Values": vpcs}])
        tables = [table for page in pages for table in page["RouteTables"]]
        return tuple(
            Subnet(one, found[one]["VpcId"], found[one]["AvailabilityZone"], _way_out(one, found[one]["VpcId"], tables))
            for one in ids
        )

    def _self_referencing(self, groups: tuple[str, ...]) -> bool:
        found = self._clients("ec2").describe_security_groups(GroupIds=list(groups))["SecurityGroups"]
        return any(
            pair.get("GroupId") == group["GroupId"]
            for group in found
            for rule in group["IpPermissions"]
            for pair in rule.get("UserIdGroupPairs", [])
        )


def _allowing(policy: str, document: dict[str, Any]) -> Iterator[Statement]:
    for one in _listed(document.get("Statement")):
        if one.get("Effect") == "Allow":
            resources = _listed(one.get("Resource"))
            yield Statement(policy, tuple(_listed(one.get("Action"))), tuple(resources))


def _way_out(subnet: str, vpc: str, tables: list[dict[str, Any]]) -> str | None:
    """The default route of the subnet's own route table, else of its VPC's main one."""
    own = [table for table in tables if any(one.get("SubnetId") == subnet for one in table.get("Associations", []))]
    main = [
        table
        for table in tables
        if table["VpcId"] == vpc and any(one.get("Main") for one in table.get("Associations", []))
    ]
    targets = ("NatGatewayId", "GatewayId", "TransitGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId")
    for table in own or main:
        for route in table.get("Routes", []):
            if route.get("DestinationCidrBlock") == "0.0.0.0/0":
                return next((str(route[target]) for target in targets if route.get(target)), None)
    return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
