"""The services' own models would take every value of every golden template, as far as they tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.aws.service_models import RESOURCES
from penstock.deploy_policy.types import TYPES
from tests.golden import service_models

TEMPLATES = service_models.templates()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name.removesuffix(".template.json"))
def test_no_service_refuses_what_a_template_says(path: Path) -> None:
    """Pattern, enumeration, length, what is required, and the limits that are documented only."""
    walk = service_models.walked([json.loads(path.read_text())])

    assert {kind: one.refused for kind, one in walk.items() if one.refused} == {}


def test_every_property_is_checked_or_says_why_not() -> None:
    """A new property of a new type is neither, until somebody says which member of which call it is."""
    walk = service_models.walked(service_models.read(TEMPLATES))

    assert [f"{kind} {path}" for kind, one in walk.items() for path, why in one.unknown.items() if not why] == []
    assert {kind for kind in walk if not kind.startswith("Custom::")} <= set(RESOURCES)
    assert {kind for kind in TYPES if kind.startswith("AWS::")} <= set(RESOURCES)


def test_the_list_is_the_committed_one() -> None:
    """`make golden` writes it."""
    assert service_models.listing() == service_models.LIST.read_text(encoding="utf-8")
