"""What types cannot say about the network."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from penstock.project.network import ID

if TYPE_CHECKING:
    from penstock.project.checks import Checks


def check_network(checks: Checks) -> None:
    """Ids that look like ids, a range that fits."""
    network = checks.settings.network
    if (network.create is None) == (network.use is None):
        checks.add("network wants exactly one of `create` and `use`", "keep one of them", "network")
    if network.create is not None:
        _check_cidr(checks, network.create.cidr)
    if network.use is not None:
        for kind, prefix in (("private_subnets", "subnet"), ("security_groups", "sg")):
            for index, one in enumerate(getattr(network.use, kind)):
                if not re.fullmatch(rf"{prefix}-{ID}", one):
                    path = ("network", "use", kind, index)
                    checks.add(f"{one[:60]!r} is no id of AWS", f"write {prefix}- and 8 or 17 hex digits", *path)


def _check_cidr(checks: Checks, cidr: str) -> None:
    path = ("network", "create", "cidr")
    try:
        bits = ipaddress.IPv4Network(cidr).prefixlen
    except ValueError as error:
        checks.add(f"no IPv4 range: {str(error)[:100]}", "write one such as 10.20.0.0/16", *path)
    else:
        if not 16 <= bits <= 24:
            checks.add(f"a /{bits} network is not possible here", "use /16 to /24", *path)
