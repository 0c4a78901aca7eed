"""Plans, templates, permissions and cost compared; nothing of AWS is called."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock.cli import deployed
from penstock.compile import compile_plan
from penstock.diff import cost, permissions, plans, prices, report, templates
from penstock.diff.replacement import FIXED
from penstock.home import CDK
from penstock_runtime.errors import InputError, PenstockError
from penstock_runtime.plan import Plan
from tests.unit.project_files import loaded


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return compile_plan(loaded(tmp_path_factory.mktemp("project"), files={"dags/own.py": "# mine\n"}))


def changed(plan: Plan, **fields: Any) -> dict[str, Any]:
    """The plan's data with another first task."""
    (schedule,) = plan.schedules
    tasks = (replace(schedule.tasks[0], **fields), *schedule.tasks[1:])
    return plans.as_data(replace(plan, schedules=(replace(schedule, tasks=tasks),)))


# Plans


def test_the_same_plan_has_no_changes(plan: Plan) -> None:
    assert plans.compare(plans.as_data(plan), plans.as_data(plan)) == []
    assert plans.dag_files(plans.as_data(plan), plans.as_data(plan)) == []


def test_each_field_is_told_by_its_path(plan: Plan) -> None:
    """Sizes, environment variables one by one, tasks that come and go, the interval."""
    (schedule,) = plan.schedules
    before = plans.as_data(plan)
    task = replace(schedule.tasks[0], memory_mib=4096, environment={"A": "1"}, config="f" * 64)
    other = replace(schedule, cron="5 4 * * *", source="something else", tasks=(task,))
    (change,) = plans.compare(before, plans.as_data(replace(plan, schedules=(other,))))

    assert change.kind == "changed"
    told = {str(field) for field in change.fields}
    assert "interval: 0 3 * * * → 5 4 * * *" in told
    assert "tasks.load.memory_mib: 1024 → 4096" in told
    assert "tasks.load.environment.A: nothing → 1" in told
    assert "tasks.load.workflow file changed" in told
    assert any(one.startswith("tasks.catalogue: openmetadata metadata, 512 CPU units") for one in told)
    assert not any("source" in one for one in told)


def test_schedules_and_files_come_and_go(plan: Plan) -> None:
    """Against nothing, all is new; a plan of another version, with other fields, can be compared."""
    data = plans.as_data(plan)
    (added,) = plans.compare(None, data)
    (removed,) = plans.compare(data, {**data, "schedules": []})
    future = {**data, "schedules": [{**data["schedules"][0], "sla": 5}], "more": {}}
    (other,) = plans.compare(future, data)

    assert (added.kind, added.dag_id, added.note) == ("added", "daily", "0 3 * * * Europe/Berlin; load, catalogue")
    assert (removed.kind, removed.dag_id) == ("removed", "daily")
    assert [str(field) for field in other.fields] == ["sla: 5 → nothing"]
    assert plans.dag_files(data, {**data, "dag_files": [{"path": "two.py", "text": ""}]}) == [
        ("removed", "own.py"), ("added", "two.py")
    ]  # fmt: skip


# Templates

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

    assert (change.kind, change.name, change.properties) == ("replaced", "acme", (why,))
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
    found = {one.name: one for one in templates.compare(BOTH, edited("net", "Vpc", CidrBlock="10.1.0.0/16"))}

    assert {name for name, one in found.items() if one.kind == "replaced"} == {
        "net/Vpc", "net/Subnet", "net/Group", "acme"
    }  # fmt: skip
    assert found["acme"].properties == ("NetworkConfiguration.SubnetIds",)


def test_a_bucket_that_is_kept_leaves_and_a_log_that_is_not_is_lost() -> None:
    """By the deployed template's DeletionPolicy. A whole stack that is gone from the project is not deleted."""
    without = {"net": NETWORK, "airflow": {"Resources": {"Environment": AIRFLOW["Resources"]["Environment"]}}}
    found = {one.name: one for one in templates.compare(BOTH, without)}

    assert (found["airflow/Dags"].kind, found["airflow/Dags"].loss) == ("removed", None)
    assert (found["/a"].kind, found["/a"].loss) == ("removed", "its log")
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
    ids=["as it is", "the stack leaves the project", "another subnet", "export gone"],
)
def test_an_export_in_use_is_not_changed(plan: Plan, after: dict[str, Any], changes: bool) -> None:
    """CloudFormation would refuse the deploy at its first stack, so `diff` says it, with who imports what."""
    told = report.compare((BOTH, None), (after, plans.as_data(plan)), prices={}).refusal

    assert [one.importers for one in templates.held(BOTH, after)] == [("airflow",)] * changes
    assert (told is None) != changes
    if told:
        assert told.startswith("net would change its export net:Subnet, and CloudFormation refuses that while airflow")


def test_what_nobody_imports_may_change() -> None:
    without = {"net": NETWORK, "airflow": {"Resources": {}}}

    assert templates.held(without, {**without, "net": {**NETWORK, "Outputs": {}}}) == []


def test_nothing_changes_between_equal_templates() -> None:
    assert templates.compare(BOTH, json.loads(json.dumps(BOTH))) == []


def test_the_table_says_what_cloudformation_does() -> None:
    """As in the resource schemas that come with the pinned CDK CLI, for every property that the table names, and all of
    those of MWAA's environment."""
    with gzip.open(CDK.parent.parent / "aws-cdk" / "db.json.gz") as file:
        schema = json.load(file)["schema"]
    types = {one["$id"]: one for one in schema["typeDefinition"]["entities"]}
    resources = {one["cloudFormationType"]: one["properties"] for one in schema["resource"]["entities"]}

    def fixed(properties: Any, prefix: str = "") -> set[str]:
        found = set()
        for name, one in properties.items():
            if one.get("causesReplacement") in ("yes", "maybe"):
                found.add(prefix + name)
            if one["type"]["type"] == "ref":
                found |= fixed(types[one["type"]["reference"]["$ref"]]["properties"], f"{prefix}{name}.")
        return found

    for kind, paths in FIXED.items():
        assert set(paths) <= fixed(resources[kind]), kind
    for kind in ("AWS::MWAA::Environment", "AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::KMS::Key"):
        assert set(FIXED[kind]) == fixed(resources[kind]), kind


# Permissions


def role(*statements: dict[str, Any]) -> dict[str, Any]:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs"}, "Action": "sts:AssumeRole"}]}
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": list(statements)}}
    properties = {"RoleName": "worker", "AssumeRolePolicyDocument": trust, "Policies": [policy]}
    return {"a": {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}}


def test_grants_gained_and_lost() -> None:
    """By role, resource and condition; a statement written otherwise is no change."""
    bucket = {"Fn::Join": ["", [{"Fn::GetAtt": ["Dags0A1B2C3D", "Arn"]}, "/*"]]}
    get = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": bucket}
    put = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": bucket, "Condition": {"Bool": {"x": "true"}}}
    both = {"Effect": "Allow", "Action": ["s3:DeleteObject", "s3:GetObject"], "Resource": [bucket]}
    found = permissions.compare(role(get, put), role(both))

    assert [str(one) for one in found] == [
        "worker: s3:DeleteObject on <Dags>/*",
        'worker: s3:PutObject on <Dags>/* if {"Bool": {"x": "true"}}',
    ]
    assert [one.kind for one in found] == ["gained", "lost"]
    assert permissions.compare(role(get), role({**get, "Action": "s3:GetObject", "Resource": [bucket]})) == []


def test_policies_apart_from_roles_and_of_buckets_count_too() -> None:
    """A policy's grants are its role's; a bucket's policy names who it is for; so does a role's trust."""
    document = {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}}
    grant = {"Statement": [{"Effect": "Allow", "Action": "a:b", "NotResource": "c"}]}
    more = role()["a"]["Resources"] | {
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": grant}},
        "BucketPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": document}},
    }
    found = permissions.compare({}, {"a": {"Resources": more}})

    assert {str(one) for one in found} == {
        'worker: sts:AssumeRole on role worker by {"Service": "ecs"}',
        "worker: a:b on everything but c",
        "policy of a/BucketPolicy: denied s3:* on * by *",
    }


# Cost


@pytest.mark.parametrize(
    ("cron", "runs"),
    [
        (None, 0),
        ("0 3 * * *", 365 / 12),
        ("*/15 * * * *", 96 * 365 / 12),
        ("0 0 1 * *", 1),
        ("0 0 1 1 *", 1 / 12),
        ("0 12 * * 0", 52 / 12),
        ("0 0 1 * 1", (12 + 52 - 1) / 12),
        ("5 4-6 1-3 2 *", 9 / 12),
    ],
)
def test_runs_of_a_month(cron: str | None, runs: float) -> None:
    """Counted over a year. Days and weekdays together mean either: one first of a month of 2026 is a Monday."""
    assert cost.runs_per_month(cron) == pytest.approx(runs)


def test_what_runs_all_the_time(plan: Plan) -> None:
    """NAT gateways, and MWAA with the workers above the first."""
    found = cost.estimate(edited("airflow", "Environment", MinWorkers=3), None, prices.prices_of("us-east-1"))

    assert {line.what: (line.count, line.monthly) for line in found.lines} == {
        "NAT gateways": (1, pytest.approx(0.045 * 730)),
        "MWAA environment, mw1.small": (1, pytest.approx(0.49 * 730)),
        "more workers and schedulers, mw1.small": (2, pytest.approx(2 * 0.055 * 730)),
    }
    assert found.fixed == pytest.approx((0.045 + 0.49 + 0.11) * 730)


def test_a_run_at_most_and_what_is_not_known(plan: Plan) -> None:
    """Every task by its whole timeout; a region or class without a price is unknown, and so is every sum with it."""
    known = cost.estimate(BOTH, changed(plan, cpu_units=1024, memory_mib=2048, ephemeral_storage_gib=50), {
        **prices.prices_of("us-east-1"),
    })  # fmt: skip
    (run,) = known.runs
    load = 0.04048 + 2 * 0.004445 + 30 * 0.000111
    catalogue = 0.5 * 0.04048 + 0.004445

    assert run.at_most == pytest.approx(load + catalogue)
    assert known.by_schedule == pytest.approx((load + catalogue) * 365 / 12)
    nowhere = cost.estimate(BOTH, plans.as_data(plan), prices.prices_of("eu-west-9"))
    assert (nowhere.fixed, nowhere.by_schedule, nowhere.runs[0].at_most) == (None, None, None)
    large = cost.estimate(
        edited("airflow", "Environment", EnvironmentClass="mw1.2xlarge"), None, prices.TABLE["us-east-1"]
    )
    assert large.fixed is None


def test_own_prices_win(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text('{"eu-west-1": {"nat_gateway_hour": 1, "mwaa.mw1.micro_hour": 0.3}}')

    own = prices.prices_of("eu-west-1", file)
    assert {**own, "nat_gateway_hour": 1, "mwaa.mw1.micro_hour": 0.3} == own
    assert own["fargate.x86_64.vcpu_hour"] > 0
    assert prices.prices_of("us-east-1", file) == prices.prices_of("us-east-1")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "cannot be read"),
        ("[]", "not an object of objects"),
        ('{"eu-west-1": 3}', "not an object of objects"),
        ('{"eu-west-1": {"nat": 3}}', "there is no price 'nat'"),
        ('{"eu-west-1": {"nat_gateway_hour": "3"}}', "is no price: '3'"),
        ('{"eu-west-1": {"nat_gateway_hour": -1}}', "is no price: -1"),
        ('{"eu-west-1": {"nat_gateway_hour": true}}', "is no price: True"),
    ],
)
def test_prices_that_are_none(tmp_path: Path, text: str, what: str) -> None:
    """The file, what is wrong with it, and its shape."""
    file = tmp_path / "prices.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"price") as caught:
        prices.prices_of("eu-west-1", file)
    assert what in str(caught.value)
    assert str(file) in str(caught.value)
    assert "nat_gateway_hour" in caught.value.fix


# All together


def test_a_danger_is_one_until_it_is_named(plan: Plan) -> None:
    after = edited("airflow", "Environment", Name="other")
    found = report.compare((BOTH, None), (after, plans.as_data(plan)), prices={})

    assert [one.name for one in found.dangers] == ["acme"]
    assert "because Name cannot change" in found.dangers[0].what
    assert found.refused([]) == found.dangers
    assert found.refused(["acme"]) == ()
    assert not found.empty
    json.dumps(found.as_data())


def test_no_change_is_no_danger(plan: Plan) -> None:
    data = plans.as_data(plan)
    found = report.compare((BOTH, data), (BOTH, data), prices={})

    assert found.empty
    assert found.dangers == ()
    assert found.before == found.after


@pytest.mark.parametrize(
    ("old", "new", "told", "possible"),
    [
        ("2.9.2", "3.0.6", "cannot change to 3.0.6 in place: between 2 and 3 the way leads over 2.11", False),
        ("2.11.0", "3.0.6", "MWAA upgrades Airflow 2.11.0 to 3.0.6 in place, from one major version", True),
        ("2.9.2", "2.11.0", "MWAA upgrades Airflow 2.9.2 to 2.11.0 in place; it rolls back", True),
        ("2.11.0", "2.9.2", "MWAA downgrades Airflow 2.11.0 to 2.9.2 in place; it rolls back", True),
    ],
)
def test_another_airflow_is_told_with_what_mwaa_allows(
    plan: Plan, old: str, new: str, told: str, possible: bool
) -> None:
    """Before the deploy asks MWAA; an environment that is replaced begins with any version."""
    before = edited("airflow", "Environment", AirflowVersion=old)
    after = edited("airflow", "Environment", AirflowVersion=new)
    anew = edited("airflow", "Environment", AirflowVersion=new, Name="other")
    data = plans.as_data(plan)
    (move,) = report.compare((before, None), (after, data), prices={}).airflow

    assert str(move).startswith("acme: ")
    assert told in str(move)
    assert (move.problem is None) is possible
    assert report.compare((before, None), (anew, data), prices={}).airflow == ()
    assert report.compare((after, None), (after, data), prices={}).airflow == ()


def test_a_version_that_mwaa_refuses_ends_the_command(plan: Plan) -> None:
    """With the version that is possible."""
    before, after = (edited("airflow", "Environment", AirflowVersion=one) for one in ("2.9.2", "3.0.6"))
    found = report.compare((before, None), (after, plans.as_data(plan)), prices={})

    with pytest.raises(PenstockError, match="MWAA would refuse this deploy") as caught:
        deployed._refuse(found, set(), yes=False)
    assert caught.value.fix == "go to Airflow 2.11 first, or leave airflow.create.version at 2.9.2"
