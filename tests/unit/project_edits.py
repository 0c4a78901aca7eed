"""Edits of the small project: what is added to it, and where."""

from __future__ import annotations

from pathlib import Path

from penstock.compile.compiler import compile_plan
from penstock_runtime.plan.plan import Plan
from penstock_runtime.plan.task_definition import Image
from tests.unit.project_files import loaded

LOAD, CATALOGUE = "- {name: load, ", "      - name: catalogue\n"
TWO_ACCOUNTS = ("region: eu-central-1", "account: '444455556666', region: eu-west-1")
ONE_REGION = ("region: eu-central-1", "region: eu-west-1")
MIRROR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mirror"
CACHE_SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ecr-pullthroughcache/hub-AbCdEf"


def top(text: str) -> tuple[str, str]:
    """An edit that adds something to the top level."""
    return "schedules:\n", f"{text}\nschedules:\n"


def task(text: str) -> tuple[str, str]:
    """An edit that gives the first task more keys."""
    return LOAD, f"{LOAD}{text}, "


def permission(text: str) -> tuple[str, str]:
    return task(f"permissions: [{text}]")


def command(text: str) -> tuple[str, str]:
    """An edit that adds a plain command."""
    return CATALOGUE, f"      - {{name: x, command: ls, {text}}}\n{CATALOGUE}"


def plan_of(folder: Path, *edits: tuple[str, str]) -> Plan:
    return compile_plan(loaded(folder, *edits))


def image_of(plan: Plan, engine: str) -> Image:
    (image,) = {definition.image for definition in plan.task_definitions if definition.engine == engine}
    return image
