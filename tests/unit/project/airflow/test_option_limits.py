"""How long the name and the value of an option of Airflow's may be on MWAA."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.aws.mwaa import MAX_OPTION_KEY, MAX_OPTION_VALUE
from tests.unit.project_files import errors, loaded, write

CREATE = "create: {version: 3.0.6, class: mw1.small"
KEY = "core." + "x" * (MAX_OPTION_KEY - len("core."))


def option(name: str, value: str) -> tuple[str, str]:
    """The small project with one option."""
    return CREATE, f"{CREATE}, options: {{{name}: '{value}'}}"


@pytest.mark.parametrize(("name", "value"), [(KEY, "1"), ("core.x", "x" * MAX_OPTION_VALUE)], ids=["name", "value"])
def test_option_as_long_as_mwaa_takes(tmp_path: Path, name: str, value: str) -> None:
    """To the last character."""
    assert loaded(tmp_path, option(name, value))


@pytest.mark.parametrize(
    ("name", "value"), [(f"{KEY}x", "1"), ("core.x", "x" * (MAX_OPTION_VALUE + 1))], ids=["name", "value"]
)
def test_option_longer_than_that(tmp_path: Path, name: str, value: str) -> None:
    """One character more, and the deploy would fail."""
    ((_, what, _),) = errors(write(tmp_path, option(name, value)))

    assert str(MAX_OPTION_KEY if name != "core.x" else MAX_OPTION_VALUE) in what
