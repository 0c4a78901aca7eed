"""The services' models take the templates that no golden case has, and know every property of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from penstock_runtime.plan.airflow import Airflow
from penstock_runtime.plan.plan import Plan
from tests.golden.service_models import walked
from tests.stacks import every_setting, plans

USED_UP = dataclasses.replace(
    every_setting.PLAN,
    network=plans.SEALED.network,
    airflow=dataclasses.replace(plans.PLAN.airflow, kms_key=every_setting.KEY)
    if isinstance(plans.PLAN.airflow, Airflow)
    else plans.PLAN.airflow,
)
PLANS = {"all settings, no internet": USED_UP, "a network that exists": plans.UNNAMED}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_no_service_refuses_what_a_setting_makes(tmp_path: Path, plan: Plan) -> None:
    """Nor is there a property that nobody has mapped."""
    walk = walked(plans.synthesize(plan, tmp_path).values())

    assert {kind: one.refused for kind, one in walk.items() if one.refused} == {}
    assert [f"{kind} {path}" for kind, one in walk.items() for path, why in one.unknown.items() if not why] == []
    assert "AWS::EC2::SecurityGroup" in walk
