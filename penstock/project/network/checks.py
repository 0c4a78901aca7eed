"""What types cannot say about the network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from penstock.aws import arns
from penstock.project.document.problems import nearest
from penstock.project.network.model import ID, CreateNetwork, GroupName, UseNetwork

if TYPE_CHECKING:
    from penstock.project.checks import Checks

AIRFLOW_ENDPOINTS = ("airflow.api", "airflow.env", "airflow.ops", "kms", "logs", "monitoring", "sqs")
"""What MWAA calls in a VPC without internet, besides S3, whatever the access mode of its web server.
Source: Amazon MWAA User Guide, "Creating the required VPC service endpoints in an Amazon VPC with private routing"."""
COMMERCIAL_ENDPOINTS = ("airflow.ops",)
"""Of these, what there is in AWS's commercial partition only.
Source: awslabs/aws-support-tools, `MWAA/verify_env/verify_env.py`."""
TASK_ENDPOINTS = ("ecr.api", "ecr.dkr", "ecs", "sts")
"""What starts our tasks and what these call: ECR for images (Amazon ECS Developer Guide, "Migrating to Linux platform
version 1.4.0"), ECS for the operator, STS for roles that a task takes on. Logs are in the other list."""
SECRET_ENDPOINTS = {"secretsmanager": "secretsmanager", "ssm": "ssm"}
"""A store of secrets → the service that ECS reads it from (same page)."""
AGENT_ENDPOINTS = ("ecs-agent", "ecs-telemetry")
"""What ECS asks for as well in `AGENT_REGIONS`."""

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827),
    *(2192, 2557, 2922, 3288, 3653),
)
"""Source: Amazon CloudWatch Logs API Reference, PutRetentionPolicy."""
REFUSED_RANGES = tuple(map(ipaddress.IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")))
"""No host of a network of one's own can have such an address (IANA, special-purpose and multicast registries)."""


def check_network(checks: Checks) -> None:
    """Exactly one network; ids that look like ids, each once; a range that fits; settings that belong together."""
    network = checks.settings.network
    if (network.create is None) == (network.use is None):
        checks.add("network wants exactly one of `create` and `use`", "keep one of them", "network")
    if network.create is not None:
        _check_create(checks, network.create)
    if network.use is not None:
        _check_use(checks, network.use)
        _check_owner(checks, network.use)
        _check_tasks(checks, network.use)


def _check_create(checks: Checks, create: CreateNetwork) -> None:
    here = ("network", "create")
    _check_cidr(checks, create.cidr)
    _check_zones(checks, create.zones or ())
    if create.flow_logs.retention_days not in RETENTION_DAYS:
        what = f"CloudWatch Logs cannot keep a log for {create.flow_logs.retention_days} days"
        checks.add(what, f"use one of: {', '.join(map(str, RETENTION_DAYS))}", *here, "flow_logs", "retention_days")
    if create.egress == "endpoints":
        if create.nat_gateways is not None:
            checks.add(
                "a network with `egress: endpoints` has no NAT gateway",
                "remove nat_gateways, or write egress: nat",
                *here,
                "nat_gateways",
                key=True,
            )
        _check_endpoints(checks, create)
        return
    for name in ("more_endpoints", "without_endpoints", "trusted_accounts", "private_hosts"):
        if getattr(create, name):
            fix = f"remove {name}, or write egress: endpoints"
            checks.add("a network with `egress: nat` reaches services over the internet", fix, *here, name, key=True)


def _check_endpoints(checks: Checks, create: CreateNetwork) -> None:
    made = (*AIRFLOW_ENDPOINTS, *TASK_ENDPOINTS, *SECRET_ENDPOINTS.values(), *AGENT_ENDPOINTS)
    for index, name in enumerate(create.more_endpoints):
        path = ("network", "create", "more_endpoints", index)
        if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", name) or len(name) > 60 or name.startswith("com."):
            fix = "write the part of its name behind com.amazonaws.<region>. such as glue"
            checks.add(f"{name[:60]!r} is no service with an endpoint", fix, *path)
        elif name == "s3express":
            # Amazon S3 User Guide, "Networking for directory buckets": a gateway endpoint, of a kind of its own.
            fix = "remove it, and make that endpoint yourself in the VPC"
            checks.add("S3 Express has a gateway endpoint only, which Penstock does not make", fix, *path)
        elif name == "s3" or name in (*AIRFLOW_ENDPOINTS, *TASK_ENDPOINTS):
            checks.add(f"the endpoint of {name} is made anyway", "remove it", *path)
        elif name in create.more_endpoints[:index]:
            checks.add(f"{name!r} is there twice", "remove one", *path)
    for index, name in enumerate(create.without_endpoints):
        path = ("network", "create", "without_endpoints", index)
        if name in create.more_endpoints:
            what = f"the endpoint of {name[:60]} is both asked for, in more_endpoints, and left out"
            checks.add(what, "remove it from one of the two", *path)
        elif name not in made:
            fix = nearest(name, made, kind="endpoint")
            checks.add(f"no endpoint of {name[:60]!r} would be made", fix, *path)


def _check_zones(checks: Checks, zones: Sequence[str]) -> None:
    """A zone's name is the region's and a letter; local and Wavelength zones, whose names are longer, take no MWAA.

    Source: Amazon EC2 User Guide, "Regions and Zones".
    """
    region = checks.settings.region
    for index, zone in enumerate(zones):
        path = ("network", "create", "zones", index)
        if not re.fullmatch(rf"{re.escape(region)}[a-z]", zone):
            checks.add(f"{zone[:40]!r} is no availability zone of {region}", f"write one such as {region}a", *path)
        elif zone in zones[:index]:
            checks.add(f"{zone} is there twice", "MWAA wants two: name another", *path)


def _check_cidr(checks: Checks, cidr: str) -> None:
    """Source of /16: Amazon VPC User Guide, "VPC CIDR blocks" (which takes /28 too).

    In a /24, halved for each zone and again for the public part, a private subnet has 59 addresses: one each for up
    to 14 endpoints, for the scheduler, web server and workers of MWAA (40 of all together, twice while it replaces
    workers, in two zones), and for each task that runs. A /25 has 27, which an update of MWAA can use up.
    """
    path = ("network", "create", "cidr")
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        checks.add(f"no IPv4 range: {str(error)[:100]}", "write one such as 10.20.0.0/16", *path)
        return
    if not 16 <= network.prefixlen <= 24:
        checks.add(f"a /{network.prefixlen} network is not possible here", "use /16 to /24", *path)
    if any(network.overlaps(refused) for refused in REFUSED_RANGES):
        fix = "use a private range, such as one in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
        checks.add(f"{cidr} is no range for a network of one's own", fix, *path)


def _check_use(checks: Checks, use: UseNetwork) -> None:
    here = ("network", "use")
    for kind in ("private_subnets", "task_subnets"):
        _check_ids(checks, "subnet", getattr(use, kind), *here, kind)
    for name, group in use.subnet_groups.items():
        if not re.fullmatch(GroupName, name):
            fix = "use at most 40 letters, digits, `_` and `-`"
            checks.add(
                f"{name[:60]!r} cannot be the name of a group of subnets", fix, *here, "subnet_groups", name, key=True
            )
        _check_ids(checks, "subnet", group.subnets, *here, "subnet_groups", name, "subnets")
        _check_public(checks, use, group.assign_public_ip, group.subnets, *here, "subnet_groups", name)
    _check_public(checks, use, use.assign_public_ip, use.task_subnets, *here)
    for kind in ("security_groups", "task_security_groups", "airflow_security_groups"):
        _check_ids(checks, "sg", getattr(use, kind), *here, kind)
        if kind != "security_groups" and use.security_groups and getattr(use, kind):
            what = f"`security_groups` are those of tasks and MWAA both, so `{kind}` has no place beside them"
            checks.add(what, "write task_security_groups and airflow_security_groups", *here, kind, key=True)


def _check_owner(checks: Checks, use: UseNetwork) -> None:
    """A VPC that another account shares: its role, its groups, and MWAA told that it cannot make endpoints there."""
    if use.shared_by is None:
        return
    here = ("network", "use", "shared_by")
    _check_ids(checks, "sg", use.shared_by.security_groups, *here, "security_groups")
    role, groups = use.shared_by.role, use.shared_by.security_groups
    if (role is None) != (not groups):
        what = "the role makes endpoints with security groups of the owner's, and there are none"
        fix = "name them in security_groups"
        if role is None:
            what, fix = "these are for endpoints that a role of the owner's makes, and there is none", "add role, or "
            fix += "remove security_groups: the owner, who makes the endpoints by hand, chooses them"
        checks.add(what, fix, *here, "security_groups" if role is None else "role", key=True)
    if role is not None and role.split(":")[4] == checks.settings.account:
        fix = "leave shared_by out: the VPC is this account's own"
        checks.add("the role is in the account of the deploy", fix, *here, "role")
    if role is not None and (wrong := arns.wrong_partition(role, checks.settings.region)):
        checks.add(*wrong, *here, "role")
    create = checks.settings.airflow.create
    if create is not None and create.endpoint_management != "customer":
        fix = "add endpoint_management: customer to airflow.create"
        checks.add("MWAA cannot make endpoints in a VPC of another account", fix, *here, key=True)


def _check_public(checks: Checks, use: UseNetwork, public: bool, subnets: Sequence[str], *path: Any) -> None:
    """A public address is of use in a public subnet only, and MWAA's are private."""
    if public and (not subnets or set(subnets) & set(use.private_subnets)):
        checks.add(
            "a public address leads nowhere from the private subnets of MWAA",
            "name public subnets in task_subnets, or in a group of subnet_groups, and no private one",
            *path,
            "assign_public_ip",
        )


def _check_ids(checks: Checks, prefix: str, ids: Sequence[str], *path: Any) -> None:
    for index, one in enumerate(ids):
        if not re.fullmatch(rf"{prefix}-{ID}", one):
            checks.add(f"{one[:60]!r} is no id of AWS", f"write {prefix}- and 8 or 17 hex digits", *path, index)
        elif one in ids[:index]:
            checks.add(f"{one} is there twice", "name another, or remove it", *path, index)


def _check_tasks(checks: Checks, use: UseNetwork) -> None:
    """Each task's group of subnets is one of the network's."""
    settings = checks.settings
    named: list[tuple[str | None, tuple[str | int, ...]]] = [
        (settings.defaults.task.subnets, ("defaults", "task", "subnets"))
    ]
    for job, one in settings.jobs.items():
        named += [(task.subnets, ("jobs", job, "tasks", index, "subnets")) for index, task in enumerate(one.tasks)]
    for name, path in named:
        if name is not None and name not in use.subnet_groups:
            fix = nearest(name, use.subnet_groups, kind="group in network.use.subnet_groups")
            checks.add(f"there is no group of subnets {name[:60]!r}", fix, *path)
