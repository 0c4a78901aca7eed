"""What AWS itself asks in a region: its Price List Query API, with the caller's credentials.

Each name of `penstock.cost.price_list` is one product, found by service, region and the end of its usage type; what
stands before that is AWS's short name for the region. Sources: AWS Billing User Guide, "Using the AWS Price List Query
API"; the usage types are those of AWS's bills.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.deployed.account import Account, aws

ENDPOINT_REGION = "us-east-1"
"""The API is in few regions; each answers for all regions."""

_MWAA = {
    f"mwaa.mw1.{name.lower()}": name for name in ("Micro", "Small", "Medium", "Large", "XLarge", "2XLarge")
}  # fmt: skip

USAGE: Mapping[str, Mapping[str, str]] = {
    "AmazonMWAA": {
        **{f"{name}_hour": f"Airflow-{size}Environment" for name, size in _MWAA.items()},
        **{f"{name}.worker_hour": f"Airflow-{size}Worker" for name, size in _MWAA.items()},
        # Not seen on a bill yet, but named as its kin are; were it called otherwise, the price would stay unknown.
        **{f"{name}.web_server_hour": f"Airflow-{size}Webserver" for name, size in _MWAA.items()},
    },
    "AmazonEC2": {"nat_gateway_hour": "NatGateway-Hours"},
    "AmazonVPC": {
        "interface_endpoint_zone_hour": "VpcEndpoint-Hours",
        "public_ipv4_hour": "PublicIPv4:InUseAddress",
    },
    "awskms": {"kms_key_month": "KMS-Keys"},
    "AmazonECS": {
        "fargate.x86_64.vcpu_hour": "Fargate-vCPU-Hours:perCPU",
        "fargate.x86_64.gb_hour": "Fargate-GB-Hours",
        "fargate.arm64.vcpu_hour": "Fargate-ARM-vCPU-Hours:perCPU",
        "fargate.arm64.gb_hour": "Fargate-ARM-GB-Hours",
        "fargate.storage_gb_hour": "Fargate-EphemeralStorage-GB-Hours",
    },
}
"""Service → name of ours → usage type, without the region before it; AWS's capitals vary, and do not count."""

_REGION = re.compile(r"^(?:[A-Z]{2,4}[0-9]?|[a-z]{2}(?:-[a-z]+)+-[0-9])-")
"""`EUC1-`, `EU-`; KMS writes the region's own name; nothing in us-east-1, by some services."""
_NARROWER = {"AmazonEC2": {"productFamily": "NAT Gateway"}}
"""EC2 has tens of thousands of products in each region."""


def prices_of(account: Account, region: str) -> dict[str, float]:
    """The prices of a region in US dollars, on demand, of the first unit. What AWS does not list there is left out.

    Raises:
        PenstockError: AWS refused; it takes `pricing:GetProducts`.
    """
    prices: dict[str, float] = {}
    client = account.client("pricing", ENDPOINT_REGION)
    with aws("AWS's price list"):
        for service, usage in USAGE.items():
            by_usage = {ending.lower(): name for name, ending in usage.items()}
            for product in _products(client, service, region):
                whole = str(product["product"]["attributes"].get("usagetype", ""))
                name = by_usage.get(_REGION.sub("", whole).lower())
                price = _first_dollars(product) if name else None
                if name and price is not None:
                    # A name has one product in a region; were there two, the dearer one promises nothing.
                    prices[name] = max(price, prices.get(name, 0.0))
    return prices


def _products(client: Any, service: str, region: str) -> Iterator[Mapping[str, Any]]:
    fields = {"regionCode": region, **_NARROWER.get(service, {})}
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in fields.items()]
    for page in client.get_paginator("get_products").paginate(ServiceCode=service, Filters=filters):
        for text in page["PriceList"]:
            yield json.loads(text)


def _first_dollars(product: Mapping[str, Any]) -> float | None:
    """On demand, of the tier that begins at nothing; None: not sold so, or not for dollars."""
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            if float(dimension.get("beginRange", 0)) == 0 and "USD" in dimension["pricePerUnit"]:
                return float(dimension["pricePerUnit"]["USD"])
    return None
