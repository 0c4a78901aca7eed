"""docs/permissions.md tells of every permission in the templates, and of no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.functional.permission_tables import NOT_HERE, STEPS
from tests.stacks import statements
from tests.stacks.conftest import Templates

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"
HEADINGS = {
    "Airflow": "airflow",
    "Containers": "task",
    "Before and beside the container": "exec",
    "The functions that fill the buckets": "function",
    "The functions that make a release live": "switch",
    "The function that looks for overdue schedules": "watch",
    "The VPC's flow log": "flow log",
    "The function that tells of failed tasks": "failures",
    "Policies of buckets and of the topic": "resource",
}
Rows = list[tuple[str, list[str]]]
"""Kind of role, and the cells of a line of its table."""


@pytest.fixture(scope="module")
def rows() -> Rows:
    """The tables of permissions."""
    found, kind = [], ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("#"):
            title = line.lstrip("# ").partition(":")[0]
            kind = next((one for heading, one in HEADINGS.items() if title == heading), "")
        elif kind and line.startswith("| `"):
            found.append((kind, [cell.strip() for cell in line.strip("|").split(" | ")]))
    assert {kind for kind, _ in found} == set(HEADINGS.values())
    return found


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def templates_statements(templates: Templates) -> list[tuple[str, dict[str, Any]]]:
    """Kind of role and statement, of every policy in every template."""
    found = []
    for template in templates.values():
        for logical_id, resource in template["Resources"].items():
            properties = resource.get("Properties", {})
            documents = [one["PolicyDocument"] for one in properties.get("Policies", [])]
            documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
            for document in documents:
                kind = kind_of(logical_id, resource["Type"], str(properties.get("RoleName", "")))
                found += [(kind, statement) for statement in document["Statement"]]
    return found


def kind_of(logical_id: str, resource_type: str, role_name: str) -> str:
    if not resource_type.startswith("AWS::IAM::"):
        return "resource"
    for suffix, kind in (("-task", "task"), ("-exec", "exec")):
        if role_name.endswith(suffix):
            return kind
    starts = {"ExecutionRole": "airflow", "CustomCDKBucketDeployment": "function", "VpcFlowLog": "flow log"}
    starts |= {"StoppedRole": "failures", "CheckRole": "switch", "ReleaseRole": "switch", "OverdueRole": "watch"}
    return next(kind for start, kind in starts.items() if logical_id.startswith(start))


def test_every_action_is_in_the_document_and_no_other(templates: Templates, rows: Rows) -> None:
    """Role by role, the actions of the tables are those of the templates."""
    told = {(kind, action) for kind, cells in rows for action in code(cells[0])}
    made = {
        (kind, action)
        for kind, statement in templates_statements(templates)
        for action in statements.listed(statement["Action"])
    }

    assert made - told == set()
    assert told - made == set()


def test_every_condition_is_in_the_document(templates: Templates, rows: Rows) -> None:
    """Where a statement has a condition, the rows of its actions name the condition's key."""
    for kind, statement in templates_statements(templates):
        keys = {key for operator in statement.get("Condition", {}).values() for key in operator}
        for action in statements.listed(statement["Action"]):
            told = [cells[1] for other, cells in rows if other == kind and action in code(cells[0])]
            assert keys <= {key for cell in told for key in code(cell)}, (kind, action)


def test_the_document_says_what_the_tests_prove(rows: Rows) -> None:
    """For the roles that run: the same grants as in the test's tables, with the same steps, or 'not here'."""
    told = {
        (kind, action, resource): re.findall(r"\*\*(.+?)\*\*", cells[3])[0]
        for kind, cells in rows
        if kind in ("airflow", "task", "exec")
        for action in code(cells[0])
        for resource in code(cells[1].partition(", if ")[0])
    }

    assert told == {**STEPS, **dict.fromkeys(NOT_HERE, "not here")}


def test_who_may_take_a_role_is_in_the_document(templates: Templates) -> None:
    """The services that each kind of role trusts, and whether only for this account."""
    told = {}
    for line in DOCUMENT.read_text().partition("## Who may take which role")[2].partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in HEADINGS:
            told[HEADINGS[cells[0]]] = (set(code(cells[1])), set(code(cells[2])))
    made = {}
    for template in templates.values():
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] != "AWS::IAM::Role":
                continue
            properties = resource["Properties"]
            trust = properties["AssumeRolePolicyDocument"]["Statement"]
            kind = kind_of(logical_id, resource["Type"], str(properties.get("RoleName", "")))
            services = {one for found in trust for one in statements.listed(found["Principal"]["Service"])}
            keys = {key for one in trust for operator in one.get("Condition", {}).values() for key in operator}
            made[kind] = (services, keys)

    assert made == told


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
