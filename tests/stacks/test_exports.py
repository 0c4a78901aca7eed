"""What crosses a stack border stays as it is, whatever the user changes: CloudFormation refuses to change an export."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from penstock_runtime.airflow_environment import Airflow
from penstock_runtime.task_definition import Image, Secret
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
    assert imports(before) == set(exports(before))


def test_only_ids_that_last_are_exported(templates: Templates) -> None:
    """Subnets, security groups and the artifacts bucket; no task definition, role or log group."""
    kinds = set()
    for template in templates.values():
        for output in template.get("Outputs", {}).values():
            if "Export" in output:
                ((function, argument),) = output["Value"].items()
                logical_id = argument if function == "Ref" else argument[0]
                kinds.add(template["Resources"][logical_id]["Type"])

    assert kinds == {"AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::S3::Bucket"}


def test_the_same_plan_gives_the_same_templates(templates: Templates, tmp_path: Path) -> None:
    """A second synth in another folder gives the same bytes."""
    assert json.dumps(plans.synthesize(plans.PLAN, tmp_path)) == json.dumps(templates)
