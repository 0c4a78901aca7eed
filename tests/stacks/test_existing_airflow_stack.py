"""An Airflow that exists: one folder in its bucket, policies for its role, and nothing else of it in the template."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from penstock_runtime.errors import InputError
from penstock_runtime.plan.airflow import SelfManagedAirflow, UsedAirflow
from penstock_runtime.plan.iam_limits import MAX_POLICY_CHARACTERS
from penstock_runtime.plan.plan import Plan
from stacks.build import build_stacks
from stacks.managed_policies import ManagedPolicies, pack
from tests.stacks import plans, statements

KEY = f"arn:aws:kms:{plans.REGION}:{plans.ACCOUNT}:key/1a2b3c4d"
USE = dataclasses.replace(plans.EXISTING, airflow=UsedAirflow("team", "2.10.3", "team", "a/dags", "team-role", None))
USE_KEY = dataclasses.replace(USE, airflow=dataclasses.replace(USE.airflow, kms_key=KEY))
OWN = dataclasses.replace(plans.EXISTING, airflow=SelfManagedAirflow("3.0.6", None, "dags", None))
OWN_BUCKET = dataclasses.replace(plans.EXISTING, airflow=SelfManagedAirflow("3.0.6", "their-bucket", "dags", KEY))
ALL = {"use": USE, "use, own key": USE_KEY, "self-managed": OWN, "self-managed, their bucket": OWN_BUCKET}
OURS = {
    "ecs:RunTask", "iam:PassRole", "ecs:DescribeTasks", "ecs:StopTask", "ecs:TagResource", "ecs:ListTasks",
    "logs:GetLogEvents",
}  # fmt: skip


def airflow(plan: Plan, folder: Path) -> dict[str, Any]:
    return plans.synthesize(plan, folder)["acme-dev-airflow"]


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


@pytest.mark.parametrize("plan", ALL.values(), ids=ALL)
def test_nothing_of_theirs_is_a_resource(tmp_path: Path, plan: Plan) -> None:
    """No MWAA, no bucket, no bucket policy, no change of the existing role: an attachment belongs to the policy."""
    template = airflow(plan, tmp_path)
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    own = {"AWS::S3::Bucket", "AWS::S3::BucketPolicy"} if plan is OWN else set()

    assert kinds - own == {
        "AWS::ECS::TaskDefinition", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion", "AWS::Logs::LogGroup", "Custom::CDKBucketDeployment", "Custom::PenstockRelease",
    } | ({"AWS::IAM::Policy"} if own else set())  # fmt: skip


@pytest.mark.parametrize("plan", [USE, USE_KEY], ids=["key of AWS's", "own key"])
def test_the_role_that_exists_may_run_the_plans_tasks_and_no_more(tmp_path: Path, plan: Plan) -> None:
    """The same grants as for Penstock's role, by a managed policy that names the existing one."""
    template = airflow(plan, tmp_path)
    (policy,) = of_type(template, "AWS::IAM::ManagedPolicy").values()
    granted = statements.of_role(template, "Airflow")
    (run,) = statements.that_allow(granted, "ecs:RunTask")
    (hand_over,) = statements.that_allow(granted, "iam:PassRole")

    assert policy["Properties"]["Roles"] == ["team-role"]
    assert {action for one in granted for action in one["Action"]} == OURS
    ecs = f"arn:aws:ecs:{plans.REGION}:{plans.ACCOUNT}"
    engines = {definition.engine for definition in plan.task_definitions}
    assert set(run["Resource"]) == {f"{ecs}:task-definition/acme-dev-{engine}-????????:*" for engine in engines}
    assert run["Condition"] == {"ArnEquals": {"ecs:cluster": f"{ecs}:cluster/acme-dev"}}
    roles = {f"acme-dev-????????-{kind}" for kind in ("task", "exec")}
    assert set(hand_over["Resource"]) == {f"arn:aws:iam::{plans.ACCOUNT}:role/{name}" for name in roles}
    assert hand_over["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


@pytest.mark.parametrize("plan", [USE_KEY, OWN_BUCKET], ids=["use", "self-managed"])
def test_the_upload_reaches_our_folder_only(tmp_path: Path, plan: Plan) -> None:
    """CDK's function may write, delete and list below `<dags>/<prefix>/`, and gets nothing from CDK besides; nor may
    the one that makes the release live reach further."""
    assert not isinstance(plan.airflow, SelfManagedAirflow) or plan.airflow.bucket
    template = airflow(plan, tmp_path)
    roles = {
        name: one
        for name, one in of_type(template, "AWS::IAM::Role").items()
        if "ecs-tasks" not in json.dumps(one["Properties"]["AssumeRolePolicyDocument"])
    }
    (upload,) = [role for name, role in roles.items() if "UploadRole" in name]
    (switch,) = [role for name, role in roles.items() if "UploadRole" not in name]
    granted = statements.everywhere({"": {"Resources": {"role": upload}}})
    place = f"{plan.airflow.bucket}/{plan.airflow.dags}/acme-dev"  # type: ignore[union-attr]
    (write,) = statements.that_allow(granted, "s3:PutObject")
    (see,) = statements.that_allow(granted, "s3:ListBucket")
    (use_key,) = statements.that_allow(granted, "kms:GenerateDataKey")

    assert of_type(template, "AWS::IAM::Policy") == {}
    assert write["Resource"] == [f"arn:aws:s3:::{place}/*"]
    assert "s3:DeleteObject" in write["Action"]
    assert see["Condition"] == {"StringLike": {"s3:prefix": [f"{plan.airflow.dags}/acme-dev/*"]}}  # type: ignore[union-attr]
    assert use_key["Resource"] == [KEY]
    assert use_key["Condition"] == {"StringEquals": {"kms:ViaService": f"s3.{plans.REGION}.amazonaws.com"}}
    switching = statements.everywhere({"": {"Resources": {"role": switch}}})
    # Beside the releases it reads, in our own bucket, the plans that say which files are still needed.
    (read,) = [one for one in switching if any(arn.endswith("/release/*") for arn in one["Resource"])]
    releases, plans_read = read["Resource"]
    assert (read["Action"], releases) == (["s3:GetObject"], f"arn:aws:s3:::{place}/release/*")
    assert re.fullmatch(r"arn:aws:s3:::<acme-dev-ingestion:ExportsOutputRefArtifacts\w+>/plans/\*", plans_read)
    in_theirs = [one for one in switching if str(plan.airflow.bucket) in json.dumps(one["Resource"])]  # type: ignore[union-attr]
    assert {json.dumps(statement["Resource"]) for statement in in_theirs} == {
        f'["arn:aws:s3:::{plan.airflow.bucket}"]',  # type: ignore[union-attr]
        json.dumps(read["Resource"]),
        f'["arn:aws:s3:::{place}/*"]',
    }
    fetch = [one for one in granted if one not in (write, see, use_key)]
    assert [(one["Action"], "cdk-hnb659fds-assets" in one["Resource"][0]) for one in fetch] == [
        (["s3:GetObject"], True)
    ]


@pytest.mark.parametrize("plan", [USE, OWN_BUCKET, OWN], ids=["use", "their bucket", "our bucket"])
def test_files_in_a_bucket_of_theirs_go_with_the_stack(tmp_path: Path, plan: Plan) -> None:
    """Everything written or deleted is below the plan's folder. In Penstock's bucket files stay, as the bucket does."""
    template = airflow(plan, tmp_path)
    uploads = [one["Properties"] for one in of_type(template, "Custom::CDKBucketDeployment").values()]
    dags = plan.airflow.dags  # type: ignore[union-attr]

    folders = {one["DestinationBucketKeyPrefix"]: one["Prune"] for one in uploads}
    assert folders == {f"{dags}/acme-dev/release": False, f"{dags}/acme-dev": False}
    assert {one["RetainOnDelete"] for one in uploads} == {plan is OWN}


def test_permissions_come_before_the_dags(tmp_path: Path) -> None:
    """A DAG that arrives runs within seconds if it is due."""
    template = airflow(USE, tmp_path)
    policies = set(of_type(template, "AWS::IAM::ManagedPolicy"))
    (live,) = of_type(template, "Custom::PenstockRelease").values()

    assert policies
    assert policies <= set(live["DependsOn"])


@pytest.mark.parametrize(("plan", "bucket"), [(OWN, "<Dags"), (OWN_BUCKET, "arn:aws:s3:::their-bucket")])
def test_an_airflow_of_ones_own_may_fetch_the_bundle(tmp_path: Path, plan: Plan, bucket: str) -> None:
    """Its policy is attached to nobody; it reads the bundle and nothing else of the bucket."""
    template = airflow(plan, tmp_path)
    (policy,) = of_type(template, "AWS::IAM::ManagedPolicy").values()
    granted = statements.of_role(template, "Airflow")
    (read,) = statements.that_allow(granted, "s3:GetObject")
    (see,) = statements.that_allow(granted, "s3:ListBucket")

    assert "Roles" not in policy["Properties"]
    assert [one.startswith(bucket) for one in [*read["Resource"], *see["Resource"]]] == [True, True]
    assert read["Resource"][0].endswith("/dags/acme-dev/*")
    assert see["Condition"] == {"StringLike": {"s3:prefix": ["dags/acme-dev/*"]}}
    keys = {"kms:Decrypt"} if plan is OWN_BUCKET else set()
    assert {action for one in granted for action in one["Action"]} == OURS | {"s3:GetObject", "s3:ListBucket"} | keys
    assert {"DagFolder", "PolicyArn1"} <= set(template["Outputs"])


@pytest.mark.parametrize("account", [plans.ACCOUNT, None])
@pytest.mark.parametrize("plan", ALL.values(), ids=ALL)
def test_no_finding_of_cdk_nag_is_left(tmp_path: Path, plan: Plan, account: str | None) -> None:
    """A finding that is not acknowledged fails the synth, and so this test."""
    app = plans.application(tmp_path / "cdk.out")
    build_stacks(app, dataclasses.replace(plan, account=account), plans.files(tmp_path), account=None)
    plans.judge(app)
    app.synth()


@pytest.mark.parametrize("account", [plans.ACCOUNT, None])
def test_what_is_too_long_for_one_policy_goes_to_several(tmp_path: Path, account: str | None) -> None:
    """Every resource is granted once, and each policy fits into IAM's 6,144 characters."""
    app = plans.application(tmp_path / "cdk.out")
    stack = cdk.Stack(app, "stack", env=cdk.Environment(account=account, region=plans.REGION))
    policies = ManagedPolicies(stack, "Airflow")
    families = [f"acme-dev-command-{number:08x}" for number in range(150)]
    for family in families:
        resource = stack.format_arn(service="ecs", resource="task-definition", resource_name=f"{family}:*")
        policies.add_to_principal_policy(iam.PolicyStatement(actions=["ecs:RunTask"], resources=[resource]))
    policies.make("many")
    template = json.loads(Path(app.synth().directory, "stack.template.json").read_text())
    resources = of_type(template, "AWS::IAM::ManagedPolicy").values()

    sizes = [len(written(one["Properties"]["PolicyDocument"])) for one in resources]
    assert len(sizes) > 1
    assert max(sizes) <= MAX_POLICY_CHARACTERS
    # Packed well: with what is in the last one, they would not fit into one less.
    assert sum(sizes) > (len(sizes) - 1.5) * MAX_POLICY_CHARACTERS * 0.8
    run = statements.that_allow(statements.of_role(template, "Airflow"), "ecs:RunTask")
    allowed = [resource for one in run for resource in one["Resource"]]
    assert sorted(written(one).rsplit("/", 1)[-1].rstrip('"') for one in allowed) == [
        f"{family}:*" for family in families
    ]


@pytest.mark.parametrize(("count", "policies"), [(1, 1), (70, 1), (140, 2), (210, 3)])
def test_a_policy_is_filled_before_the_next_is_begun(count: int, policies: int) -> None:
    """Each resource counts once: what is in the next policy would not have fitted into the one before."""
    stack = cdk.Stack(cdk.App(), "stack", env=cdk.Environment(account=plans.ACCOUNT, region=plans.REGION))
    task = f"arn:aws:ecs:{plans.REGION}:{plans.ACCOUNT}:task-definition/acme-dev-command"
    arns = [f"{task}-{number:012}:*" for number in range(count)]
    packed = pack([iam.PolicyStatement(actions=["ecs:RunTask"], resources=arns)], stack)
    documents = [[resource for statement in document for resource in statement.resources] for document in packed]

    assert [one for document in documents for one in document] == arns
    assert len(documents) == policies
    sizes = [len(written(whole(document))) for document in packed]
    assert all(MAX_POLICY_CHARACTERS - len(f'"{arns[0]}",') <= size <= MAX_POLICY_CHARACTERS for size in sizes[:-1])
    assert sizes[-1] <= MAX_POLICY_CHARACTERS


def whole(statements: list[iam.PolicyStatement]) -> dict[str, Any]:
    """As IAM gets it."""
    return {"Version": "2012-10-17", "Statement": [statement.to_json() for statement in statements]}


def written(document: Any) -> str:
    """A policy as IAM counts it, with the longest of what CloudFormation fills in."""

    def fill(value: Any) -> Any:
        if isinstance(value, list):
            return [fill(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "Fn::Join" in value:
            return "".join(str(fill(one)) for one in value["Fn::Join"][1])
        if "Ref" in value:
            return {"AWS::AccountId": "1" * 12, "AWS::Partition": "aws-us-gov"}[value["Ref"]]
        return {key: fill(one) for key, one in value.items()}

    return json.dumps(fill(document), separators=(",", ":"))


def test_more_policies_than_a_role_can_have_are_an_error(tmp_path: Path) -> None:
    """IAM's limit, said before anything is deployed."""
    app = plans.application(tmp_path)
    stack = cdk.Stack(app, "stack", env=cdk.Environment(account=plans.ACCOUNT, region=plans.REGION))
    policies = ManagedPolicies(stack, "Airflow")
    for number in range(1400):
        name = f"arn:aws:iam::{plans.ACCOUNT}:role/{number:064}"
        policies.add_to_principal_policy(iam.PolicyStatement(actions=["iam:PassRole"], resources=[name]))

    with pytest.raises(InputError, match="at most 20 to a role"):
        policies.make("too many")
