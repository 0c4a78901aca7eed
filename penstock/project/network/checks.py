"""What types cannot say about the network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Any

from penstock.aws.arns import ID
from penstock.aws.cloudwatch import RETENTION_DAYS
from penstock.aws.endpoints import AGENT_ENDPOINTS, AIRFLOW_ENDPOINTS, SECRET_ENDPOINTS, TASK_ENDPOINTS
from penstock.problem import Problem
from penstock.project.document.problems import nearest
from penstock.project.network.model import CreateNetwork, GroupName, Network, UseNetwork

REFUSED_RANGES = tuple(map(ipaddress.IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")))
"""No host of such a network can have such an address (IANA, special-purpose and multicast registries)."""


def check_network(network: Network, region: str) -> Iterator[Problem]:
    """Exactly one network; ids that look like ids, each once; a range that fits; settings that belong together."""
    if (network.create is None) == (network.use is None):
        yield Problem("network must have exactly one of `create` and `use`", "keep one of them", ("network",))
    if network.create is not None:
        yield from _check_create(network.create, region)
    if network.use is not None:
        yield from _check_use(network.use)


def _check_create(create: CreateNetwork, region: str) -> Iterator[Problem]:
    here = ("network", "create")
    yield from _check_cidr(create.cidr)
    yield from _check_zones(create.zones or (), region)
    if create.flow_logs.retention_days not in RETENTION_DAYS:
        what = f"CloudWatch Logs cannot keep a log for {create.flow_logs.retention_days} days"
        yield Problem(
            what, f"use one of: {', '.join(map(str, RETENTION_DAYS))}", (*here, "flow_logs", "retention_days")
        )
    if create.egress == "endpoints":
        if create.nat_gateways is not None:
            yield Problem(
                "a network with `egress: endpoints` has no NAT gateway",
                "remove nat_gateways, or write egress: nat",
                (*here, "nat_gateways"),
                at_key=True,
            )
        yield from _check_endpoints(create)
        return
    for name in ("more_endpoints", "without_endpoints", "trusted_accounts", "private_hosts"):
        if getattr(create, name):
            fix = f"remove {name}, or write egress: endpoints"
            yield Problem(
                "a network with `egress: nat` reaches services over the internet", fix, (*here, name), at_key=True
            )


def _check_endpoints(create: CreateNetwork) -> Iterator[Problem]:
    own_endpoints = (*AIRFLOW_ENDPOINTS, *TASK_ENDPOINTS, *SECRET_ENDPOINTS.values(), *AGENT_ENDPOINTS)
    for index, name in enumerate(create.more_endpoints):
        path = ("network", "create", "more_endpoints", index)
        if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", name) or len(name) > 60 or name.startswith("com."):
            fix = "write the part of its name behind com.amazonaws.<region>. such as glue"
            yield Problem(f"{name[:60]!r} is not a service with an endpoint", fix, path)
        elif name == "s3express":
            # Amazon S3 User Guide, "Networking for directory buckets": a gateway endpoint, of a kind of its own.
            fix = "remove it, and make that endpoint yourself in the VPC"
            yield Problem("S3 Express has a gateway endpoint only, which Penstock does not make", fix, path)
        elif name == "s3" or name in (*AIRFLOW_ENDPOINTS, *TASK_ENDPOINTS):
            yield Problem(f"the endpoint of {name} is made anyway", "remove it", path)
        elif name in create.more_endpoints[:index]:
            yield Problem(f"{name!r} is listed twice", "remove one", path)
    for index, name in enumerate(create.without_endpoints):
        path = ("network", "create", "without_endpoints", index)
        if name in create.more_endpoints:
            what = f"the endpoint of {name[:60]} is both asked for, in more_endpoints, and left out"
            yield Problem(what, "remove it from one of the two", path)
        elif name not in own_endpoints:
            fix = nearest(name, own_endpoints, kind="endpoint")
            yield Problem(f"no endpoint of {name[:60]!r} would be made", fix, path)


def _check_zones(zones: Sequence[str], region: str) -> Iterator[Problem]:
    """A zone's name is the region's and a letter; local and Wavelength zones, whose names are longer, take no MWAA.

    Source: Amazon EC2 User Guide, "Regions and Zones".
    """
    for index, zone in enumerate(zones):
        path = ("network", "create", "zones", index)
        if not re.fullmatch(rf"{re.escape(region)}[a-z]", zone):
            yield Problem(
                f"{zone[:40]!r} is not an availability zone of {region}", f"write one such as {region}a", path
            )
        elif zone in zones[:index]:
            yield Problem(f"{zone} is listed twice", "MWAA needs two: name another", path)


def _check_cidr(cidr: str) -> Iterator[Problem]:
    """Source of /16: Amazon VPC User Guide, "VPC CIDR blocks" (which takes /28 too).

    In a /24, halved for each zone and again for the public part, a private subnet has 59 addresses: one each for up
    to 14 endpoints, for the scheduler, web server and workers of MWAA (40 of all together, twice while it replaces
    workers, in two zones), and for each task that runs. A /25 has 27, which an update of MWAA can use up.
    """
    path = ("network", "create", "cidr")
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        yield Problem(f"not an IPv4 range: {str(error)[:100]}", "write one such as 10.20.0.0/16", path)
        return
    if not 16 <= network.prefixlen <= 24:
        yield Problem(f"a /{network.prefixlen} network is not possible here", "use /16 to /24", path)
    if any(network.overlaps(refused) for refused in REFUSED_RANGES):
        fix = "use a private range, such as one in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
        yield Problem(f"{cidr} is not a range that a network can have", fix, path)


def _check_use(use: UseNetwork) -> Iterator[Problem]:
    here = ("network", "use")
    for kind in ("private_subnets", "task_subnets"):
        yield from check_ids("subnet", getattr(use, kind), *here, kind)
    for name, group in use.subnet_groups.items():
        if not re.fullmatch(GroupName, name):
            fix = "use at most 40 letters, digits, `_` and `-`"
            yield Problem(
                f"{name[:60]!r} cannot be the name of a group of subnets",
                fix,
                (*here, "subnet_groups", name),
                at_key=True,
            )
        yield from check_ids("subnet", group.subnets, *here, "subnet_groups", name, "subnets")
        yield from _check_public(use, group.assign_public_ip, group.subnets, *here, "subnet_groups", name)
    yield from _check_public(use, use.assign_public_ip, use.task_subnets, *here)
    for kind in ("security_groups", "task_security_groups", "airflow_security_groups"):
        yield from check_ids("sg", getattr(use, kind), *here, kind)
        if kind != "security_groups" and use.security_groups and getattr(use, kind):
            what = f"`security_groups` are those of tasks and MWAA both, so `{kind}` has no place beside them"
            yield Problem(what, "write task_security_groups and airflow_security_groups", (*here, kind), at_key=True)


def _check_public(use: UseNetwork, public: bool, subnets: Sequence[str], *path: Any) -> Iterator[Problem]:
    """A public address is of use in a public subnet only, and MWAA's are private."""
    if public and (not subnets or set(subnets) & set(use.private_subnets)):
        yield Problem(
            "a public address leads nowhere from the private subnets of MWAA",
            "name public subnets in task_subnets, or in a group of subnet_groups, and no private one",
            (*path, "assign_public_ip"),
        )


def check_ids(prefix: str, ids: Sequence[str], *path: Any) -> Iterator[Problem]:
    for index, id_ in enumerate(ids):
        if not re.fullmatch(rf"{prefix}-{ID}", id_):
            yield Problem(f"{id_[:60]!r} is not an AWS id", f"write {prefix}- and 8 or 17 hex digits", (*path, index))
        elif id_ in ids[:index]:
            yield Problem(f"{id_} is listed twice", "name another, or remove it", (*path, index))
