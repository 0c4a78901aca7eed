"""The network that tasks and MWAA run in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from penstock.aws import arns
from penstock.project.schema.model import Strict
from penstock.project.schema.patterns import worded_pattern

MAX_SUBNETS = 16
"""Subnets of one RunTask. Source: Amazon ECS API Reference, AwsVpcConfiguration."""
MAX_SECURITY_GROUPS = 5
"""Of one RunTask (the same page), and of an environment of MWAA (API Reference, NetworkConfiguration)."""

SubnetIds = Annotated[list[str], Field(min_length=1, max_length=MAX_SUBNETS)]
MAX_MORE_ENDPOINTS = 30
"""A VPC takes 50 interface endpoints (AWS PrivateLink Guide, quotas), and up to 15 are our own."""
ACCOUNT = worded_pattern(
    "^[0-9]{12}$", "the number of an AWS account", 'write its twelve digits in quotes: "111122223333"'
)
_ROLE = worded_pattern(
    f"^{arns.ROLE}$",
    "the ARN of a role",
    "write arn:aws:iam::<account>:role/<name>",
)
_HOST = worded_pattern(
    r"^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?$",
    "the name of a host",
    "write catalog.acme.io, or *.acme.io for all below it, without https:// and port",
)
_VPC = worded_pattern(f"^vpc-{arns.ID}$", "the id of a VPC", "write vpc- and 8 or 17 hex digits")
GroupName = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"


class FlowLogs(Strict):
    """A record of the connections in the VPC, in CloudWatch Logs."""

    enabled: bool = True
    """Whether to keep one."""
    retention_days: int = 30
    """How long, in days; one of those that CloudWatch Logs knows, such as 7, 30, 90, 365."""


class CreateNetwork(Strict):
    """A VPC over two zones, with a private subnet in each for tasks and MWAA."""

    cidr: str = "10.20.0.0/16"
    """IPv4 range, /16 to /24, that no network overlaps which this one is to be connected with."""
    zones: list[str] | None = Field(None, min_length=2, max_length=2)
    """Names of the two availability zones, such as `[eu-west-1a, eu-west-1c]`: where the region's first two lack a
    service, or others are nearer to your sources. Default: the first two that the account has. Cannot change later."""
    egress: Literal["nat", "endpoints"] = "nat"
    """What can be reached from it. `nat`: the internet, through NAT gateways. `endpoints`: the AWS services that MWAA
    and the tasks need, through VPC endpoints, and nothing else: images must be in ECR of the same region, and a
    source or catalogue outside needs a connection of your own to the VPC."""
    nat_gateways: int | None = Field(None, ge=1, le=2)
    """`egress: nat` only. 2 (default): one in each zone. 1: one for both, at half the price; with its zone the
    way out of the other one fails too."""
    more_endpoints: list[str] = Field(default_factory=list, max_length=MAX_MORE_ENDPOINTS)
    """`egress: endpoints` only: further AWS services that tasks call, by the part of the endpoint's name behind
    `com.amazonaws.<region>.`, such as `glue` or `redshift-data`."""
    without_endpoints: list[str] = Field(default_factory=list)
    """`egress: endpoints` only: services to make no endpoint for, where the region does not offer one, a route of your
    own leads there, or the environment does without it. A warning says what fails where nothing leads there."""
    trusted_accounts: list[Annotated[str, Field(pattern=ACCOUNT)]] = Field(default_factory=list, max_length=20)
    """`egress: endpoints` only: further AWS accounts, such as that of a data lake, whose roles may be used through the
    endpoints of S3, ECS, STS, Secrets Manager and SSM; those of this account always may. Twelve digits, in quotes."""
    private_hosts: list[Annotated[str, Field(pattern=_HOST, max_length=253)]] = Field(
        default_factory=list, max_length=100
    )
    """`egress: endpoints` only: hosts with public names that lead to private addresses in this VPC, such as
    `catalog.acme.io`, or `*.acme.io` for all below a domain. A host that nothing tells to be private is an error."""
    flow_logs: FlowLogs = FlowLogs()
    """A record of the connections in the VPC."""


class SubnetGroup(Strict):
    """Subnets under a name, for the tasks that ask for it."""

    subnets: SubnetIds
    """Ids of 1 to 16 subnets of the VPC."""
    assign_public_ip: bool = False
    """Whether tasks in them get a public address: needed in public subnets, which no NAT gateway serves."""


class SharedVpc(Strict):
    """A VPC of another account, shared by AWS RAM; see docs/shared-vpc.md. Its owner makes a role and a security group
    for us, or the endpoints of MWAA by hand: then write `{}`. Goes with `airflow.create.endpoint_management: customer`.
    """

    role: str | None = Field(None, pattern=_ROLE, max_length=600)
    """ARN of the role in the owner's account that may make the endpoints of MWAA's database and web server. Default:
    none; the owner makes them while the environment waits, for up to 72 hours."""
    security_groups: list[str] = Field(default_factory=list, max_length=MAX_SECURITY_GROUPS)
    """With `role`: ids of the owner's security groups for these endpoints, 1 to 5; one must let MWAA's in, on 5432 and
    443."""


class UseNetwork(Strict):
    """A network that exists."""

    vpc: str = Field(pattern=_VPC)
    """Its id: `vpc-…`."""
    private_subnets: list[str] = Field(min_length=2, max_length=2)
    """Ids of exactly two private subnets in two zones (MWAA needs two)."""
    task_subnets: list[str] = Field(default_factory=list, max_length=MAX_SUBNETS)
    """Ids of the subnets for tasks, at most 16. Default: the private subnets."""
    assign_public_ip: bool = False
    """Whether tasks in `task_subnets` get a public address: needed in public subnets, which no NAT gateway serves."""
    subnet_groups: dict[str, SubnetGroup] = Field(
        default_factory=dict, json_schema_extra={"propertyNames": {"pattern": GroupName}}
    )
    """Name → other subnets, for the tasks that name the group in `subnets`."""
    shared_by: SharedVpc | None = None
    """Who owns the VPC, where that is another account."""
    security_groups: list[str] = Field(default_factory=list, max_length=MAX_SECURITY_GROUPS)
    """Ids of security groups for tasks and MWAA both, at most 5; one of them must let its own members in (MWAA's
    rule). Default: Penstock makes one for the tasks, which lets nobody in, and one for MWAA, which lets in itself."""
    task_security_groups: list[str] = Field(default_factory=list, max_length=MAX_SECURITY_GROUPS)
    """Instead of `security_groups`: those of the tasks alone. Default: Penstock makes one."""
    airflow_security_groups: list[str] = Field(default_factory=list, max_length=MAX_SECURITY_GROUPS)
    """Instead of `security_groups`: those of MWAA alone; one must let its own members in. Default: as above."""


class Network(Strict):
    """Exactly one of `create` and `use`."""

    create: CreateNetwork | None = None
    """A network that Penstock creates."""
    use: UseNetwork | None = None
    """A network that exists."""
