"""Prices in US dollars, without tax, discounts and free tiers. Dated, and few: what is not here is said to be unknown.

`penstock diff --prices aws` asks AWS instead (`penstock.deployed.price_list`), and `--prices FILE` gives a team's own:
a JSON object in the shape of `TABLE`, region → name → price.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from penstock.cost.prices import fargate
from penstock_runtime.errors import InputError
from penstock_runtime.plan.task_definition import Architecture

DATE = "2026-11-21"
"""When the table was last compared with its sources."""

HOURS = 730
"""Of a month, as AWS's own calculator counts."""

Prices = Mapping[str, float]
"""Name → price, of one region."""

TABLE: dict[str, dict[str, float]] = {
    "us-east-1": {
        # AWS Fargate pricing, Linux: storage above 20 GB by GB and hour.
        "fargate.storage_gb_hour": 0.000111,
        # Amazon VPC pricing and AWS PrivateLink pricing: NAT gateway; interface endpoint per zone; public address.
        "nat_gateway_hour": 0.045,
        "interface_endpoint_zone_hour": 0.01,
        "public_ipv4_hour": 0.005,
        # Amazon MWAA pricing: environment; each worker or scheduler above the included ones. Secondary sources agree on
        # these three classes (one gives more for medium and large); nothing was found for the others. Of a web server
        # above the included two (`mwaa.mw1.small.web_server_hour`) only one source tells, and of another region.
        "mwaa.mw1.small_hour": 0.49,
        "mwaa.mw1.medium_hour": 0.74,
        "mwaa.mw1.large_hour": 0.99,
        "mwaa.mw1.small.worker_hour": 0.055,
        "mwaa.mw1.medium.worker_hour": 0.11,
        "mwaa.mw1.large.worker_hour": 0.22,
        # AWS KMS pricing: a customer managed key.
        "kms_key_month": 1.0,
    },
}
"""Region → name → price; Fargate's vCPU and memory are in `penstock.cost.prices`, which the dashboard reads too."""

_ARCHITECTURES: tuple[Architecture, ...] = ("x86_64", "arm64")


def prices_of(region: str, file: Path | None = None) -> Prices:
    """The prices of a region; those of `file` win. Empty where nobody knows any.

    Raises:
        InputError: the file cannot be read or is not in the table's shape.
    """
    own = _read(file) if file else {}
    return {**_fargate(region), **TABLE.get(region, {}), **own.get(region, {})}


def _fargate(region: str) -> dict[str, float]:
    price_of = {}
    for architecture in _ARCHITECTURES:
        price = fargate(region, architecture)
        if price is not None:
            price_of[f"fargate.{architecture}.vcpu_hour"] = price.vcpu_hour
            price_of[f"fargate.{architecture}.gb_hour"] = price.gb_hour
    return price_of


def _read(file: Path) -> dict[str, dict[str, float]]:
    fix = 'write {"eu-west-1": {"nat_gateway_hour": 0.048}}; the names are those of penstock/cost/price_list.py'
    try:
        regions = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"the prices cannot be read: {error}", fix=fix, where=str(file)) from error
    known = {name for prices in TABLE.values() for name in prices}
    known |= {f"fargate.{architecture}.{unit}" for architecture in _ARCHITECTURES for unit in ("vcpu_hour", "gb_hour")}
    for region, prices in regions.items() if isinstance(regions, dict) else [("", None)]:
        if not isinstance(prices, dict):
            raise InputError("the prices are not an object of objects", fix=fix, where=str(file))
        for name, price in prices.items():
            is_class = name.startswith("mwaa.mw1.") and name.endswith("_hour")
            if not (name in known or is_class):
                raise InputError(f"{region}: there is no price {name[:60]!r}", fix=fix, where=str(file))
            if isinstance(price, bool) or not isinstance(price, int | float) or price < 0:
                raise InputError(f"{region}: {name} is not a price: {price!r}", fix=fix, where=str(file))
    result: dict[str, dict[str, float]] = regions
    return result
