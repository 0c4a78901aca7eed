"""Which hosts a network without internet reaches, as far as a name can tell. See docs/adr/0008."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from penstock.problem import Problem
from penstock.project.network.model import Network

PRIVATE_NAMES = (".internal", ".local", ".lan", ".corp", ".private", ".home.arpa", ".intranet")
"""Ends of host names that nobody on the internet has."""
_PRIVATE_OF_AWS = re.compile(
    r".+\.(vpce|rds|redshift|redshift-serverless)\.amazonaws\.(com|com\.cn|eu)"
    r"|internal-[^.]+\.[a-z0-9-]+\.elb\.amazonaws\.(com|com\.cn|eu)"
)
"""Names of AWS's that its resolver answers with private addresses in a VPC: VPC endpoints (AWS PrivateLink Guide,
"DNS names"), databases (Amazon RDS User Guide, "Working with a DB instance in a VPC"; Amazon Redshift Management Guide,
the same), internal load balancers (Elastic Load Balancing User Guide, "Load balancer scheme")."""


def is_sealed(network: Network) -> bool:
    """Whether it is one of ours without a way to the internet."""
    return network.create is not None and network.create.egress == "endpoints"


def host_of(address: str) -> str | None:
    """The host of `https://host/path` or `host:port`; None: none is there."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname
    except ValueError:
        return None


def within_reach(host: str, private_hosts: Iterable[str]) -> bool:
    """Whether a network without internet reaches a host: its name or address says so, or the project does.

    Args:
        private_hosts: names, and `*.` with a domain for all below it.
    """
    for name in private_hosts:
        if host == name.lower() or (name.startswith("*.") and host.endswith(name[1:].lower())):
            return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(PRIVATE_NAMES) or _PRIVATE_OF_AWS.fullmatch(host) is not None


def out_of_reach(address: str, network: Network) -> str | None:
    """The host of an address, where the network has no internet and nothing says that it reaches that host."""
    host = host_of(address)
    if host is None or network.create is None or not is_sealed(network):
        return None
    return None if within_reach(host, network.create.private_hosts) else host


def unreachable_problem(host: str) -> Problem:
    """What an error says about a host that is out of reach, and its fix."""
    what = f"{host[:100]!r} is out of reach: nothing says that the VPC reaches it, and it has no way to the internet"
    fix = "give it a private address; or, if its name leads to one in this VPC, add it to "
    fix += "network.create.private_hosts; or write egress: nat"
    return Problem(what, fix)
