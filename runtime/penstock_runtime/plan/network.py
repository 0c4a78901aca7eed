"""What a plan says of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AGENT_REGIONS = (
    "ap-east-2",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eusc-de-east-1",
    "mx-central-1",
)
"""Regions since December 2023, where ECS's own agent uses the VPC's endpoints `ecs`, `ecs-agent` and `ecs-telemetry`.
Source: Amazon ECS Developer Guide, "Amazon ECS interface VPC endpoints", considerations."""


@dataclass(frozen=True)
class Network:
    """Where tasks and MWAA run: a network that Penstock creates, or one that exists."""

    cidr: str | None
    """IPv4 range of the VPC to create; None: use `vpc`."""
    egress: Literal["nat", "endpoints"] | None
    """What the VPC to create reaches: the internet through NAT gateways, or `endpoints` and nothing else."""
    vpc: str | None = None
    private_subnets: tuple[str, ...] = ()
    """MWAA's, exactly two."""
    task_subnets: tuple[str, ...] = ()
    """Of tasks that name none of their own; empty: the private ones."""
    assign_public_ip: bool = False
    """Whether tasks in `task_subnets` get a public address."""
    task_security_groups: tuple[str, ...] = ()
    """Empty: one is made."""
    airflow_security_groups: tuple[str, ...] = ()
    """Empty: one is made."""
    endpoint_security_groups: tuple[str, ...] = ()
    """Of the endpoints of MWAA's database and web server, where MWAA does not make them; empty: MWAA's."""
    shared: bool = False
    """Whether `vpc` is another account's, whose owner alone makes endpoints in it."""
    endpoint_role: str | None = None
    """ARN of the owner's role that makes them; None: the owner does, by hand."""
    nat_gateways: int = 2
    """1: one for both zones."""
    endpoints: tuple[str, ...] = ()
    """Services that get a VPC endpoint, besides S3: the name of each behind `com.amazonaws.<region>.`."""
    trusted_accounts: tuple[str, ...] = ()
    """Accounts whose principals may use the endpoints, besides the plan's own."""
    flow_log_days: int | None = 30
    """Retention of the flow log of the VPC to create; None: there is none."""
    zones: tuple[str, ...] = ()
    """The two availability zones of the VPC to create; empty: the region's first two."""
