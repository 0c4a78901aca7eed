"""The guide to faults, and its sample file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from penstock.local.faults.file import read
from penstock.local.faults.rules import Faults, Kind, Rule

DOCS = Path(__file__).parents[4] / "docs"


def test_sample_is_right_and_shows_every_fault_and_key() -> None:
    """Who copies it has a file that works."""
    sample = read(DOCS / "faults.yaml")

    assert {rule.fault for rule in sample.faults} == set(get_args(Kind))
    used = set[str]().union(*(rule.model_fields_set for rule in sample.faults))
    assert used == set(Rule.model_fields)


def test_guide_explains_every_fault_and_key() -> None:
    """Each has a row in a table, and no row is of one that is gone."""
    text = (DOCS / "faults.md").read_text()
    rows = {
        name
        for first in re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", first)
    }  # fmt: skip
    keys = {field.alias or name for model in (Rule, Faults) for name, field in model.model_fields.items()}

    assert rows == (keys | set(get_args(Kind))) - {"faults"}
