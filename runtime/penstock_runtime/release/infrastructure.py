"""`infrastructure.json`: what a deploy has put there for the DAGs. The deploy writes it; `penstock push` compares.

It lies beside `resources.json`. That one says what things are called; this one says what they hold.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import Image
from penstock_runtime.release import image_context

FILE = "infrastructure.json"
FORMAT = 1
_OF_THE_BUNDLE = frozenset({"format", "schedules", "configs", "dag_files", "warnings", "task_definitions", "files"})
"""Fields of the plan that a push brings along by itself; task definitions are listed apart."""


def plan_sha256(plan: Plan) -> str:
    """The name of a plan."""
    return hashlib.sha256(plan.to_json(indent=None).encode()).hexdigest()


def describe(plan: Plan, *, runtime_sha256: str, images: Mapping[str, str], account: str | None) -> dict[str, Any]:
    """What the DAGs of a plan need to find deployed, as JSON.

    Args:
        images: family → hash of what its image is built from; only for images that are built.
        account: where it is deployed.
    """
    settings = {name: value for name, value in dataclasses.asdict(plan).items() if name not in _OF_THE_BUNDLE}
    definitions = {
        one.family: {**dataclasses.asdict(one), "image_content": images.get(one.family)}
        for one in plan.task_definitions
    }
    facts = {
        "format": FORMAT,
        "plan": plan_sha256(plan),
        "runtime": runtime_sha256,
        "settings": {**settings, "account": account},
        "task_definitions": definitions,
    }
    found: dict[str, Any] = _json(facts)
    return found


def _json(value: Any) -> Any:
    """As CDK writes it: lists for tuples, and no key that has no value."""
    if isinstance(value, dict):
        return {name: _json(one) for name, one in value.items() if one is not None}
    return [_json(one) for one in value] if isinstance(value, list | tuple) else value


def image_contents(plan: Plan, *, recipes: Path, project: Path) -> dict[str, str]:
    """Family → hash of what its image is built from, for the images that are built.

    Args:
        recipes: the folder with a recipe for each kind of image.
        project: the project's folder.
    """
    found: dict[Image, str] = {}
    for one in plan.task_definitions:
        if one.image.kind == "built" and one.image not in found:
            folders = [recipes / one.image.reference]
            folders += [project / one.image.context] if one.image.context else []
            found[one.image] = image_context.digest(*folders)
    return {one.family: found[one.image] for one in plan.task_definitions if one.image in found}
