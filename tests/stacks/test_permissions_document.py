"""docs/permissions.md lists every permission in the templates, and no other."""

from __future__ import annotations

import re

import pytest

from tests.functional.permission_tables import NOT_HERE, STEPS
from tests.stacks import statements
from tests.stacks.conftest import Templates
from tests.stacks.permission_document import (
    DOCUMENT,
    HEADINGS,
    Rows,
    actions,
    code,
    resources,
    takers,
    template_statements,
    told_takers,
)
from tests.stacks.permission_document import rows as rows_of


@pytest.fixture(scope="module")
def rows() -> Rows:
    """The tables of permissions."""
    return rows_of(HEADINGS)


def test_every_action_is_in_the_document_and_no_other(templates: Templates, rows: Rows) -> None:
    """Role by role, the actions of the tables are those of the templates."""
    assert actions(template_statements(templates)) == {
        (kind, action) for kind, cells in rows for action in code(cells[0])
    }


def test_every_condition_is_in_the_document(templates: Templates, rows: Rows) -> None:
    """Where a statement has a condition, the rows of its actions name the condition's key."""
    for kind, statement in template_statements(templates):
        keys = {key for operator in statement.get("Condition", {}).values() for key in operator}
        for action in statements.listed(statement["Action"]):
            told = [cells[1] for other, cells in rows if other == kind and action in code(cells[0])]
            assert keys <= {key for cell in told for key in code(cell)}, (kind, action)


def test_the_document_says_what_the_tests_prove(rows: Rows) -> None:
    """For the roles that run: the same grants as in the test's tables, with the same steps, or 'not here'."""
    options = {
        (kind, action, resource): re.findall(r"\*\*(.+?)\*\*", cells[3])[0]
        for kind, cells in rows
        if kind in ("airflow", "task", "exec")
        for action in code(cells[0])
        for resource in resources(cells)
    }

    assert options == {**STEPS, **dict.fromkeys(NOT_HERE, "not here")}


def test_who_may_take_a_role_is_in_the_document(templates: Templates) -> None:
    """The services that each kind of role trusts, and whether only for this account."""
    assert takers(templates) == told_takers(HEADINGS)


def test_managed_policies_are_in_the_document(templates: Templates) -> None:
    """AWS's own policies that a role has."""
    names = {
        statements.text(arn).rsplit("/", 1)[-1]
        for template in templates.values()
        for resource in template["Resources"].values()
        for arn in resource.get("Properties", {}).get("ManagedPolicyArns", [])
    }

    assert names
    assert all(f"`{name}`" in DOCUMENT.read_text() for name in names)
