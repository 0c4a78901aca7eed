"""Variables and secrets that reach no task."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.compile.compiler import compile_plan
from penstock_runtime.contract import SERVER_VARIABLE
from tests.unit.project_files import loaded

VARIABLES = "variables: {HOST: dev.acme.internal}"


@pytest.mark.parametrize(("name", "warned"), [("NOBODYS", True), (SERVER_VARIABLE, False)])
def test_the_servers_variable_needs_no_reference(tmp_path: Path, name: str, warned: bool) -> None:
    """A value for it takes the place of the server that the project names; any other is named somewhere, or unused."""
    edit = (VARIABLES, VARIABLES.replace("}", f", {name}: https://om.acme.io/api}}"))
    plan = compile_plan(loaded(tmp_path, edit))

    assert any(name in text for text in plan.warnings) is warned
