"""`infrastructure.json`: what a deploy has made for the DAGs. The deploy writes it; `penstock push` compares.

It is beside `resources.json`, which has the names of the things whose contents this file describes.
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
_OF_THE_BUNDLE = frozenset(
    {"format", "schedules", "configs", "dag_files", "warnings", "task_definitions", "files", "requirements"}
)
"""Fields of the plan that a push brings along; task definitions are listed separately."""


def plan_sha256(plan: Plan) -> str:
    """The name of a plan."""
    return hashlib.sha256(plan.to_json(indent=None).encode()).hexdigest()


def describe(plan: Plan, *, runtime_sha256: str, images: Mapping[str, str], account: str | None) -> dict[str, Any]:
    """What must be deployed for the DAGs of a plan, as JSON data.

    Args:
        images: family → hash of what its image is built from; only for images that are built.
        account: where it is deployed.
    """
    settings = {name: value for name, value in dataclasses.asdict(plan).items() if name not in _OF_THE_BUNDLE}
    definitions = {
        definition.family: {**dataclasses.asdict(definition), "image_content": images.get(definition.family)}
        for definition in plan.task_definitions
    }
    facts = {
        "format": FORMAT,
        "plan": plan_sha256(plan),
        "runtime": runtime_sha256,
        "settings": {**settings, "account": account},
        "task_definitions": definitions,
    }
    data: dict[str, Any] = _json(facts)
    return data


def _json(value: Any) -> Any:
    """As CDK writes it: lists for tuples, and no key without a value."""
    if isinstance(value, dict):
        return {name: _json(item) for name, item in value.items() if item is not None}
    return [_json(item) for item in value] if isinstance(value, list | tuple) else value


def image_contents(plan: Plan, *, recipes: Path, project: Path) -> dict[str, str]:
    """Family → hash of what its image is built from, for the images that are built.

    Args:
        recipes: the folder with a recipe for each kind of image.
        project: the project's folder.
    """
    digests: dict[Image, str] = {}
    for image in (definition.image for definition in plan.task_definitions):
        if image.kind == "built" and image not in digests:
            folders = [recipes / image.reference]
            folders += [project / image.context] if image.context else []
            digests[image] = image_context.digest(*folders)
    return {
        definition.family: digests[definition.image]
        for definition in plan.task_definitions
        if definition.image in digests
    }
