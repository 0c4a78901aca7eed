"""What one stack exports to another never changes, whatever the user changes: CloudFormation would refuse it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from penstock.diff import templates as diff
from penstock_runtime.plan.airflow import Airflow, SelfManagedAirflow, UsedAirflow
from penstock_runtime.plan.network import Network
from penstock_runtime.plan.task_definition import Image, Secret
from tests.stacks import plans
from tests.stacks.conftest import Templates

OTHER = Secret("OTHER", "secretsmanager", "acme/other")


def exports(templates: Templates) -> dict[str, Any]:
    return {
        output["Export"]["Name"]: output["Value"]
        for template in templates.values()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }


def imports(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["Fn::ImportValue"]} if "Fn::ImportValue" in value else set()
        return own.union(*(imports(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(imports(one) for one in value))
    return set()


def test_a_changed_plan_changes_no_export(templates: Templates, tmp_path: Path) -> None:
    """Other schedule, size, secrets, image, definitions and Airflow options: exports and imports are the same."""
    task = dataclasses.replace(plans.TASK, memory_mib=8192, cpu_units=2048)
    changed = dataclasses.replace(
        plans.PLAN,
        task_definitions=(
            dataclasses.replace(plans.OPENMETADATA, cpu_units=2048, memory_mib=8192, secrets=(plans.TOKEN, OTHER)),
            dataclasses.replace(plans.MELTANO, image=Image("registry", "example.com/meltano:8"), architecture="x86_64"),
        ),
        schedules=(
            dataclasses.replace(plans.SCHEDULE, name="hourly", dag_id="hourly", cron="0 * * * *", tasks=(task,)),
        ),
        airflow=Airflow("acme-dev", "3.0.6", "mw1.medium", 2, 9, "private", {"core.parallelism": "80"}),
    )
    before, after = templates, plans.synthesize(changed, tmp_path)

    assert before != after
    assert exports(after) == exports(before)
    assert imports(after) == imports(before)
    assert imports(before) <= set(exports(before))


def test_only_ids_that_last_are_exported(templates: Templates) -> None:
    """VPC, subnets, security groups and the artifacts bucket; no task definition, role or log group."""
    kinds = set()
    for template in templates.values():
        for output in template.get("Outputs", {}).values():
            if "Export" in output:
                ((function, argument),) = output["Value"].items()
                logical_id = argument if function == "Ref" else argument[0]
                kinds.add(template["Resources"][logical_id]["Type"])

    assert kinds == {"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::S3::Bucket"}


NEW = plans.PLAN.airflow
USED = UsedAirflow("team", "2.10.3", "team", "dags", "team-role", None)
OWN = SelfManagedAirflow("3.0.6", None, "dags", None)
CREATED, UNNAMED = plans.PLAN.network, plans.UNNAMED.network
SHAPES: dict[str, tuple[Network, Any]] = {
    "created": (CREATED, NEW),
    "created, own endpoints": (CREATED, dataclasses.replace(NEW, endpoint_management="customer")),  # type: ignore[type-var]
    "created, one NAT gateway": (dataclasses.replace(CREATED, nat_gateways=1), NEW),
    "created, endpoints": (plans.SEALED.network, NEW),
    "created, their MWAA": (CREATED, USED),
    "created, own Airflow": (CREATED, OWN),
    "created, other range": (dataclasses.replace(CREATED, cidr="10.30.0.0/16"), OWN),
    "created, other zones": (dataclasses.replace(CREATED, zones=("eu-west-1b", "eu-west-1c")), OWN),
    "used": (UNNAMED, NEW),
    "used, own Airflow": (UNNAMED, OWN),
    "used, tasks' group named": (dataclasses.replace(UNNAMED, task_security_groups=("sg-0000000d",)), NEW),
    "used, MWAA's group named": (dataclasses.replace(UNNAMED, airflow_security_groups=("sg-0000000d",)), NEW),
    "used, all named": (plans.EXISTING.network, NEW),
    "used, all named, own Airflow": (plans.EXISTING.network, OWN),
    "used, other VPC": (dataclasses.replace(UNNAMED, vpc="vpc-1a1b2c3d"), OWN),
}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Templates]:
    """The templates of each shape."""
    templates = {}
    for number, (name, (network, airflow)) in enumerate(SHAPES.items()):
        plan = dataclasses.replace(plans.PLAN, network=network, airflow=airflow)
        templates[name] = plans.synthesize(plan, tmp_path_factory.mktemp(f"shape-{number}"))
    return templates


def refused(before: Templates, after: Templates) -> set[str]:
    """The exports that CloudFormation would not let the deploy of `after` change.

    It goes stack by stack: the network's own is updated while the others still import what they have imported.
    """
    return {
        name
        for stack in set(before) & set(after)
        for name, value in exports({stack: before[stack]}).items()
        if name in imports({other: one for other, one in before.items() if other != stack})
        and value != exports({stack: after[stack]}).get(name)
    }


def test_no_change_of_the_network_takes_an_export_away(shapes: dict[str, Templates]) -> None:
    """From every shape to every other: what the deployed stacks import stays, or its whole stack is left alone."""
    stuck = {(a, b): refused(shapes[a], shapes[b]) for a in shapes for b in shapes}

    assert {change: names for change, names in stuck.items() if names} == {}


def test_what_cannot_be_changed_is_refused_by_diff(shapes: dict[str, Templates]) -> None:
    """Another range or zones replace the exported subnets. An MWAA environment that would lose its own is in danger."""
    held = {(a, b) for a in shapes for b in shapes if diff.held(shapes[a], shapes[b])}
    created = {name for name in shapes if name.startswith("created")}
    others = {"created, other range", "created, other zones"}
    assert held == {(a, b) for a in created for b in created if a != b and {a, b} & others}

    mwaa = {name for name, (_, airflow) in SHAPES.items() if isinstance(airflow, Airflow)}
    for a in mwaa:
        for b in mwaa:
            lost = [one for one in diff.compare(shapes[a], shapes[b]) if one.loss and "MWAA" in one.type]
            endpoints = "created, own endpoints"
            fixed = a.startswith("created") != b.startswith("created") or (a == endpoints) != (b == endpoints)
            assert bool(lost) == fixed, (a, b)


def test_the_same_plan_gives_the_same_templates(templates: Templates, tmp_path: Path) -> None:
    """A second synth in another folder gives the same bytes."""
    assert json.dumps(plans.synthesize(plans.PLAN, tmp_path)) == json.dumps(templates)
