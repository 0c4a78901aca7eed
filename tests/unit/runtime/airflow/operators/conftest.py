"""The scripted AWS of one test."""

from __future__ import annotations

import pytest

from tests.unit.runtime.airflow.operators.fake_aws import FakeAws
from tests.unit.runtime.airflow.operators.one_try import METRIC


@pytest.fixture
def aws() -> FakeAws:
    fake = FakeAws()
    fake.lines = ["first", "last", METRIC]
    return fake
