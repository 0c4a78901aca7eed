"""Who reaches the page of a private Airflow, besides members of its own security group.

Such a web server has an endpoint in the VPC, with the environment's security groups on it; a rule of theirs for TCP 443
lets others in (Amazon MWAA User Guide, "Managing access to VPC endpoints", and "Security in your VPC": restricting
access to port 443). One that is public only has no endpoint for it (the first page), and where the customer makes the
endpoints they have the groups that the customer gives them ("Managing your own Amazon VPC endpoints").
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from penstock.problem import Problem
from penstock.project.settings import Settings

HERE = ("airflow", "create", "web_access_cidrs")


def check_web_access(settings: Settings) -> Iterator[Problem]:
    """Ranges that are some, for rules that we write and that count."""
    create, use = settings.airflow.create, settings.network.use
    if create is None:
        return
    ranges, access = create.web_access_cidrs, create.access
    if not ranges:
        return
    if access == "public":
        what = "the page of a public environment has no address in the VPC that a rule could lead to"
        yield Problem(what, "remove it, or write access: private", HERE, at_key=True)
    elif use is not None and use.shared_by is not None:
        what = "the endpoint of the page is in a VPC of another account, and has its owner's security groups"
        yield Problem(what, "remove it, and have the owner let TCP 443 from there into them", HERE, at_key=True)
    elif use is not None and (named := use.airflow_security_groups or use.security_groups):
        key = "airflow_security_groups" if use.airflow_security_groups else "security_groups"
        what = f"MWAA's security groups are those of network.use.{key}, and Penstock changes none of yours"
        fix = f"remove it, and let TCP 443 from there into {named[0]}"
        yield Problem(what, f"{fix}; or name none for MWAA, and Penstock makes one", HERE, at_key=True)
    for index, range_ in enumerate(ranges):
        if problem := _wrong_range(range_):
            yield problem.at(*HERE, index)
        elif range_ in ranges[:index]:
            # EC2 takes a rule once (EC2 API Reference, IpRange).
            yield Problem(f"{range_} is listed twice", "remove one", (*HERE, index))


def _wrong_range(text: str) -> Problem | None:
    """What is wrong with an IPv4 range, and its fix. EC2 takes 10.8.0.1/16 for 10.8.0.0/16 (EC2 API Reference, IpRange)
    where one address may have been meant."""
    shown = repr(text[:60])
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return Problem(f"{shown} is not an IPv4 range", "write one such as 10.8.0.0/16; one address is 10.8.0.1/32")
    if network.prefixlen == 0:
        return Problem(
            f"{shown} allows every address",
            "name the ranges of your VPN, office or peered networks, such as 10.8.0.0/16",
        )
    if str(network) != text:
        return Problem(f"{shown} is not how a range is written", f"write {network}")
    return None
