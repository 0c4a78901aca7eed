"""The network that tasks and MWAA run in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from penstock.project.strict import Strict

ID = "(?:[0-9a-f]{8}|[0-9a-f]{17})"
"""The part of an id of AWS behind its prefix: `0a1b2c3d` of `vpc-0a1b2c3d`."""


class CreateNetwork(Strict):
    """A VPC with two public and two private subnets."""

    cidr: str = "10.20.0.0/16"
    """IPv4 range, /16 to /24."""
    egress: Literal["nat"] = "nat"
    """How tasks reach the internet: through a NAT gateway."""


class UseNetwork(Strict):
    """A network that exists."""

    vpc: str = Field(pattern=f"^vpc-{ID}$")
    """Its id: `vpc-…`."""
    private_subnets: list[str] = Field(min_length=2, max_length=2)
    """Ids of exactly two private subnets in two zones (MWAA wants two)."""
    security_groups: list[str] = Field(default_factory=list, max_length=4)
    """Ids of security groups for the tasks and MWAA, besides the one that Penstock makes."""


class Network(Strict):
    """Exactly one of `create` and `use`."""

    create: CreateNetwork | None = None
    """A network that Penstock creates."""
    use: UseNetwork | None = None
    """A network that exists."""
