"""One MWAA environment and what it stands on, as AWS describes it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Subnet:
    """One subnet, and where its default route leads."""

    id: str
    vpc: str
    zone: str
    way_out: str | None
    """Target of 0.0.0.0/0: `nat-…`, `igw-…`, `tgw-…`, `vpce-…` (a firewall), the ARN of a core network; None: no such
    route."""
    dead: bool = False
    """Whether that target is gone: the route's state is `blackhole`."""


@dataclass(frozen=True)
class Statement:
    """One statement that allows something, and the policy that it is in."""

    policy: str
    actions: tuple[str, ...]
    """As `penstock.aws.policy_statement.actions` reads them; so the resources."""
    resources: tuple[str, ...]
    conditions: frozenset[str] = frozenset()
    """Keys of its conditions, in lower case, as IAM compares them: `kms:viaservice`."""


@dataclass(frozen=True)
class Gone:
    """Something that the environment names, but that no longer exists or cannot be used."""

    what: str
    fix: str


@dataclass(frozen=True)
class Unread:
    """What could not be looked at."""

    permission: str
    """The actions that the look-up takes."""
    why: str = ""
    """Empty: they are missing; else what AWS said, or what kept us from asking."""


@dataclass(frozen=True)
class Live:
    """An MWAA environment. None: it could not be looked at (then `unread` says why), or it is gone (`gone`)."""

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
    """By the bucket's own settings, the account's, or both together."""
    kms_key: str | None = None
    """ARN of the customer's key that the bucket is encrypted with by default."""
    role: tuple[Statement, ...] | None = None
    subnets: tuple[Subnet, ...] | None = None
    self_referencing: bool | None = None
    """Whether a security group lets its own members in."""
    gone: tuple[Gone, ...] = field(default=())
    unread: tuple[Unread, ...] = field(default=())
