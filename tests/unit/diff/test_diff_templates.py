"""Two sets of templates compared: what comes, goes, changes or is replaced."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.diff import plans, report, templates
from penstock_runtime.plan.plan import Plan
from tests.unit.diff.diff_states import AIRFLOW, BOTH, NETWORK, edited, small_plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return small_plan(tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"Name": "other"}, "Name"),
        ({"KmsKey": "arn"}, "KmsKey"),
        ({"EndpointManagement": "CUSTOMER"}, "EndpointManagement"),
        (
            {"NetworkConfiguration": {"SubnetIds": ["a"], "SecurityGroupIds": ["sg-1"]}},
            "NetworkConfiguration.SubnetIds",
        ),
    ],
)
def test_what_is_fixed_at_creation_replaces_mwaa(properties: dict[str, Any], why: str) -> None:
    """Name, subnets, key and endpoint management; its database goes with it."""
    (change,) = templates.compare(BOTH, edited("airflow", "Environment", **properties))

    assert (change.kind, change.name, change.because) == ("replaced", "acme", (why,))
    assert change.properties == tuple(properties)
    assert change.loss is not None
    assert "run history" in change.loss


@pytest.mark.parametrize(
    "properties",
    [
        {"EnvironmentClass": "mw1.large"},
        {"NetworkConfiguration": {"SubnetIds": [{"Fn::ImportValue": "net:Subnet"}], "SecurityGroupIds": ["sg-2"]}},
        {"AirflowVersion": "3.0.6"},
    ],
)
def test_the_rest_changes_it_in_place(properties: dict[str, Any]) -> None:
    """Class, version and security groups: nothing is lost."""
    (change,) = templates.compare(BOTH, edited("airflow", "Environment", **properties))

    assert (change.kind, change.loss) == ("changed", None)
    assert change.properties == tuple(properties)


@pytest.mark.parametrize("leaves", ["StartupScriptS3Path", "WeeklyMaintenanceWindowStart"])
def test_what_mwaa_keeps_although_it_left_the_template_is_said(leaves: str) -> None:
    """It leaves the template alone; with another value, or put in, it is like any change."""
    has = edited("airflow", "Environment", **{leaves: "one"})
    (gone,) = templates.compare(has, BOTH)
    (other,) = templates.compare(has, edited("airflow", "Environment", **{leaves: "two"}))
    (new,) = templates.compare(BOTH, has)

    assert gone.properties == (leaves,)
    assert gone.stays[0].startswith(f"{leaves} was one; ")
    assert (other.stays, new.stays) == ((), ())


def test_replacement_spreads_through_references_and_exports() -> None:
    """Another address range of the VPC replaces its subnets and groups, and the environment two stacks further on."""
    changes = {one.name: one for one in templates.compare(BOTH, edited("net", "Vpc", CidrBlock="10.1.0.0/16"))}

    assert {name for name, one in changes.items() if one.kind == "replaced"} == {
        "net/Vpc", "net/Subnet", "net/Group", "net/Nat", "acme"
    }  # fmt: skip
    assert changes["acme"].because == ("NetworkConfiguration.SubnetIds",)
    assert changes["acme"].properties == ()


def test_a_replaced_role_tells_all_that_changes() -> None:
    """Not only why it is replaced: a boundary that comes with another path and name counts as much."""

    def role(**properties: Any) -> dict[str, Any]:
        return {"a": {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}}

    before = role(RoleName="acme-task")
    (change,) = templates.compare(before, role(RoleName="xacme-task", Path="/data/", PermissionsBoundary="arn:b"))

    assert (change.kind, change.because) == ("replaced", ("Path", "RoleName"))
    assert change.properties == ("Path", "PermissionsBoundary", "RoleName")
    assert [str(field) for field in change.fields] == [
        "Path: nothing → /data/", "PermissionsBoundary: nothing → arn:b", "RoleName: acme-task → xacme-task"
    ]  # fmt: skip


def test_values_are_told_that_a_person_can_read() -> None:
    """One by one, deep in containers and tags too, references in words; neither hashes nor long ones nor policies."""

    def task(*, mode: str, secrets: dict[str, str], code: str, **properties: Any) -> dict[str, Any]:
        container = {
            "Name": "task",
            "LogConfiguration": {"Options": {"mode": mode, "awslogs-group": {"Ref": "Logs0A1B2C3D"}}},
            "Secrets": [{"Name": name, "ValueFrom": arn} for name, arn in secrets.items()],
            "EntryPoint": ["python3", "-c", code],
        }
        definition = {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {"ContainerDefinitions": [container], **properties},
        }
        return {"a": {"Resources": {"Task": definition}}}

    digest = "0a1b2c3d" * 8
    tags = [[{"Key": "team", "Value": value}] for value in "ab"]
    key = {"Fn::GetAtt": ["Key0A1B2C3D", "Arn"]}
    before = task(mode="blocking", secrets={"A": "arn:a"}, code="x" * 90, Tags=tags[0], KmsKeyId=key,
                  Code={"S3Key": digest}, Policies=[{"PolicyName": "p"}])  # fmt: skip
    after = task(mode="non-blocking", secrets={"A": "arn:a", "B": "arn:b"}, code="y" * 90, Tags=tags[1],
                 Code={"S3Key": digest[::-1]}, Policies=[])  # fmt: skip
    (change,) = templates.compare(before, after)

    assert change.properties == ("Code", "ContainerDefinitions", "KmsKeyId", "Policies", "Tags")
    assert [str(field) for field in change.fields] == [
        "ContainerDefinitions.task.LogConfiguration.Options.mode: blocking → non-blocking",
        "ContainerDefinitions.task.Secrets.B: nothing → arn:b",
        "KmsKeyId: <Key> → nothing",
        "Tags.team: a → b",
    ]


@pytest.mark.parametrize(
    ("property_", "before", "after", "told"),
    [
        ("KmsKeyId", "key/mrk-" + "0a1b2c3d" * 4, None, f"KmsKeyId: key/mrk-{'0a1b2c3d' * 4} → nothing"),
        (
            "SubnetIds",
            ["subnet-0a1b2c3d4e5f67890"],
            ["subnet-1", "x"],
            "SubnetIds: subnet-0a1b2c3d4e5f67890 → subnet-1, x",
        ),
        ("Enabled", True, False, "Enabled: true → false"),
        ("Size", 0, None, "Size: 0 → nothing"),
        ("Plan", "0a1b2c3d" * 8, "1b2c3d4e" * 8, None),
        ("Key", f"runtime/{'0a1b2c3d' * 8}.zip", None, None),
        ("Script", "one\ntwo", None, None),
        ("SourceBucketNames", ["one"], ["two"], None),
    ],
)
def test_ids_are_values_and_digests_are_none(property_: str, before: Any, after: Any, told: str | None) -> None:
    """Of those that cannot be read the property is named, and that is all."""
    (change,) = templates.compare(
        edited("net", "Nat", **{property_: before}), edited("net", "Nat", **{property_: after})
    )

    assert change.properties == (property_,)
    assert [str(field) for field in change.fields] == [told] * bool(told)


def test_a_bucket_that_is_kept_leaves_and_a_log_that_is_not_is_lost() -> None:
    """By the deployed template's DeletionPolicy. A whole stack that is gone from the project is not deleted."""
    without = {"net": NETWORK, "airflow": {"Resources": {"Environment": AIRFLOW["Resources"]["Environment"]}}}
    changes = {one.name: one for one in templates.compare(BOTH, without)}

    assert (changes["airflow/Dags"].kind, changes["airflow/Dags"].loss) == ("removed", None)
    assert (changes["/a"].kind, changes["/a"].loss) == ("removed", "its log")
    assert templates.compare(BOTH, {"airflow": AIRFLOW}) == []
    assert templates.left_over(BOTH, {"airflow": AIRFLOW}) == ["net"]


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        (BOTH, False),
        ({"airflow": AIRFLOW}, False),
        (edited("net", "Vpc", CidrBlock="10.1.0.0/16"), True),
        ({**BOTH, "net": {**NETWORK, "Outputs": {}}}, True),
    ],
    ids=["unchanged", "the stack leaves the project", "another subnet", "export gone"],
)
def test_an_export_in_use_is_not_changed(plan: Plan, after: dict[str, Any], changes: bool) -> None:
    """CloudFormation would refuse the deploy at its first stack, so `diff` says it, with who imports what."""
    comparison = report.compare((BOTH, None), (after, plans.as_data(plan)), prices={}).refusal

    assert [one.importers for one in templates.held(BOTH, after)] == [("airflow",)] * changes
    assert (comparison is None) != changes
    if comparison:
        assert comparison.startswith(
            "net would change its export net:Subnet, and CloudFormation refuses that while airflow"
        )


def test_what_nobody_imports_may_change() -> None:
    without = {"net": NETWORK, "airflow": {"Resources": {}}}

    assert templates.held(without, {**without, "net": {**NETWORK, "Outputs": {}}}) == []


def test_nothing_changes_between_equal_templates() -> None:
    assert templates.compare(BOTH, json.loads(json.dumps(BOTH))) == []
