"""docs/permissions.md as data, and the templates' permissions in the same form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.stacks import statements

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"
Rows = list[tuple[str, list[str]]]
"""Kind of role, and the cells of a line of its table."""
Statements = list[tuple[str, dict[str, Any]]]
"""Kind of role, and a statement of its policy."""
Takers = dict[str, tuple[set[str], set[str]]]
"""Kind of role → the services that may take it, and the condition keys of that."""

STARTS = {
    "ExecutionRole": "airflow",
    "CustomCDKBucketDeployment": "function",
    "VpcFlowLog": "flow log",
    "StoppedRole": "failures",
    "CheckRole": "switch",
    "ReleaseRole": "switch",
    "ReleaseUploadRole": "upload",
    "AirflowPolicy": "policy",
    "OverdueRole": "watch",
    "ReaperRole": "reaper",
    "MwaaEndpointsRole": "endpoints",
    "MwaaEndpointsStarter": "starter",
}
"""What a logical id begins with → the kind of the role."""
HEADINGS = {
    "Airflow": "airflow",
    "Containers": "task",
    "Before and beside the container": "exec",
    "The functions that fill the buckets": "function",
    "The functions that make a release live": "switch",
    "The function that looks for overdue schedules": "watch",
    "The function that stops tasks after their deadline": "reaper",
    "The VPC's flow log": "flow log",
    "The function that reports failed tasks": "failures",
    "Policies of buckets and of the topic": "resource",
}
"""Heading of the document → the kind of the roles below it."""


def rows(headings: Mapping[str, str]) -> Rows:
    """The tables below these headings: title → kind."""
    found, kind = [], ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("#"):
            title = line.lstrip("# ").partition(":")[0]
            kind = next((one for heading, one in headings.items() if title == heading), "")
        elif kind and line.startswith("| `"):
            found.append((kind, [cell.strip() for cell in line.strip("|").split(" | ")]))
    assert {kind for kind, _ in found} == set(headings.values())
    return found


def code(cell: str) -> list[str]:
    """What a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def resources(cells: list[str]) -> list[str]:
    """The resources of a row, its conditions left out."""
    return code(cells[1].partition(", if ")[0])


def template_statements(templates: Mapping[str, dict[str, Any]]) -> Statements:
    """Every statement of every policy in every template."""
    found = []
    for template in templates.values():
        for logical_id, resource in template["Resources"].items():
            properties = resource.get("Properties", {})
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
            for document in documents:
                kind = kind_of(logical_id, resource["Type"], str(properties.get("RoleName", "")))
                found += [(kind, statement) for statement in document["Statement"]]
    return found


def actions(found: Statements) -> set[tuple[str, str]]:
    """Kind and action of each statement."""
    return {(kind, action) for kind, statement in found for action in statements.listed(statement["Action"])}


def kind_of(logical_id: str, resource_type: str, role_name: str) -> str:
    """Whose permissions these are.

    Raises:
        StopIteration: a role that is in no list.
    """
    if resource_type == "AWS::EC2::VPCEndpoint":
        return "vpc endpoint"
    if not resource_type.startswith("AWS::IAM::"):
        return "resource"
    for suffix, kind in (("-task", "task"), ("-exec", "exec")):
        if role_name.endswith(suffix):
            return kind
    return next(kind for start, kind in STARTS.items() if logical_id.startswith(start))


def takers(templates: Mapping[str, dict[str, Any]]) -> Takers:
    """Who may take the roles of the templates."""
    kinds = {}
    for template in templates.values():
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] != "AWS::IAM::Role":
                continue
            properties = resource["Properties"]
            trust = properties["AssumeRolePolicyDocument"]["Statement"]
            kind = kind_of(logical_id, resource["Type"], str(properties.get("RoleName", "")))
            services = {one for found in trust for one in statements.listed(found["Principal"]["Service"])}
            keys = {key for one in trust for operator in one.get("Condition", {}).values() for key in operator}
            kinds[kind] = (services, keys)
    return kinds


def told_takers(headings: Mapping[str, str]) -> Takers:
    """Who may take these roles, by the document."""
    columns = {}
    for line in DOCUMENT.read_text().partition("## Who may take which role")[2].partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in headings:
            columns[headings[cells[0]]] = (set(code(cells[1])), set(code(cells[2])))
    return columns
