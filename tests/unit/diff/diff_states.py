"""Two small stacks and a small plan, and other states of them, for the tests of what a deploy changes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from penstock.compile.compiler import compile_plan
from penstock.diff import plans
from penstock_runtime.plan.plan import Plan
from tests.unit.project_files import loaded

NETWORK = {
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "Nat": {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": {"Ref": "Subnet"}}},
    },
    "Outputs": {"Out": {"Value": {"Ref": "Subnet"}, "Export": {"Name": "net:Subnet"}}},
}
AIRFLOW: dict[str, Any] = {
    "Resources": {
        "Environment": {
            "Type": "AWS::MWAA::Environment",
            "Properties": {
                "Name": "acme",
                "EnvironmentClass": "mw1.small",
                "NetworkConfiguration": {
                    "SubnetIds": [{"Fn::ImportValue": "net:Subnet"}],
                    "SecurityGroupIds": ["sg-1"],
                },
            },
        },
        "Dags0A1B2C3D": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "Metadata": {"aws:cdk:path": "airflow/Dags/Resource"},
        },
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/a"}},
        "CDKMetadata": {"Type": "AWS::CDK::Metadata"},
    }
}
BOTH = {"net": NETWORK, "airflow": AIRFLOW}


def edited(stack: str, logical_id: str, **properties: Any) -> dict[str, Any]:
    """`BOTH` with other properties of one resource; None takes one away."""
    copy: dict[str, Any] = json.loads(json.dumps(BOTH))
    own = copy[stack]["Resources"][logical_id].setdefault("Properties", {})
    own |= properties
    copy[stack]["Resources"][logical_id]["Properties"] = {key: one for key, one in own.items() if one is not None}
    return copy


def small_plan(folder: Path) -> Plan:
    """The plan of a project with one schedule and one DAG file of its own."""
    return compile_plan(loaded(folder, files={"dags/own.py": "# mine\n"}))


def changed(plan: Plan, **fields: Any) -> dict[str, Any]:
    """The plan's data with another first task."""
    (schedule,) = plan.schedules
    tasks = (replace(schedule.tasks[0], **fields), *schedule.tasks[1:])
    return plans.as_data(replace(plan, schedules=(replace(schedule, tasks=tasks),)))
