"""How many DAGs an MWAA environment is made for, to the very one."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from tests.unit.project_files import loaded


@pytest.mark.parametrize(("more", "warned"), [(48, False), (49, False), (50, True)])
def test_a_warning_from_the_first_dag_above_the_limit(tmp_path: Path, more: int, warned: bool) -> None:
    """mw1.small is made for 50; the small project has one schedule."""
    listed = "".join(f'  - {{name: s{number}, job: warehouse, interval: "@daily"}}\n' for number in range(more))
    plan = compile_plan(loaded(tmp_path, ("schedules:\n", f"schedules:\n{listed}")))

    assert any("DAGs" in text for text in plan.warnings) is warned
