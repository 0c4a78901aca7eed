"""What a month costs, and by which prices."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.cost import estimate, price_list
from penstock.diff import plans
from penstock_runtime.errors import InputError
from penstock_runtime.plan.plan import Plan
from tests.unit.diff.diff_states import BOTH, changed, edited, small_plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return small_plan(tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize(
    ("cron", "runs"),
    [
        (None, 0),
        ("0 3 * * *", 365 / 12),
        ("*/15 * * * *", 96 * 365 / 12),
        ("0 0 1 * *", 1),
        ("0 0 1 1 *", 1 / 12),
        ("0 12 * * 0", 52 / 12),
        ("0 0 1 * 1", (12 + 52 - 1) / 12),
        ("5 4-6 1-3 2 *", 9 / 12),
        ("0 0 * * 5#3", 1),
        ("0 0 * * L5", 1),
        ("0 6,18 * * 1#1,3#2", 4),
        ("0 0 L * *", 1),
        ("0 0 15W * *", 1),
        ("0 0 * * 7", 52 / 12),
        ("0 0 31 2 *", 0),
    ],
)
def test_runs_of_a_month(cron: str | None, runs: float) -> None:
    """Counted over a year. Days and weekdays together mean either: one first of a month of 2026 is a Monday."""
    assert estimate.runs_per_month(cron) == pytest.approx(runs)


def test_what_runs_all_the_time(plan: Plan) -> None:
    """NAT gateways, and MWAA with the workers above the first."""
    cost = estimate.estimate(edited("airflow", "Environment", MinWorkers=3), None, price_list.prices_of("us-east-1"))

    assert {line.what: (line.count, line.monthly) for line in cost.lines} == {
        "NAT gateways": (1, pytest.approx(0.045 * 730)),
        "MWAA environment, mw1.small": (1, pytest.approx(0.49 * 730)),
        "more workers and schedulers, mw1.small": (2, pytest.approx(2 * 0.055 * 730)),
    }
    assert cost.fixed == pytest.approx((0.045 + 0.49 + 0.11) * 730)


@pytest.mark.parametrize(
    ("kind", "servers", "more"), [("mw1.small", 5, 3), ("mw1.small", 2, 0), ("mw1.small", None, 0), ("mw1.micro", 1, 0)]
)
def test_web_servers_above_two_cost(kind: str, servers: int | None, more: int) -> None:
    """Those that always run; mw1.micro has one, in its price."""
    template = edited("airflow", "Environment", EnvironmentClass=kind, MinWebservers=servers, MaxWebservers=5)
    table = {"nat_gateway_hour": 0.0, f"mwaa.{kind}_hour": 0.4}
    known = estimate.estimate(template, None, {**table, f"mwaa.{kind}.web_server_hour": 0.1})
    unknown = estimate.estimate(template, None, table)

    assert known.fixed == pytest.approx((0.4 + more * 0.1) * 730)
    assert [line.count for line in known.lines if line.what == f"more web servers, {kind}"] == [more] * bool(more)
    assert (unknown.fixed is None) is bool(more)


def test_a_run_at_most_and_what_is_not_known(plan: Plan) -> None:
    """Every task by its whole timeout; a region or class without a price is unknown, and so is every sum with it."""
    known = estimate.estimate(BOTH, changed(plan, cpu_units=1024, memory_mib=2048, ephemeral_storage_gib=50), {
        **price_list.prices_of("us-east-1"),
    })  # fmt: skip
    (run,) = known.runs
    load = 0.04048 + 2 * 0.004445 + 30 * 0.000111
    catalogue = 0.5 * 0.04048 + 0.004445

    assert run.at_most == pytest.approx(load + catalogue)
    assert known.by_schedule == pytest.approx((load + catalogue) * 365 / 12)
    nowhere = estimate.estimate(BOTH, plans.as_data(plan), price_list.prices_of("eu-west-9"))
    assert (nowhere.fixed, nowhere.by_schedule, nowhere.runs[0].at_most) == (None, None, None)
    large = estimate.estimate(
        edited("airflow", "Environment", EnvironmentClass="mw1.2xlarge"), None, price_list.TABLE["us-east-1"]
    )
    assert large.fixed is None


def test_own_prices_win(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(
        '{"eu-west-1": {"nat_gateway_hour": 1, "mwaa.mw1.micro_hour": 0.3, "mwaa.mw1.small.web_server_hour": 0.03}}'
    )

    own = price_list.prices_of("eu-west-1", file)
    assert {**own, "nat_gateway_hour": 1, "mwaa.mw1.micro_hour": 0.3, "mwaa.mw1.small.web_server_hour": 0.03} == own
    assert own["fargate.x86_64.vcpu_hour"] > 0
    assert price_list.prices_of("us-east-1", file) == price_list.prices_of("us-east-1")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "cannot be read"),
        ("[]", "not an object of objects"),
        ('{"eu-west-1": 3}', "not an object of objects"),
        ('{"eu-west-1": {"nat": 3}}', "there is no price 'nat'"),
        ('{"eu-west-1": {"nat_gateway_hour": "3"}}', "is not a price: '3'"),
        ('{"eu-west-1": {"nat_gateway_hour": -1}}', "is not a price: -1"),
        ('{"eu-west-1": {"nat_gateway_hour": true}}', "is not a price: True"),
    ],
)
def test_prices_that_are_none(tmp_path: Path, text: str, what: str) -> None:
    """The file, what is wrong with it, and its shape."""
    file = tmp_path / "prices.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"price") as caught:
        price_list.prices_of("eu-west-1", file)
    assert what in str(caught.value)
    assert str(file) in str(caught.value)
    assert "nat_gateway_hour" in caught.value.fix
