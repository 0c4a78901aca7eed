"""Project → plan, bundle and templates, compared with what is committed."""

from __future__ import annotations

import pytest

from penstock_runtime.plan.plan import Plan
from tests.golden import regenerate


@pytest.mark.parametrize("case", regenerate.cases())
def test_case_gives_what_is_committed(case: str) -> None:
    """Nothing that a deploy would write changes unnoticed. If it should: `make golden`, and read the difference."""
    expected = regenerate.HERE / case / "expected"
    committed = {
        path.relative_to(expected).as_posix(): path.read_text()
        for path in sorted(expected.rglob("*"))
        if path.is_file()
    }

    assert regenerate.outputs(case) == committed


@pytest.mark.parametrize("case", regenerate.cases())
def test_plan_survives_json(case: str) -> None:
    """A plan that went through JSON is the same plan, to the byte."""
    for path in sorted((regenerate.HERE / case / "expected").rglob("plan.json")):
        assert Plan.from_json(path.read_text()).to_json() == path.read_text()
