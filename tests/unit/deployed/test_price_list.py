"""What AWS's price list says of a region, from answers in its shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from penstock.cost.price_list import TABLE
from penstock.deployed import price_list
from penstock.deployed.account import Account
from penstock_runtime.errors import PenstockError


def product(usage: str, *tiers: tuple[str, str], currency: str = "USD", terms: str = "OnDemand") -> str:
    """One of `PriceList`; tiers: begin of the range, price."""
    dimensions = {
        f"d{number}": {"unit": "Hrs", "beginRange": begin, "pricePerUnit": {currency: price}}
        for number, (begin, price) in enumerate(tiers)
    }
    return json.dumps(
        {
            "product": {"sku": usage, "attributes": {"usagetype": usage, "regionCode": "eu-west-1"}},
            "terms": {terms: {"t": {"priceDimensions": dimensions}}},
        }
    )


ANSWERS = {
    "AmazonMWAA": [
        product("EU-Airflow-SmallEnvironment", ("0", "0.4900000000")),
        product("EU-Airflow-SmallWorker", ("0", "0.0550000000")),
        product("EU-Airflow-SmallScheduler", ("0", "0.0550000000")),
        product("EU-Airflow-SmallWebServer", ("0", "0.0280000000")),
    ],
    "AmazonEC2": [
        product("EU-NatGateway-Hours", ("0", "0.0480000000")),
        product("EU-NatGateway-Bytes", ("0", "0.0480000000")),
        product("EU-RegionalNatGateway-Hours", ("0", "9")),
    ],
    "AmazonVPC": [
        product("EU-VpcEndpoint-Hours", ("0", "0.011"), ("1000000", "0.005")),
        product("VpcEndpoint-Hours", ("0", "0.010"), currency="CNY"),
        product("EU-PublicIPv4:InUseAddress", ("0", "0.005")),
    ],
    "awskms": [
        product("eu-west-1-KMS-Keys", ("0", "1.0")),
        product("eu-west-1-KMS-Keys", ("0", "2"), terms="Reserved"),
    ],
    "AmazonECS": [
        product("EU-Fargate-vCPU-Hours:perCPU", ("0", "0.04048")),
        product("EU-Fargate-Windows-vCPU-Hours:perCPU", ("0", "7")),
        product("EU-Fargate-ARM-GB-Hours", ("0", "0.00356")),
    ],
}


class PriceList:
    """Answers in two pages, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, dict[str, str]] = {}

    def get_paginator(self, name: str) -> PriceList:
        assert name == "get_products"
        return self

    def paginate(self, ServiceCode: str, Filters: list[dict[str, str]]) -> list[dict[str, Any]]:
        self.asked[ServiceCode] = {filter_["Field"]: filter_["Value"] for filter_ in Filters}
        answers = ANSWERS[ServiceCode]
        return [{"PriceList": answers[:1]}, {"PriceList": answers[1:]}]


def test_each_price_is_found_by_its_usage_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands before it for the region; other products, tiers, currencies and terms are not taken for it."""
    asked = PriceList()
    monkeypatch.setattr(Account, "client", lambda *_: asked)

    assert price_list.prices_of(Account("eu-west-1"), "eu-west-1") == {
        "mwaa.mw1.small_hour": 0.49,
        "mwaa.mw1.small.worker_hour": 0.055,
        "mwaa.mw1.small.web_server_hour": 0.028,
        "nat_gateway_hour": 0.048,
        "interface_endpoint_zone_hour": 0.011,
        "public_ipv4_hour": 0.005,
        "kms_key_month": 1.0,
        "fargate.x86_64.vcpu_hour": 0.04048,
        "fargate.arm64.gb_hour": 0.00356,
    }
    assert asked.asked["AmazonEC2"] == {"regionCode": "eu-west-1", "productFamily": "NAT Gateway"}
    assert asked.asked["AmazonMWAA"] == {"regionCode": "eu-west-1"}


def test_the_names_are_those_that_the_cost_is_made_of() -> None:
    """All that the table has, and Fargate."""
    names = {name for usage in price_list.USAGE.values() for name in usage}

    assert {name for prices in TABLE.values() for name in prices} <= names


def test_a_refusal_names_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    class Denied(PriceList):
        def paginate(self, **_: Any) -> list[dict[str, Any]]:
            error = {"Code": "AccessDeniedException", "Message": "not authorized to perform: pricing:GetProducts"}
            raise ClientError({"Error": error}, "GetProducts")

    monkeypatch.setattr(Account, "client", lambda *_: Denied())

    with pytest.raises(PenstockError, match="pricing:GetProducts") as caught:
        price_list.prices_of(Account("eu-west-1"), "eu-west-1")
    assert "permission" in caught.value.fix
