"""docs/permissions.md lists every permission that only some settings bring, and no other.

The templates are those of all golden cases, and of the project with which the functional tests take them away.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from penstock.bundle.build import build_bundle
from penstock.compile.compiler import compile_plan
from penstock.project.load import load
from tests.functional import optional_tables as tables
from tests.functional.optional_project import project
from tests.golden import regenerate
from tests.stacks import permission_document as document
from tests.stacks import plans, statements
from tests.stacks.conftest import Templates
from tests.stacks.permission_document import HEADINGS as EVERYWHERE

HEADINGS = {
    "The policy for an Airflow that exists": "policy",
    "The function that fills a bucket that exists": "upload",
    "Airflow with a key of your own": "airflow",
    "The functions that fill a bucket with a key of your own": "fill",
    "The functions that make a release live under a key of your own": "release",
    "The state machine that makes endpoints": "endpoints",
    "The rule that starts it": "starter",
    "Images from another place than their name says": "exec",
    "Secrets under a key of your own": "exec",
    "What the project permits its tasks": "task",
    "Files of the project": "task",
    "What the project permits its Airflow": "airflow",
    "The DAG that finds Airflow's database": "airflow",
    "The task that reads Airflow's database": "exec",
    "The task that reads Airflow's REST API": "task",
    "Policies of VPC endpoints": "vpc endpoint",
}
SAME = {"fill": "function", "release": "switch"}
"""Kinds that have another name where every project has them."""
KEY = f"arn:aws:kms:eu-west-1:{plans.ACCOUNT}:key/1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f"


@pytest.fixture(scope="module")
def every(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """All templates that we have."""
    found = dict(templates)
    for path in regenerate.HERE.rglob("expected/*/*.template.json"):
        found[f"{path.parent} {path.name}"] = json.loads(path.read_text())
    return found | optional(tmp_path_factory.mktemp("optional"))


def optional(folder: Path) -> Templates:
    """The templates of the functional tests' project."""
    (folder / "penstock.yaml").write_text(json.dumps(project(KEY)))
    read, found = load(folder / "penstock.yaml"), {}
    for name in read.environments:
        plan = compile_plan(read, name, variables={})
        made = regenerate.templates(plan, build_bundle(plan, dags_folder=regenerate.DAGS), read)
        found |= {f"optional {name} {stack}": json.loads(text) for stack, text in made.items()}
    return found


@pytest.fixture(scope="module")
def rows() -> document.Rows:
    """The tables of these permissions, under the kinds that they have everywhere."""
    return [(SAME.get(kind, kind), cells) for kind, cells in document.rows(HEADINGS)]


def told(rows: document.Rows) -> set[tuple[str, str]]:
    return {(kind, action) for kind, cells in rows for action in document.code(cells[0])}


def test_every_action_is_in_the_document_and_no_other(every: Templates, rows: document.Rows) -> None:
    """Whatever a project sets: what a role may do is in its table, or in the one for these settings."""
    described = document.actions(document.template_statements(every))

    assert described - told(document.rows(EVERYWHERE)) - told(rows) == set(), "a new permission: describe it"
    assert told(rows) - described == set(), "nothing asks for these any more"


def test_every_condition_is_in_the_document(every: Templates, rows: document.Rows) -> None:
    """Where a statement has a condition, the rows of its actions name the condition's key."""
    both = [*document.rows(EVERYWHERE), *rows]
    for kind, statement in document.template_statements(every):
        keys = {key for operator in statement.get("Condition", {}).values() for key in operator}
        for action in statements.listed(statement["Action"]):
            cells = [cells[1] for other, cells in both if other == kind and action in document.code(cells[0])]
            assert keys <= {key for cell in cells for key in document.code(cell)}, (kind, action)


def test_the_document_says_what_the_tests_prove() -> None:
    """The same grants as in the tables of the test that takes them away, with the same steps, or 'not here'."""
    options = {
        (kind, action, resource): re.findall(r"\*\*(.+?)\*\*", cells[3])[0]
        for kind, cells in document.rows(HEADINGS)
        if kind != "vpc endpoint"
        for action in document.code(cells[0])
        for resource in document.resources(cells)
    }
    # Those of a release that every project has are in the table for every project.
    proven: dict[Any, str] = {
        key: step for key, step in tables.STEPS.items() if key[0] != "release" or key[2] == tables.KEY
    }

    assert options == {**proven, **dict.fromkeys(tables.NOT_HERE, "not here")}


def test_who_may_take_a_role_is_in_the_document(every: Templates) -> None:
    """The services that each kind of role trusts, and whether only for this account."""
    assert document.takers(every) == document.told_takers(EVERYWHERE) | document.told_takers(HEADINGS)
