"""Which account and region of a project an environment is adopted for."""

from __future__ import annotations

import pytest

from penstock.adopt.live import Live
from penstock.adopt.write import adoption, region_of
from penstock.project.document.document import parse
from penstock_runtime.errors import InputError

LIVE = Live(
    name="team",
    account="222222222222",
    status="AVAILABLE",
    version="3.0.6",
    bucket="team-dags",
    dags="dags",
    execution_role="arn:aws:iam::222222222222:role/team",
    security_groups=("sg-1",),
    logs={},
)


@pytest.mark.parametrize(
    ("text", "environment", "place"),
    [
        ('account: "111111111111"\nenvironments: {dev: {}, prod: {}}', "prod", "penstock.yaml:1:10"),
        ('account: "111111111111"\nenvironments: {dev: {}, prod: {}}', None, "penstock.yaml:1:10"),
        ('account: "222222222222"\nenvironments:\n  prod: {account: "111111111111"}', "prod", "penstock.yaml:3:19"),
        ('environments:\n  dev: {account: "111111111111"}', None, "penstock.yaml:2:18"),
    ],
)
def test_an_environment_of_another_account_is_refused(text: str, environment: str | None, place: str) -> None:
    """Whether the account stands beside the environment or above all of them."""
    with pytest.raises(InputError, match=r"deploys to account 111111111111, and team is in 222222222222") as refused:
        adoption(parse(f"{text}\n", "penstock.yaml", text_keys=True), LIVE, environment)

    assert refused.value.where == place


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ('account: "111111111111"\nenvironments: {prod: {account: "222222222222"}}', "prod"),
        ('account: "111111111111"\nenvironments: {prod: {account: null}}', "prod"),
        ('account: "222222222222"\nenvironments: {dev: {account: "111111111111"}, prod: {}}', "prod"),
        ("environments: {dev: {}}", None),
        ("name: acme", None),
    ],
)
def test_what_an_environment_says_counts_more_than_what_stands_above(text: str, environment: str | None) -> None:
    """As in the merged project: also where it takes back, by `null`, what stands above."""
    adopted = adoption(parse(f"{text}\n", "penstock.yaml", text_keys=True), LIVE, environment)

    assert adopted.airflow["environment"] == "team"
    assert "environment: team" in adopted.after


@pytest.mark.parametrize(
    ("text", "environment", "region"),
    [
        ("region: eu-west-1\nenvironments: {dev: {region: us-east-1}, prod: {}}", "prod", "eu-west-1"),
        ("region: eu-west-1\nenvironments: {dev: {region: us-east-1}, prod: {}}", None, "us-east-1"),
        ("environments: {dev: {}}", "dev", None),
    ],
)
def test_the_region_is_found_as_the_account_is(text: str, environment: str | None, region: str | None) -> None:
    assert region_of(parse(f"{text}\n", "penstock.yaml", text_keys=True), environment) == region
