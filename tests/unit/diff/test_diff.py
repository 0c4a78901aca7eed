"""All comparisons together: what is dangerous, and what is refused. Nothing of AWS is called."""

from __future__ import annotations

import json

import pytest

from penstock.cli import diff as diff_command
from penstock.cli.changes import show_report
from penstock.diff import plans, report
from penstock_runtime.errors import PenstockError
from penstock_runtime.plan.plan import Plan
from tests.unit.diff.diff_states import BOTH, edited, small_plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return small_plan(tmp_path_factory.mktemp("project"))


def test_a_danger_is_one_until_it_is_named(plan: Plan) -> None:
    after = edited("airflow", "Environment", Name="other")
    comparison = report.compare((BOTH, None), (after, plans.as_data(plan)), prices={})

    assert [danger.name for danger in comparison.dangers] == ["acme"]
    assert "because Name cannot change" in comparison.dangers[0].what
    assert comparison.refused([]) == comparison.dangers
    assert comparison.refused(["acme"]) == ()
    assert not comparison.empty
    json.dumps(comparison.as_data())


def test_no_change_is_no_danger(plan: Plan) -> None:
    data = plans.as_data(plan)
    comparison = report.compare((BOTH, data), (BOTH, data), prices={})

    assert comparison.empty
    assert comparison.dangers == ()
    assert comparison.before == comparison.after


@pytest.mark.parametrize(
    ("live", "protected", "told"),
    [
        ({"net": False, "airflow": False}, True, "~ termination protection off → on: airflow, net"),
        ({"net": True, "airflow": False}, False, "~ termination protection on → off: net"),
        ({"net": True}, True, None),
        ({"gone": True}, False, None),
        ({}, True, None),
    ],
    ids=["on", "off, of the one that has it", "unchanged", "a stack that no deploy touches", "new stacks"],
)
def test_termination_protection_is_told_though_no_template_holds_it(
    plan: Plan, live: dict[str, bool], protected: bool, told: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Switched on or off: in a project that changes nothing else, it is what the deploy does."""
    data = {**plans.as_data(plan), "protected": protected}
    comparison = report.compare((BOTH, data), (BOTH, data), prices={}, live_protection=live)
    show_report(comparison)
    said = [line.strip() for line in capsys.readouterr().out.splitlines() if "termination protection" in line]

    assert said == [told] * bool(told)
    assert comparison.empty is (told is None)
    assert bool(comparison.as_data()["termination_protection"]) is bool(told)


@pytest.mark.parametrize(
    ("old", "new", "told", "possible"),
    [
        ("2.9.2", "3.0.6", "cannot change to 3.0.6 in place: between 2 and 3 the way leads over 2.11", False),
        ("2.11.0", "3.0.6", "MWAA upgrades Airflow 2.11.0 to 3.0.6 in place, from one major version", True),
        ("2.9.2", "2.11.0", "MWAA upgrades Airflow 2.9.2 to 2.11.0 in place; it rolls back", True),
        ("2.11.0", "2.9.2", "MWAA downgrades Airflow 2.11.0 to 2.9.2 in place; it rolls back", True),
    ],
)
def test_another_airflow_is_told_with_what_mwaa_allows(
    plan: Plan, old: str, new: str, told: str, possible: bool
) -> None:
    """Before the deploy asks MWAA; an environment that is replaced begins with any version."""
    before = edited("airflow", "Environment", AirflowVersion=old)
    after = edited("airflow", "Environment", AirflowVersion=new)
    anew = edited("airflow", "Environment", AirflowVersion=new, Name="other")
    data = plans.as_data(plan)
    (move,) = report.compare((before, None), (after, data), prices={}).airflow

    assert str(move).startswith("acme: ")
    assert told in str(move)
    assert (move.problem is None) is possible
    assert report.compare((before, None), (anew, data), prices={}).airflow == ()
    assert report.compare((after, None), (after, data), prices={}).airflow == ()


@pytest.mark.parametrize("old", ["latest", "3.0", "9" * 4301 + ".0.0"])
def test_what_is_no_version_of_airflow_is_a_change_as_any_other(plan: Plan, old: str) -> None:
    """Somebody may have deployed it by hand, from a template of their own."""
    before, after = (edited("airflow", "Environment", AirflowVersion=one) for one in (old, "3.0.6"))
    comparison = report.compare((before, None), (after, plans.as_data(plan)), prices={})

    assert comparison.airflow == ()
    assert not comparison.empty


def test_a_version_that_mwaa_refuses_ends_the_command(plan: Plan) -> None:
    """With the version that is possible."""
    before, after = (edited("airflow", "Environment", AirflowVersion=one) for one in ("2.9.2", "3.0.6"))
    comparison = report.compare((before, None), (after, plans.as_data(plan)), prices={})

    with pytest.raises(PenstockError, match="MWAA would refuse this deploy") as caught:
        diff_command._refuse(comparison, set(), yes=False)
    assert caught.value.fix == "go to Airflow 2.11 first, or leave airflow.create.version at 2.9.2"
